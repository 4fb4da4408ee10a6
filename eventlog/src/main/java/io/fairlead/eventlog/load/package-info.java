/** From the log to an image: the loader and who it publishes to. */
@NullMarked
package io.fairlead.eventlog.load;

import org.jspecify.annotations.NullMarked;
