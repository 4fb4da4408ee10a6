/**
 * The gRPC services of the allocator: from messages to commands, from outcomes to messages and
 * statuses.
 */
@NullMarked
package io.fairlead.allocator.grpc;

import org.jspecify.annotations.NullMarked;
