/** Services as environment variables. */
@NullMarked
package io.fairlead.core.env;

import org.jspecify.annotations.NullMarked;
