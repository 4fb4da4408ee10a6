/** Files with a log's entries; the format stands in {@code fairlead/log/v1/file.proto}. */
@NullMarked
package io.fairlead.eventlog.file;

import org.jspecify.annotations.NullMarked;
