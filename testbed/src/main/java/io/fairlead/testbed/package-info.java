/** End-to-end and fault tests, architecture rules. */
@NullMarked
package io.fairlead.testbed;

import org.jspecify.annotations.NullMarked;
