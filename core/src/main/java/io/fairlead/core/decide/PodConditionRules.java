package io.fairlead.core.decide;

import io.fairlead.core.decide.PodStatusDraft.ConditionDraft;
import io.fairlead.core.model.Pod;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The rules for what others say of a Pod. */
final class PodConditionRules {
  /** Which follow from other facts, so that nobody can set them. */
  static final Set<String> DERIVED =
      Set.of("ContainersReady", "Initialized", "PodScheduled", "Ready");

  /** Whole objects stand in the log. */
  private static final int MOST = 32;

  private PodConditionRules() {}

  /**
   * The conditions after some were said, sorted by type.
   *
   * @param said takes the place of what was said of its type before
   */
  static List<Pod.Condition> merge(
      List<Pod.Condition> before, List<ConditionDraft> said, Instant now, Violations violations) {
    var all = new TreeMap<String, Pod.Condition>();
    before.forEach(condition -> all.put(condition.type(), condition));
    var seen = new HashSet<String>();
    for (int i = 0; i < said.size(); i++) {
      var field = "status.conditions[" + i + "]";
      var draft = said.get(i);
      checkType(violations, field + ".type", draft.type());
      if (!seen.add(draft.type())) {
        violations.duplicate(field + ".type", draft.type());
      }
      PodStatusRules.checkLength(field + ".reason", draft.reason(), violations);
      PodStatusRules.checkLength(field + ".message", draft.message(), violations);
      state(violations, field + ".status", draft.status())
          .ifPresent(state -> {
            var earlier = Optional.ofNullable(all.get(draft.type()));
            var since =
                draft
                    .since()
                    .or(() -> earlier.filter(c -> c.state() == state).map(Pod.Condition::since))
                    .orElse(now);
            all.put(
                draft.type(),
                new Pod.Condition(draft.type(), state, draft.reason(), draft.message(), since));
          });
    }
    if (all.size() > MOST) {
      violations.invalid("status.conditions", "a Pod has at most " + MOST + " conditions");
    }
    return List.copyOf(all.values());
  }

  private static Optional<Pod.Condition.State> state(
      Violations violations, String field, String text) {
    var states = Pod.Condition.State.values();
    var state = Arrays.stream(states).filter(s -> s.text().equals(text)).findFirst();
    if (state.isEmpty()) {
      violations.notSupported(
          field, text, Arrays.stream(states).map(Pod.Condition.State::text).toList());
    }
    return state;
  }

  /** A name as keys of labels have it, and none of those that follow from other facts. */
  private static void checkType(Violations violations, String field, String type) {
    if (type.isEmpty()) {
      violations.required(field, "which condition it is");
    } else if (DERIVED.contains(type)) {
      violations.forbidden(field, type + " follows from what is known of the Pod");
    } else {
      Names.checkKey(violations, field, type);
    }
  }

  /** {@code spec.readinessGates}: names as keys of labels have them. */
  static List<String> gates(List<String> types, Violations violations) {
    for (int i = 0; i < types.size(); i++) {
      var field = "spec.readinessGates[" + i + "].conditionType";
      if (types.get(i).isEmpty()) {
        violations.required(field, "which condition must be True");
      } else if (DERIVED.contains(types.get(i))) {
        violations.forbidden(field, types.get(i) + " is part of being ready already");
      } else {
        Names.checkKey(violations, field, types.get(i));
      }
    }
    if (types.size() > MOST) {
      violations.invalid("spec.readinessGates", "a Pod has at most " + MOST);
    }
    return List.copyOf(types);
  }
}
