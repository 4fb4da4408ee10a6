@NullMarked
package io.fairlead.eventlog.load;

import org.jspecify.annotations.NullMarked;
