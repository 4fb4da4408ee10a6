/** What stands in the log: events, their envelopes and the keys they are compacted by. */
@NullMarked
package io.fairlead.core.record;

import org.jspecify.annotations.NullMarked;
