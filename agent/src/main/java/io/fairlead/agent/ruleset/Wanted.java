package io.fairlead.agent.ruleset;

import io.fairlead.agent.ruleset.Program.Choice;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeRules.Treatment;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What a view asks for, in terms of programs and slots. */
final class Wanted {
  private Wanted() {}

  /** Why no kernel can do this, in words; empty where it can. */
  static Optional<String> impossible(Frontend frontend, PortRule rule) {
    if (badPort(frontend.port())) {
      return Optional.of("port " + frontend.port() + " is not within 1..65535");
    }
    for (var target : rule.targets()) {
      if (target.address().family() != frontend.vip().family()) {
        return Optional.of(
            "target " + target.address() + " is not " + frontend.vip().family() + " as its VIP is");
      }
      if (badPort(target.port())) {
        return Optional.of("target port " + target.port() + " is not within 1..65535");
      }
    }
    if (rule.targets().size() > 0xffff) {
      return Optional.of(rule.targets().size() + " targets; at most 65535 are possible");
    }
    return Optional.empty();
  }

  private static boolean badPort(int port) {
    return port < 1 || port > 0xffff;
  }

  /** How a slot is chosen. One target needs no counter and no table. */
  static Choice choice(PortRule rule, int targets) {
    return targets == 1
        ? Choice.RANDOM
        : switch (rule.balancing()) {
          case RANDOM -> Choice.RANDOM;
          case ROUND_ROBIN -> Choice.ROUND_ROBIN;
          case SOURCE_HASH -> Choice.HASH;
        };
  }

  static long timeoutSeconds(PortRule rule) {
    return Math.max(1, rule.affinity().orElseThrow().toSeconds());
  }

  /** Whether a program does what that rule wants for so many distinct targets. */
  static boolean fits(Program program, PortRule rule, int targets) {
    if (rule.treatment() != Treatment.BALANCE) {
      return program.equals(
          rule.treatment() == Treatment.REJECT ? new Program.Reject() : new Program.Drop());
    }
    var choice = choice(rule, targets);
    return switch (program) {
      case Program.Reject(), Program.Drop() -> false;
      case Program.Random(int slots) ->
          rule.affinity().isEmpty() && choice == Choice.RANDOM && slots == targets;
      case Program.RoundRobin(int slots, _, _) ->
          rule.affinity().isEmpty() && choice == Choice.ROUND_ROBIN && slots == targets;
      case Program.Hash() -> rule.affinity().isEmpty() && choice == Choice.HASH;
      case Program.Sticky sticky ->
          rule.affinity().isPresent()
              && sticky.timeoutSeconds() == timeoutSeconds(rule)
              && sticky.choice() == choice
              && sticky.slots() == (choice == Choice.HASH ? Maglev.SIZE : targets);
    };
  }

  /**
   * Whether a state does exactly what the rule wants, in whatever order of slots where the order is
   * free.
   */
  static boolean satisfies(PortState state, PortRule rule) {
    var targets = Slots.distinct(rule.targets());
    if (!fits(state.program(), rule, targets.size())) {
      return false;
    }
    if (state.slots().isEmpty()) {
      return true;
    }
    return choice(rule, targets.size()) == Choice.HASH
        ? state.slots().equals(Maglev.table(targets))
        : holdsAll(state.slots(), targets);
  }

  private static boolean holdsAll(List<Target> slots, List<Target> targets) {
    return slots.equals(targets) || new HashSet<>(slots).equals(new HashSet<>(targets));
  }

  /**
   * An empty set means "never masquerade": held as "all are Pods", so that no rule has to change.
   */
  static Set<Cidr> clusterCidrs(NodeRules view, Family family) {
    var cidrs = cidrs(view.clusterCidrs(), family);
    return cidrs.isEmpty()
        ? Set.of(
            switch (family) {
              case IPV4 -> Cidr.of("0.0.0.0/0");
              case IPV6 -> Cidr.of("::/0");
            })
        : cidrs;
  }

  /**
   * The blocks of one family, without those that lie in another: sets of intervals refuse overlaps.
   */
  static Set<Cidr> cidrs(Set<Cidr> all, Family family) {
    var kept = new TreeSet<Cidr>();
    for (var cidr : new TreeSet<>(all)) {
      // ordered by base, then the larger block first; a block lies in an earlier one or in none
      if (cidr.family() == family && kept.stream().noneMatch(k -> k.contains(cidr.base()))) {
        kept.add(cidr);
      }
    }
    return kept;
  }
}
