@NullMarked
package io.fairlead.testbed.archsamples.allocator;

import org.jspecify.annotations.NullMarked;
