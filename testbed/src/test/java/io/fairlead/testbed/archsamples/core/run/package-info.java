@NullMarked
package io.fairlead.testbed.archsamples.core.run;

import org.jspecify.annotations.NullMarked;
