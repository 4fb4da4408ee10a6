@NullMarked
package io.fairlead.eventlog.acks;

import org.jspecify.annotations.NullMarked;
