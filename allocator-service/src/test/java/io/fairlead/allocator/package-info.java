/** Tests of the allocator. */
@NullMarked
package io.fairlead.allocator;

import org.jspecify.annotations.NullMarked;
