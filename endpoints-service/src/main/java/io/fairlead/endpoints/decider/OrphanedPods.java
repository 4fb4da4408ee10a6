package io.fairlead.endpoints.decider;

import io.fairlead.core.decide.Orphaning;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.Pod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Which Pods nobody has reported for so long that they are to go: of a node that is lost or is not
 * there, or of a source that its node does not have any more. Every replica counts the time of all
 * of them, whoever decides about them, so that one that takes over goes on counting. Of one thread.
 * Soft: a new process counts from its start.
 */
final class OrphanedPods {
  /**
   * Pods of one node and namespace.
   *
   * @param count how many there are
   */
  record Orphans(String namespace, String node, Orphaning why, int count) {}

  private record Case(String node, Orphaning why) {
    /** Whose time it is: that of a source goes on when the node opens its stream anew. */
    Case clock() {
      return switch (why) {
        case Orphaning.SourceGone(_, var source) ->
            new Case(node, new Orphaning.SourceGone(0, source));
        case Orphaning.NodeLost _, Orphaning.NodeGone _ -> this;
      };
    }
  }

  private final Duration bound;
  private final Map<Case, Long> sinceNanos = new HashMap<>();

  /**
   * Counts nothing yet.
   *
   * @param bound how long Pods may be so
   */
  OrphanedPods(Duration bound) {
    this.bound = bound;
  }

  /**
   * The Pods whose time is over. Costs the Pods of all nodes.
   *
   * @param deleted nodes that somebody deleted a moment ago: their Pods have no time left
   */
  List<Orphans> look(ClusterImage image, Set<String> deleted, long nowNanos) {
    var cases = new HashMap<Case, Map<String, Integer>>();
    for (var versioned : image.nodes().all()) {
      cases(image, versioned, cases);
    }
    for (var node : image.pods().nodes()) {
      if (image.nodes().get(node).isEmpty()) {
        add(image, new Case(node, new Orphaning.NodeGone()), cases);
      }
    }
    sinceNanos
        .keySet()
        .retainAll(cases.keySet().stream().map(Case::clock).collect(Collectors.toSet()));
    var due = new ArrayList<Orphans>();
    cases.forEach((found, namespaces) -> {
      long since = sinceNanos.computeIfAbsent(found.clock(), _ -> nowNanos);
      boolean atOnce = found.why() instanceof Orphaning.NodeGone && deleted.contains(found.node());
      if (atOnce || nowNanos - since >= bound.toNanos()) {
        namespaces.forEach((namespace, count) ->
            due.add(new Orphans(namespace, found.node(), found.why(), count)));
      }
    });
    return due;
  }

  private static void cases(
      ClusterImage image, Versioned<Node> versioned, Map<Case, Map<String, Integer>> cases) {
    var node = versioned.object();
    long session = node.session(versioned.offset());
    switch (node.state()) {
      case LOST -> {
        var lost = new Case(node.name(), new Orphaning.NodeLost(session));
        cases.put(lost, new TreeMap<>()); // its time runs from its loss, whenever Pods come
        add(image, lost, cases);
      }
      case READY -> {
        if (!node.sources().isEmpty()) {
          for (var pod : pods(image, node.name())) {
            if (pod.isOfSourceOfItsNode() && !node.sources().contains(pod.source())) {
              count(
                  pod,
                  new Case(node.name(), new Orphaning.SourceGone(session, pod.source())),
                  cases);
            }
          }
        }
      }
    }
  }

  private static void add(ClusterImage image, Case found, Map<Case, Map<String, Integer>> cases) {
    for (var pod : pods(image, found.node())) {
      if (found.why().concerns(pod)) {
        count(pod, found, cases);
      }
    }
  }

  private static void count(Pod pod, Case found, Map<Case, Map<String, Integer>> cases) {
    cases
        .computeIfAbsent(found, _ -> new TreeMap<>())
        .merge(pod.name().namespace(), 1, Integer::sum);
  }

  private static List<Pod> pods(ClusterImage image, String node) {
    return image.pods().onNode(node).stream()
        .flatMap(name -> image.pods().get(name).stream())
        .map(Versioned::object)
        .toList();
  }
}
