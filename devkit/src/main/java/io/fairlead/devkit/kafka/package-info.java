/** One Kafka broker and controller (KRaft) in this JVM, or in one of its own that can be killed. */
@NullMarked
package io.fairlead.devkit.kafka;

import org.jspecify.annotations.NullMarked;
