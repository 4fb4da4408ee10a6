/** The logic of the services partition, and what it remembers for a while. */
@NullMarked
package io.fairlead.allocator.decider;

import org.jspecify.annotations.NullMarked;
