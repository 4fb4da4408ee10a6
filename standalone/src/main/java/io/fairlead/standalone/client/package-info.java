/** What the plane itself asks of the API. */
@NullMarked
package io.fairlead.standalone.client;

import org.jspecify.annotations.NullMarked;
