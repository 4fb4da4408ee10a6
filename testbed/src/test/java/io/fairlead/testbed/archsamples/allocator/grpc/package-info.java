@NullMarked
package io.fairlead.testbed.archsamples.allocator.grpc;

import org.jspecify.annotations.NullMarked;
