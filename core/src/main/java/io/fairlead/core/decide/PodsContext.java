package io.fairlead.core.decide;

import io.fairlead.core.run.RandomSource;
import java.time.Instant;

/**
 * What a decision on Pods and Nodes depends on besides image and command.
 *
 * @param now time of creation, of deletion, of a change of readiness
 * @param random makes uids
 */
public record PodsContext(Instant now, RandomSource random) {}
