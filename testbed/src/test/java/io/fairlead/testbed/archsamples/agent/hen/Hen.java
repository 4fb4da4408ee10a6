package io.fairlead.testbed.archsamples.agent.hen;

import io.fairlead.testbed.archsamples.agent.egg.Egg;
import java.util.Optional;

/** Breaks the rule together with {@link Egg}: their packages need each other. */
public record Hen(Optional<Egg> hatchedFrom) {}
