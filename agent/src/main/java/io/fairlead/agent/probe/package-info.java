/** Readiness of the Pods of this node: probes them, and says what differs from the record. */
@NullMarked
package io.fairlead.agent.probe;

import org.jspecify.annotations.NullMarked;
