/** The zone that is served now, fed by the log. */
@NullMarked
package io.fairlead.dns.zone;

import org.jspecify.annotations.NullMarked;
