/** Faults that are done to a cluster. */
@NullMarked
package io.fairlead.testbed.fault;

import org.jspecify.annotations.NullMarked;
