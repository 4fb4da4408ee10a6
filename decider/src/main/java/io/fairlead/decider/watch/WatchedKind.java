package io.fairlead.decider.watch;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.view.EndpointSlices;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What can be watched, each by keys that are names of objects. */
public enum WatchedKind {
  SERVICES,
  /** Pods with their readiness and the address of their node. */
  PODS,
  /** Nodes; their names stand in the namespace "". */
  NODES,
  /** By the Service that they belong to: all slices of one Service have one key. */
  ENDPOINT_SLICES,
  /** Those that were made and those that hold Services; their names stand in the namespace "". */
  NAMESPACES,
  /** Their names stand in the namespace "". */
  SERVICE_CIDRS;

  /** Keys of what a step of the image may have changed. Costs what changed. */
  Set<ObjectName> touched(ClusterDelta delta, ClusterImage image) {
    return switch (this) {
      case SERVICES -> delta.services();
      case PODS -> pods(delta, image);
      case NODES -> ofCluster(delta.nodes().stream());
      case ENDPOINT_SLICES -> EndpointSlices.touched(delta, image);
      case SERVICE_CIDRS -> ofCluster(delta.serviceCidrs().stream());
      case NAMESPACES ->
          ofCluster(
              Stream.concat(
                  delta.namespaces().stream(),
                  delta.services().stream().map(ObjectName::namespace)));
    };
  }

  /**
   * Keys of what differs between a moment and now, and of what came and went since; in the order in
   * which it changed last.
   */
  List<ObjectName> touchedSince(History.Then then) {
    var left = new HashSet<>(touched(then.back(), then.image()));
    left.addAll(touched(then.went(), then.wentImage()));
    var ordered = new ArrayList<ObjectName>();
    for (var key : then.changed()) {
      // itself; or the namespace that it is in
      for (var name : List.of(key.objectName(), new ObjectName("", key.namespace()))) {
        if (left.remove(name)) {
          ordered.add(name);
        }
      }
    }
    ordered.addAll(new TreeSet<>(left));
    return ordered;
  }

  /** A node that opens its stream again is stored again, mostly at the address that it had. */
  private static Set<ObjectName> pods(ClusterDelta delta, ClusterImage image) {
    var names = new TreeSet<>(delta.pods());
    for (var node : delta.nodes()) {
      if (!addresses(delta.base(), node).equals(addresses(image, node))) {
        names.addAll(image.pods().onNode(node));
      }
    }
    return names;
  }

  private static List<Address> addresses(ClusterImage image, String node) {
    return image.nodes().get(node).map(found -> found.object().addresses()).orElse(List.of());
  }

  private static Set<ObjectName> ofCluster(Stream<String> names) {
    return names.map(name -> new ObjectName("", name)).collect(Collectors.toSet());
  }
}
