@NullMarked
package io.fairlead.testbed.archsamples.core;

import org.jspecify.annotations.NullMarked;
