/** How far the members of the cluster have come: shared between replicas, never a fact. */
@NullMarked
package io.fairlead.eventlog.acks;

import org.jspecify.annotations.NullMarked;
