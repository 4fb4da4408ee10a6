/** The sockets of the DNS server: UDP and TCP. */
@NullMarked
package io.fairlead.dns.server;

import org.jspecify.annotations.NullMarked;
