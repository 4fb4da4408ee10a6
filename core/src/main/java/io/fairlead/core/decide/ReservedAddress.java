package io.fairlead.core.decide;

import io.fairlead.core.model.ObjectName;
import java.time.Instant;
import java.util.UUID;

/**
 * For whom etcd holds an address.
 *
 * @param holder the Service that may have it
 * @param expires when the reservation ends unless it is renewed
 */
public record ReservedAddress(ObjectName holder, UUID reservation, Instant expires) {}
