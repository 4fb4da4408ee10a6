@NullMarked
package io.fairlead.testbed.archsamples.agent.hen;

import org.jspecify.annotations.NullMarked;
