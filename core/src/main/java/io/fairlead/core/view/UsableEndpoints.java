package io.fairlead.core.view;

import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.Entry.ServicePortEntry;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeRules.Treatment;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Which endpoints of a service port one node uses: KEP-1669 (terminating endpoints as a last
 * resort), KEP-2433 and KEP-3015 (hints by zone and by node), internalTrafficPolicy.
 */
final class UsableEndpoints {
  private UsableEndpoints() {}

  /** Endpoints that a node uses, and why these. */
  private record Usable(List<EndpointEntry> endpoints, Selection selection) {}

  /**
   * What happens on this node to new connections to a frontend with these endpoints of its family.
   */
  static PortRule rule(
      ServicePortEntry port, Collection<EndpointEntry> endpoints, NodeContext context) {
    var usable = usable(port, endpoints, context);
    return new PortRule(
        switch (usable.selection()) {
          case NOBODY -> Treatment.REJECT;
          case ELSEWHERE -> Treatment.DROP;
          case READY, SAME_NODE, SAME_ZONE, TERMINATING, LOCAL, LOCAL_TERMINATING ->
              Treatment.BALANCE;
        },
        usable.endpoints().stream().map(UsableEndpoints::target).toList(),
        port.balancing(),
        port.affinity());
  }

  /** Why that is so. */
  static Selection selection(
      ServicePortEntry port, Collection<EndpointEntry> endpoints, NodeContext context) {
    return usable(port, endpoints, context).selection();
  }

  private static Usable usable(
      ServicePortEntry port, Collection<EndpointEntry> endpoints, NodeContext context) {
    var distinct = distinct(endpoints, context);
    var ready = distinct.stream().filter(e -> e.conditions().ready()).toList();
    var lastResort = distinct.stream().filter(UsableEndpoints::isLastResort).toList();
    if (ready.isEmpty() && lastResort.isEmpty()) {
      return new Usable(List.of(), Selection.NOBODY);
    }
    return switch (port.internalTrafficPolicy()) {
      case CLUSTER ->
          ready.isEmpty()
              ? new Usable(lastResort, Selection.TERMINATING)
              : preferred(ready, context);
      case LOCAL -> {
        var readyHere = ready.stream().filter(e -> isLocal(e, context)).toList();
        if (!readyHere.isEmpty()) {
          yield new Usable(readyHere, Selection.LOCAL);
        }
        var lastHere = lastResort.stream().filter(e -> isLocal(e, context)).toList();
        // whether anybody could be reached at all is a question to the whole cluster
        yield new Usable(
            lastHere, lastHere.isEmpty() ? Selection.ELSEWHERE : Selection.LOCAL_TERMINATING);
      }
    };
  }

  /**
   * Still answers while it is deleted; one that is also ready (publishNotReadyAddresses) is no last
   * resort.
   */
  private static boolean isLastResort(EndpointEntry endpoint) {
    var conditions = endpoint.conditions();
    return conditions.serving() && conditions.terminating() && !conditions.ready();
  }

  private static boolean isLocal(EndpointEntry endpoint, NodeContext context) {
    return endpoint.node().filter(context.node()::equals).isPresent();
  }

  private static Target target(EndpointEntry endpoint) {
    return new Target(endpoint.address(), endpoint.port());
  }

  /**
   * One endpoint for each address and port, sorted by them. Two Pods may report one address, an old
   * one that is not forgotten yet and the live one: the most alive counts, of equals the local one.
   */
  private static Collection<EndpointEntry> distinct(
      Collection<EndpointEntry> endpoints, NodeContext context) {
    var best =
        Comparator.<EndpointEntry, Boolean>comparing(e -> e.conditions().ready())
            .thenComparing(e -> e.conditions().serving())
            .thenComparing(e -> isLocal(e, context))
            .thenComparing(EndpointEntry::key);
    var distinct = new TreeMap<Target, EndpointEntry>();
    for (var endpoint : endpoints) {
      distinct.merge(target(endpoint), endpoint, (a, b) -> best.compare(a, b) >= 0 ? a : b);
    }
    return distinct.values();
  }

  /**
   * Those that hint at this node, else at its zone, if all are hinted and one of them does; else
   * all.
   */
  private static Usable preferred(List<EndpointEntry> ready, NodeContext context) {
    var sameNode = hinted(ready, e -> e.hints().nodes(), context.node()::equals);
    if (!sameNode.isEmpty()) {
      return new Usable(sameNode, Selection.SAME_NODE);
    }
    var sameZone =
        hinted(
            ready, e -> e.hints().zones(), zone -> context.zone().filter(zone::equals).isPresent());
    return sameZone.isEmpty()
        ? new Usable(ready, Selection.READY)
        : new Usable(sameZone, Selection.SAME_ZONE);
  }

  private static List<EndpointEntry> hinted(
      List<EndpointEntry> ready,
      Function<EndpointEntry, Set<String>> hints,
      Predicate<String> here) {
    return ready.stream().anyMatch(e -> hints.apply(e).isEmpty())
        ? List.of()
        : ready.stream().filter(e -> hints.apply(e).stream().anyMatch(here)).toList();
  }
}
