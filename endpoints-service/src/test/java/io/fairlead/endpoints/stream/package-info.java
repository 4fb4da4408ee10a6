/** Tests of endpoints-service. */
@NullMarked
package io.fairlead.endpoints.stream;

import org.jspecify.annotations.NullMarked;
