@NullMarked
package io.fairlead.testbed.archsamples.endpoints;

import org.jspecify.annotations.NullMarked;
