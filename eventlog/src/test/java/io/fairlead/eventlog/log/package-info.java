@NullMarked
package io.fairlead.eventlog.log;

import org.jspecify.annotations.NullMarked;
