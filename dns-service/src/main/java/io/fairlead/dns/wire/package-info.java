/** Messages of DNS: from octets to questions, from answers to octets. */
@NullMarked
package io.fairlead.dns.wire;

import org.jspecify.annotations.NullMarked;
