/** The streams to the agents: what they carry, one conflating stream for each node. */
@NullMarked
package io.fairlead.endpoints.stream;

import org.jspecify.annotations.NullMarked;
