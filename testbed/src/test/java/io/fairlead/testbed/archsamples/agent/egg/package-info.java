@NullMarked
package io.fairlead.testbed.archsamples.agent.egg;

import org.jspecify.annotations.NullMarked;
