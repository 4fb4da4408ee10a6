package io.fairlead.core.model;

import java.util.UUID;

/** An object of the log, whole. What it is compacted by is its {@link #key}. */
public sealed interface DomainObject
    permits PartitionHeader,
        Service,
        ServiceCidr,
        Namespace,
        Reservation,
        Pod,
        PodReadiness,
        Node,
        ManualSlice,
        FeatureLevel {
  ObjectKey key();

  /** Tells an object from a later one of the same name. */
  UUID uid();
}
