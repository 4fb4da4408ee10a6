package io.fairlead.agent.ruleset;

import io.fairlead.agent.ruleset.Command.ElementKey;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * One frontend as it stands in the kernel.
 *
 * @param slots the target of each slot, from 0; as many as the program has
 * @param ids id of each target; empty unless the program is sticky
 */
public record PortState(Program program, List<Target> slots, Map<Target, Integer> ids) {
  public PortState {
    slots = List.copyOf(slots);
    ids = Map.copyOf(ids);
    if (slots.size() != program.slots()) {
      throw new IllegalArgumentException(program + " with " + slots.size() + " slots");
    }
  }

  /** All elements that make up this state. */
  SequencedMap<ElementKey, Optional<String>> elements(Frontend frontend) {
    var elements = new LinkedHashMap<ElementKey, Optional<String>>();
    for (int slot = 0; slot < slots.size(); slot++) {
      var target = slots.get(slot);
      if (program instanceof Program.Sticky) {
        int id = ids.getOrDefault(target, 0);
        elements.put(Elements.choice(frontend, slot), Optional.of(Elements.number(id)));
        elements.put(Elements.id(frontend, id), Optional.of(Elements.target(target)));
      } else {
        elements.put(Elements.endpoint(frontend, slot), Optional.of(Elements.target(target)));
      }
    }
    elements.put(Elements.service(frontend), Optional.of(Elements.number(program.number())));
    return elements;
  }
}
