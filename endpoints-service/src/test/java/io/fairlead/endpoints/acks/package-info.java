/** Tests of endpoints-service. */
@NullMarked
package io.fairlead.endpoints.acks;

import org.jspecify.annotations.NullMarked;
