@NullMarked
package io.fairlead.testbed.archsamples.dns;

import org.jspecify.annotations.NullMarked;
