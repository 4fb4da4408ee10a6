/** Names and records of DNS, derived from an image. */
@NullMarked
package io.fairlead.core.dns;

import org.jspecify.annotations.NullMarked;
