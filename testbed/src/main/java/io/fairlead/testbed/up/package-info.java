/** Fairlead as its users have it: the script, on a data directory of a test's own. */
@NullMarked
package io.fairlead.testbed.up;

import org.jspecify.annotations.NullMarked;
