package io.fairlead.agent.ruleset;

import io.fairlead.core.view.NodeRules.Target;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Which target stands in which slot: as few as possible change theirs. */
final class Slots {
  private Slots() {}

  /**
   * Slots 0..n-1 for {@code wanted}. Who has one of them keeps it; the others, those behind the new
   * end first, fill the holes in order. From nothing, the order is {@code wanted}'s, rotated: so
   * that nodes do not begin at the same endpoint.
   *
   * @param wanted distinct
   */
  static List<Target> assign(List<Target> current, List<Target> wanted, int rotation) {
    int n = wanted.size();
    if (current.isEmpty()) {
      var rotated = new ArrayList<Target>(n);
      for (int i = 0; i < n; i++) {
        rotated.add(wanted.get(Math.floorMod(i + rotation, n)));
      }
      return rotated;
    }
    var open = new LinkedHashSet<>(wanted);
    var slots = new ArrayList<Set<Target>>(n);
    for (int slot = 0; slot < n; slot++) {
      boolean keeps = slot < current.size() && open.remove(current.get(slot));
      slots.add(keeps ? Set.of(current.get(slot)) : Set.of());
    }
    var moving = new ArrayList<Target>();
    for (int slot = n; slot < current.size(); slot++) {
      if (open.remove(current.get(slot))) {
        moving.add(current.get(slot));
      }
    }
    moving.addAll(open);
    var next = moving.iterator();
    var assigned = new ArrayList<Target>(n);
    slots.forEach(
        holder -> assigned.add(holder.isEmpty() ? next.next() : holder.iterator().next()));
    return assigned;
  }

  /** Without repetitions, order kept. */
  static List<Target> distinct(List<Target> targets) {
    return new HashSet<>(targets).size() == targets.size()
        ? targets
        : List.copyOf(new LinkedHashSet<>(targets));
  }
}
