/** Ownership, leases, claims; the only user of jetcd. */
@NullMarked
package io.fairlead.etcd;

import org.jspecify.annotations.NullMarked;
