package io.fairlead.agent.nft;

import io.fairlead.agent.ruleset.FamilyState;
import io.fairlead.agent.ruleset.PortState;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the kernel holds, read from it and from nothing else.
 *
 * @param families those that have a table
 */
public record KernelState(SortedMap<Family, FamilyState> families) {

  /** One frontend as it is programmed; empty where it is not. */
  public Optional<PortState> port(Frontend frontend) {
    return Optional.ofNullable(families.get(frontend.vip().family()))
        .flatMap(family -> Optional.ofNullable(family.ports().get(frontend)));
  }

  /**
   * What all tables that are there have reached: the lowest position of each. Empty where there is
   * none, or they are of different logs.
   */
  public Optional<Position> position() {
    return families.values().stream()
        .map(FamilyState::position)
        .reduce(KernelState::lower)
        .flatMap(position -> position);
  }

  static Optional<Position> lower(Optional<Position> a, Optional<Position> b) {
    if (a.isEmpty() || b.isEmpty() || !a.get().log().equals(b.get().log())) {
      return Optional.empty();
    }
    var next = new TreeMap<LogPartition, Long>();
    for (Map.Entry<LogPartition, Long> entry : a.get().next().entrySet()) {
      next.put(entry.getKey(), Math.min(entry.getValue(), b.get().of(entry.getKey())));
    }
    return Optional.of(new Position(a.get().log(), next));
  }

  /**
   * In what the kernel differs from that view, in words; empty = equal up to the order of slots.
   *
   * @param except frontends that are known to be refused
   */
  public List<String> differencesFrom(NodeRules view, Set<Frontend> except) {
    var differences = new ArrayList<String>();
    families.forEach((family, state) ->
        state.differencesFrom(view, except).forEach(d -> differences.add(family + " " + d)));
    for (var frontend : view.ports().keySet()) {
      if (!families.containsKey(frontend.vip().family()) && !except.contains(frontend)) {
        differences.add(frontend.vip().family() + " " + frontend + ": no table in the kernel");
      }
    }
    return differences;
  }
}
