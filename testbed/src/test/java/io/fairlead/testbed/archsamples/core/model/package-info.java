@NullMarked
package io.fairlead.testbed.archsamples.core.model;

import org.jspecify.annotations.NullMarked;
