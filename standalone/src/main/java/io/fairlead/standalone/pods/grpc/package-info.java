/** PodRuntime: logs of process Pods, and programs in them. */
@NullMarked
package io.fairlead.standalone.pods.grpc;

import org.jspecify.annotations.NullMarked;
