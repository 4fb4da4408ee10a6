/** Append to and follow the log over Kafka; the only user of kafka-clients. */
@NullMarked
package io.fairlead.eventlog;

import org.jspecify.annotations.NullMarked;
