@NullMarked
package io.fairlead.testbed.archsamples.v1;

import org.jspecify.annotations.NullMarked;
