@NullMarked
package io.fairlead.eventlog.codec;

import org.jspecify.annotations.NullMarked;
