package io.fairlead.decider.watch;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.view.EndpointSlices;
import java.util.Set;
import java.util.stream.Collectors;

/** What can be watched, each by keys that are names of objects. */
public enum WatchedKind {
  SERVICES,
  /** Pods with their readiness. */
  PODS,
  /** Nodes; their names stand in the namespace "". */
  NODES,
  /** By the Service that they belong to: all slices of one Service have one key. */
  ENDPOINT_SLICES;

  /** Keys of what a step of the image may have changed. Costs what changed. */
  Set<ObjectName> touched(ClusterDelta delta, ClusterImage image) {
    return switch (this) {
      case SERVICES -> delta.services();
      case PODS -> delta.pods();
      case NODES ->
          delta.nodes().stream().map(name -> new ObjectName("", name)).collect(Collectors.toSet());
      case ENDPOINT_SLICES -> EndpointSlices.touched(delta, image);
    };
  }
}
