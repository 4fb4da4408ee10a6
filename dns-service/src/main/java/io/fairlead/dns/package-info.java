/** Authoritative DNS from the projection, and a forwarder. */
@NullMarked
package io.fairlead.dns;

import org.jspecify.annotations.NullMarked;
