/** Tests of the script {@code ./fairlead}. */
@NullMarked
package io.fairlead.testbed.script;

import org.jspecify.annotations.NullMarked;
