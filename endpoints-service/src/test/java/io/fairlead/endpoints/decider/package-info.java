/** Tests of endpoints-service. */
@NullMarked
package io.fairlead.endpoints.decider;

import org.jspecify.annotations.NullMarked;
