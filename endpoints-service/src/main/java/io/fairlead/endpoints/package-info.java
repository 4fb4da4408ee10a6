/** Decides Pods, readiness, Nodes, EndpointSlices; streams to the agents. */
@NullMarked
package io.fairlead.endpoints;

import org.jspecify.annotations.NullMarked;
