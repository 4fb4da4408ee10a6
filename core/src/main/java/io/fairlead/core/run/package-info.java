/** The few mechanisms that touch time and threads: clock, event loop, faults. */
@NullMarked
package io.fairlead.core.run;

import org.jspecify.annotations.NullMarked;
