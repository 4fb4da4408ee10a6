package io.fairlead.core.model;

import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The kinds of objects the log holds. */
public enum Kind {
  PARTITION_HEADER("PartitionHeader", Scope.CLUSTER),
  SERVICE("Service", Scope.NAMESPACE),
  SERVICE_CIDR("ServiceCIDR", Scope.CLUSTER),
  POD("Pod", Scope.NAMESPACE),
  POD_READINESS("PodReadiness", Scope.NAMESPACE),
  NODE("Node", Scope.CLUSTER),
  NAMESPACE("Namespace", Scope.CLUSTER),
  RESERVATION("Reservation", Scope.CLUSTER),
  /** Only those that somebody wrote: the others are derived and have no record. */
  ENDPOINT_SLICE("EndpointSlice", Scope.NAMESPACE),
  FEATURE_LEVEL("FeatureLevel", Scope.CLUSTER);

  /** Whether names of a kind are unique within a namespace or within everything. */
  public enum Scope {
    NAMESPACE,
    CLUSTER
  }

  private static final Map<String, Kind> BY_TEXT =
      Stream.of(values()).collect(Collectors.toUnmodifiableMap(Kind::text, kind -> kind));

  private final String text;
  private final Scope scope;

  Kind(String text, Scope scope) {
    this.text = text;
    this.scope = scope;
  }

  /** The {@code kind} of a manifest. */
  public String text() {
    return text;
  }

  /** The inverse of {@link #text}, or empty. */
  public static Optional<Kind> parse(String text) {
    return Optional.ofNullable(BY_TEXT.get(text));
  }

  public Scope scope() {
    return scope;
  }
}
