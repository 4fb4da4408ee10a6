/** Records of the log as protobuf and back. */
@NullMarked
package io.fairlead.eventlog.codec;

import org.jspecify.annotations.NullMarked;
