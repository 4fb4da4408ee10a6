@NullMarked
package io.fairlead.testbed.archsamples.allocator.decider;

import org.jspecify.annotations.NullMarked;
