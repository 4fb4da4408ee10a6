package io.fairlead.agent.ruleset;

import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import java.util.List;
import java.util.Optional;

/**
 * What one frontend needs, in three steps that each may be part of a transaction with others'.
 * Before and after each step slots 0..N-1 are complete for the N that is dispatched.
 *
 * @param rule what is wanted; empty where the frontend is to be gone
 * @param next its state afterwards; empty where it is to be gone
 * @param grow what nothing refers to yet: slots to come, chains, maps
 * @param flip what takes effect, at once: dispatch, replaced slots, endpoints that clients must no
 *     longer stick to
 * @param shrink what nothing refers to any more
 */
public record Unit(
    Frontend frontend,
    Optional<PortRule> rule,
    Optional<PortState> next,
    List<Command> grow,
    List<Command> flip,
    List<Command> shrink) {
  public Unit {
    grow = List.copyOf(grow);
    flip = List.copyOf(flip);
    shrink = List.copyOf(shrink);
  }
}
