/** What this server tells of itself by gRPC. */
@NullMarked
package io.fairlead.dns.grpc;

import org.jspecify.annotations.NullMarked;
