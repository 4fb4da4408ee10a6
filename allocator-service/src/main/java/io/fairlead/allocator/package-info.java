/** Decides Services, Namespaces, ServiceCIDRs, reservations; allocates ClusterIPs. */
@NullMarked
package io.fairlead.allocator;

import org.jspecify.annotations.NullMarked;
