/** A copy of the image on this machine, which spares a start the reading of the whole log. */
@NullMarked
package io.fairlead.eventlog.snapshot;

import org.jspecify.annotations.NullMarked;
