/** The log over Kafka: append with fencing, follow what is committed. */
@NullMarked
package io.fairlead.eventlog.log;

import org.jspecify.annotations.NullMarked;
