/** Requests that arrive at a replica that does not decide them: sent on to the one that does. */
@NullMarked
package io.fairlead.decider.grpc;

import org.jspecify.annotations.NullMarked;
