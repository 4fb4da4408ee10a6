package io.fairlead.agent.ruleset;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a table holds, as read from the kernel.
 *
 * @param chains fingerprints of the rules in order, by chain; an empty text for a rule that carries
 *     none
 * @param sets elements by set or map: key to value, in the spelling of {@link Elements}; maps that
 *     the kernel fills have no elements here
 */
public record TableContents(
    Map<String, List<String>> chains, Map<String, Map<String, Optional<String>>> sets) {
  /** Elements of that set; empty where there is no such set. */
  public Map<String, Optional<String>> elements(String set) {
    return sets.getOrDefault(set, Map.of());
  }
}
