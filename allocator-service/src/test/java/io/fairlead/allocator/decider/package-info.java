/** Tests of the logic of the services partition. */
@NullMarked
package io.fairlead.allocator.decider;

import org.jspecify.annotations.NullMarked;
