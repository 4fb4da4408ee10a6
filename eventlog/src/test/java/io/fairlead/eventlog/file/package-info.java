@NullMarked
package io.fairlead.eventlog.file;

import org.jspecify.annotations.NullMarked;
