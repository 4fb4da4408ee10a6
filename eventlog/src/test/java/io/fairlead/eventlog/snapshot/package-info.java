@NullMarked
package io.fairlead.eventlog.snapshot;

import org.jspecify.annotations.NullMarked;
