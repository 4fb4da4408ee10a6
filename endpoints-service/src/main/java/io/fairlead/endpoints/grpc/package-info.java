/** The API of this service: from messages to commands and back. */
@NullMarked
package io.fairlead.endpoints.grpc;

import org.jspecify.annotations.NullMarked;
