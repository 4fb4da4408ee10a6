@NullMarked
package io.fairlead.standalone.pods.grpc;

import org.jspecify.annotations.NullMarked;
