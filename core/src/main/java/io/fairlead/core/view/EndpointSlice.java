package io.fairlead.core.view;

import io.fairlead.core.model.Family;
import io.fairlead.core.model.ObjectName;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A part of a Service's endpoints: those of one family that offer the same ports, at most {@link
 * EndpointSlices#MAX_ENDPOINTS}.
 *
 * @param created when the Service was: a slice has no record of its own, and a history that the
 *     current objects do not tell
 * @param ports empty for a headless Service without ports, and for Pods that offer none of them
 * @param endpoints sorted by the Pod's name; never empty
 */
public record EndpointSlice(
    String name,
    ObjectName service,
    UUID serviceUid,
    Instant created,
    SortedMap<String, String> labels,
    Family family,
    List<Endpoints.TargetPort> ports,
    List<Endpoint> endpoints) {
  public EndpointSlice {
    labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
    ports = List.copyOf(ports);
    endpoints = List.copyOf(endpoints);
  }
}
