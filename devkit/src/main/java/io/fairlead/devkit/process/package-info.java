/** Child processes, free ports and the options of small mains. */
@NullMarked
package io.fairlead.devkit.process;

import org.jspecify.annotations.NullMarked;
