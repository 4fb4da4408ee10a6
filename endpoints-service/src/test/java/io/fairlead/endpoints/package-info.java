/** Tests of endpoints-service. */
@NullMarked
package io.fairlead.endpoints;

import org.jspecify.annotations.NullMarked;
