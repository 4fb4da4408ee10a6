/** The domain, pure: no I/O, no clock, no Kafka, no gRPC, no protobuf. */
@NullMarked
package io.fairlead.core;

import org.jspecify.annotations.NullMarked;
