/**
 * What concurrent clients asked and were answered, and whether one object after the other could
 * have answered so: histories, models, the search for an order, and the log beside them.
 */
@NullMarked
package io.fairlead.testbed.history;

import org.jspecify.annotations.NullMarked;
