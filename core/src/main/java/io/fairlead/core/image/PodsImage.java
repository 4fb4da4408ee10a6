package io.fairlead.core.image;

import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import org.pcollections.TreePMap;

/**
 * Pods and, as facts of their own, what their probes said; sorted by namespace and name. Immutable;
 * derived wholly from the log. Whether a Pod is ready is joined in the view: neither record waits
 * for the other.
 *
 * @param byLabel names of the Pods that carry a label
 * @param byNode names of the Pods placed on a node
 */
public record PodsImage(
    TreePMap<ObjectName, Versioned<Pod>> byName,
    TreePMap<ObjectName, Versioned<PodReadiness>> readinessByPod,
    Index<Label, ObjectName> byLabel,
    Index<String, ObjectName> byNode) {
  public static final PodsImage EMPTY =
      new PodsImage(TreePMap.empty(), TreePMap.empty(), Index.empty(), Index.empty());

  public Optional<Versioned<Pod>> get(ObjectName name) {
    return Optional.ofNullable(byName.get(name));
  }

  /**
   * What was reported under that name, also for an earlier Pod of the name: compare uids, or ask
   * {@link #readiness(Pod)}.
   */
  public Optional<Versioned<PodReadiness>> readiness(ObjectName pod) {
    return Optional.ofNullable(readinessByPod.get(pod));
  }

  /** What was reported for exactly this Pod. */
  public Optional<PodReadiness> readiness(Pod pod) {
    return readiness(pod.name()).map(Versioned::object).filter(r -> r.podUid().equals(pod.uid()));
  }

  /** Sorted by namespace and name. */
  public Collection<Versioned<Pod>> all() {
    return byName.values();
  }

  /** Sorted by name. */
  public Collection<Versioned<Pod>> inNamespace(String namespace) {
    return Namespaces.part(byName, namespace).values();
  }

  /** What was reported for Pods of a namespace, those that are gone too; sorted by name. */
  public Collection<Versioned<PodReadiness>> readinessInNamespace(String namespace) {
    return Namespaces.part(readinessByPod, namespace).values();
  }

  /**
   * Names of the Pods that carry all those labels, sorted; an empty selector selects nothing. Costs
   * the rarest label's Pods.
   */
  public SortedSet<ObjectName> selected(String namespace, Map<String, String> selector) {
    var matching = new TreeSet<ObjectName>();
    selector.entrySet().stream()
        .map(e -> byLabel.get(new Label(namespace, e.getKey(), e.getValue())))
        .min((a, b) -> Integer.compare(a.size(), b.size()))
        .ifPresent(rarest -> {
          for (var name : rarest) {
            var pod = get(name).map(Versioned::object);
            if (pod.isPresent() && carries(pod.get(), selector)) {
              matching.add(name);
            }
          }
        });
    return matching;
  }

  private static boolean carries(Pod pod, Map<String, String> selector) {
    var labels = pod.meta().labels();
    return selector.entrySet().stream().allMatch(e -> e.getValue().equals(labels.get(e.getKey())));
  }

  /** Names of the Pods placed on a node, sorted. */
  public SortedSet<ObjectName> onNode(String node) {
    return byNode.get(node);
  }

  PodsImage with(Versioned<Pod> pod) {
    var name = pod.object().name();
    var before = get(name).map(Versioned::object);
    var labels =
        reindexed(
            before.map(b -> b.meta().labels()), Optional.of(pod.object().meta().labels()), name);
    var nodes =
        placed(before.flatMap(b -> b.spec().nodeName()), pod.object().spec().nodeName(), name);
    return new PodsImage(byName.plus(name, pod), readinessByPod, labels, nodes);
  }

  PodsImage without(ObjectName name) {
    var before = get(name).map(Versioned::object);
    if (before.isEmpty()) {
      return this;
    }
    var labels = reindexed(before.map(b -> b.meta().labels()), Optional.empty(), name);
    var nodes = placed(before.flatMap(b -> b.spec().nodeName()), Optional.empty(), name);
    return new PodsImage(byName.minus(name), readinessByPod, labels, nodes);
  }

  PodsImage withReadiness(Versioned<PodReadiness> readiness) {
    return new PodsImage(
        byName, readinessByPod.plus(readiness.object().pod(), readiness), byLabel, byNode);
  }

  PodsImage withoutReadiness(ObjectName pod) {
    return new PodsImage(byName, readinessByPod.minus(pod), byLabel, byNode);
  }

  private Index<Label, ObjectName> reindexed(
      Optional<SortedMap<String, String>> before,
      Optional<SortedMap<String, String>> after,
      ObjectName name) {
    if (before.equals(after)) {
      return byLabel;
    }
    var index = byLabel;
    for (var label : before.stream().flatMap(l -> l.entrySet().stream()).toList()) {
      index = index.minus(new Label(name.namespace(), label.getKey(), label.getValue()), name);
    }
    for (var label : after.stream().flatMap(l -> l.entrySet().stream()).toList()) {
      index = index.plus(new Label(name.namespace(), label.getKey(), label.getValue()), name);
    }
    return index;
  }

  private Index<String, ObjectName> placed(
      Optional<String> before, Optional<String> after, ObjectName name) {
    if (before.equals(after)) {
      return byNode;
    }
    var index = before.isPresent() ? byNode.minus(before.get(), name) : byNode;
    return after.isPresent() ? index.plus(after.get(), name) : index;
  }

  /** A label of a Pod in its namespace. */
  record Label(String namespace, String key, String value) implements Comparable<Label> {
    @Override
    public int compareTo(Label other) {
      int order = namespace.compareTo(other.namespace);
      if (order == 0) {
        order = key.compareTo(other.key);
      }
      return order == 0 ? value.compareTo(other.value) : order;
    }
  }
}
