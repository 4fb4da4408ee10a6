/**
 * One decider per partition of the log: who owns it, how an owner takes over, and how it turns
 * requests into records.
 */
@NullMarked
package io.fairlead.decider;

import org.jspecify.annotations.NullMarked;
