package io.fairlead.testbed.archsamples.agent.egg;

import io.fairlead.testbed.archsamples.agent.hen.Hen;
import java.util.Optional;

/** Breaks the rule together with {@link Hen}: their packages need each other. */
public record Egg(Optional<Hen> laidBy) {}
