package io.fairlead.core.image;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Pods and, as facts of their own, what their probes said; sorted by namespace and name. Immutable;
 * derived wholly from the log. Whether a Pod is ready is joined in the view: neither record waits
 * for the other.
 *
 * @param byLabel names of the Pods that carry a label
 * @param byNode names of the Pods placed on a node, in no order: those of one Service are on many
 *     nodes, so that each is a way of its own through a tree
 * @param byAddress names of the Pods that claim ports of an address, see {@link PodClaims}
 * @param contested addresses of which several Pods claim ports, not always the same ones
 */
public record PodsImage(
    SortedTable<ObjectName, Versioned<Pod>> byName,
    SortedTable<ObjectName, Versioned<PodReadiness>> readinessByPod,
    SortedIndex<Label, ObjectName> byLabel,
    SortedIndex<String, Scattered<ObjectName>> byNode,
    SortedIndex<Address, ObjectName> byAddress,
    SortedNames<Address> contested) {
  public static final PodsImage EMPTY =
      new PodsImage(
          SortedTable.empty(),
          SortedTable.empty(),
          SortedIndex.empty(),
          SortedIndex.empty(),
          SortedIndex.empty(),
          SortedNames.empty());

  public Optional<Versioned<Pod>> get(ObjectName name) {
    return byName.find(name);
  }

  /**
   * What was reported under that name, also for an earlier Pod of the name: compare uids, or ask
   * {@link #readiness(Pod)}.
   */
  public Optional<Versioned<PodReadiness>> readiness(ObjectName pod) {
    return readinessByPod.find(pod);
  }

  /** What was reported for exactly this Pod. */
  public Optional<PodReadiness> readiness(Pod pod) {
    return readiness(pod.name()).map(Versioned::object).filter(r -> r.podUid().equals(pod.uid()));
  }

  /** Sorted by namespace and name. */
  public Collection<Versioned<Pod>> all() {
    return byName.values();
  }

  /** What was reported for any Pod, those that are gone too; sorted by namespace and name. */
  public Collection<Versioned<PodReadiness>> allReadiness() {
    return readinessByPod.values();
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
    var names = new TreeSet<ObjectName>();
    byNode.get(node).forEach(name -> names.add(name.value()));
    return names;
  }

  /**
   * What becomes of one name.
   *
   * @param after empty = it is removed
   * @param replaced told what was there before, empty = nothing
   */
  record Edit<T extends DomainObject>(
      ObjectName name, Optional<Versioned<T>> after, Consumer<Optional<Versioned<T>>> replaced) {}

  /** With those changes; each name at most once in either list, which are sorted here. */
  PodsImage edited(List<Edit<Pod>> pods, List<Edit<PodReadiness>> readiness) {
    var labels = new SortedIndex.Changes<Label, ObjectName>();
    var nodes = new SortedIndex.Changes<String, Scattered<ObjectName>>();
    var addresses = new SortedIndex.Changes<Address, ObjectName>();
    var touched = new TreeSet<Address>();
    var names =
        byName.edited(
            sorted(
                pods,
                (edit, before) -> {
                  edit.replaced().accept(before);
                  relabel(edit.name(), labelsOf(before), labelsOf(edit.after()), labels);
                  place(edit.name(), nodeOf(before), nodeOf(edit.after()), nodes);
                  claim(
                      edit.name(), claimedBy(before), claimedBy(edit.after()), addresses, touched);
                }));
    var claims = byAddress.edited(addresses);
    return new PodsImage(
        names,
        readinessByPod.edited(sorted(readiness, (edit, before) -> edit.replaced().accept(before))),
        byLabel.edited(labels),
        byNode.edited(nodes),
        claims,
        contested(claims, touched));
  }

  private SortedNames<Address> contested(
      SortedIndex<Address, ObjectName> claims, SortedSet<Address> touched) {
    var edits = new ArrayList<SortedNames.Edit<Address>>();
    for (var address : touched) {
      boolean several = claims.get(address).size() > 1;
      if (several != contested.contains(address)) {
        edits.add(
            new SortedNames.Edit<>(
                address, several ? SortedNames.Becomes.PRESENT : SortedNames.Becomes.ABSENT));
      }
    }
    return edits.isEmpty() ? contested : contested.edited(edits);
  }

  private static <T extends DomainObject> List<TableEdit<T>> sorted(
      List<Edit<T>> edits, BiConsumer<Edit<T>, Optional<Versioned<T>>> seen) {
    var sorted = new ArrayList<TableEdit<T>>(edits.size());
    for (var edit : edits) {
      sorted.add(new TableEdit<>(edit, seen));
    }
    Collections.sort(sorted);
    return sorted;
  }

  private record TableEdit<T extends DomainObject>(
      Edit<T> edit, BiConsumer<Edit<T>, Optional<Versioned<T>>> seen)
      implements SortedTable.Edit<ObjectName, Versioned<T>>, Comparable<TableEdit<T>> {
    @Override
    public int compareTo(TableEdit<T> other) {
      return edit.name().compareTo(other.edit.name());
    }

    @Override
    public ObjectName key() {
      return edit.name();
    }

    @Override
    public @Nullable Versioned<T> after(@Nullable Versioned<T> before) {
      seen.accept(edit, Optional.ofNullable(before));
      return edit.after().orElse(null);
    }
  }

  /** Nodes on which Pods are placed, whether or not they are there; sorted. */
  public Set<String> nodes() {
    return byNode.byKey().keySet();
  }

  /** Names of the Pods that claim ports of an address, on whichever nodes; sorted. */
  SortedSet<ObjectName> claiming(Address address) {
    return byAddress.get(address);
  }

  /** Names of the Pods that claim ports of an address of that one, which need not be here. */
  public SortedSet<ObjectName> sharing(Pod pod) {
    var names = new TreeSet<ObjectName>();
    for (var address : PodClaims.addresses(pod)) {
      names.addAll(claiming(address));
    }
    names.remove(pod.name());
    return names;
  }

  PodsImage with(Versioned<Pod> pod) {
    return edited(List.of(new Edit<>(pod.object().name(), Optional.of(pod), _ -> {})), List.of());
  }

  PodsImage without(ObjectName name) {
    return edited(List.of(new Edit<>(name, Optional.empty(), _ -> {})), List.of());
  }

  PodsImage withReadiness(Versioned<PodReadiness> readiness) {
    return edited(
        List.of(), List.of(new Edit<>(readiness.object().pod(), Optional.of(readiness), _ -> {})));
  }

  PodsImage withoutReadiness(ObjectName pod) {
    return edited(List.of(), List.of(new Edit<>(pod, Optional.empty(), _ -> {})));
  }

  private static SortedMap<String, String> labelsOf(Optional<Versioned<Pod>> pod) {
    return pod.isPresent() ? pod.get().object().meta().labels() : Collections.emptySortedMap();
  }

  private static void relabel(
      ObjectName name,
      SortedMap<String, String> before,
      SortedMap<String, String> after,
      SortedIndex.Changes<Label, ObjectName> changes) {
    before.forEach((key, value) -> {
      if (!value.equals(after.get(key))) {
        changes.remove(new Label(name.namespace(), key, value), name);
      }
    });
    after.forEach((key, value) -> {
      if (!value.equals(before.get(key))) {
        changes.add(new Label(name.namespace(), key, value), name);
      }
    });
  }

  private static Optional<String> nodeOf(Optional<Versioned<Pod>> pod) {
    return pod.isPresent() ? pod.get().object().spec().nodeName() : Optional.empty();
  }

  private static void place(
      ObjectName name,
      Optional<String> before,
      Optional<String> after,
      SortedIndex.Changes<String, Scattered<ObjectName>> changes) {
    if (!before.equals(after)) {
      before.ifPresent(node -> changes.remove(node, Scattered.of(name)));
      after.ifPresent(node -> changes.add(node, Scattered.of(name)));
    }
  }

  private static List<Address> claimedBy(Optional<Versioned<Pod>> pod) {
    return pod.isPresent() ? PodClaims.addresses(pod.get().object()) : List.of();
  }

  private static void claim(
      ObjectName name,
      List<Address> before,
      List<Address> after,
      SortedIndex.Changes<Address, ObjectName> changes,
      SortedSet<Address> touched) {
    if (before.equals(after)) {
      return;
    }
    for (var address : Set.copyOf(before)) { // a record may name one twice
      if (!after.contains(address)) {
        changes.remove(address, name);
        touched.add(address);
      }
    }
    for (var address : Set.copyOf(after)) {
      if (!before.contains(address)) {
        changes.add(address, name);
        touched.add(address);
      }
    }
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
