@NullMarked
package io.fairlead.testbed.archsamples.core.decide;

import org.jspecify.annotations.NullMarked;
