/** JMH and scenario benchmarks. */
@NullMarked
package io.fairlead.bench;

import org.jspecify.annotations.NullMarked;
