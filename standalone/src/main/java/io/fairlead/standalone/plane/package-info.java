/** One plane: everything of Fairlead on this machine, as one instance. */
@NullMarked
package io.fairlead.standalone.plane;

import org.jspecify.annotations.NullMarked;
