/** This server as a Pod of the cluster's DNS Service. */
@NullMarked
package io.fairlead.dns.client;

import org.jspecify.annotations.NullMarked;
