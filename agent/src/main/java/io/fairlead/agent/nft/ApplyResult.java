package io.fairlead.agent.nft;

import io.fairlead.core.model.Family;
import java.time.Duration;
import java.util.List;
import java.util.SortedMap;

/** What became of a change, by family; the families are independent of each other. */
public record ApplyResult(SortedMap<Family, FamilyResult> families) {

  /** What became of it in one family. */
  public sealed interface FamilyResult {
    /**
     * The kernel holds the view and the position, except what is refused.
     *
     * @param commands elements, chains and rules that were added or deleted; 0 where all was right
     *     already
     * @param transactions that were committed
     * @param frontends that are programmed now
     * @param refused newly or still
     */
    record Committed(
        int commands, int transactions, int frontends, List<Refused> refused, Duration took)
        implements FamilyResult {}

    /** Nothing can be said about the position; the next call compares with the kernel first. */
    record Failed(String words, Duration took) implements FamilyResult {}
  }

  /** Whether every family is committed. */
  public boolean committed() {
    return families.values().stream().allMatch(FamilyResult.Committed.class::isInstance);
  }

  /** Number of transactions in all families. */
  public int transactions() {
    return families.values().stream()
        .mapToInt(r ->
            switch (r) {
              case FamilyResult.Committed c -> c.transactions();
              case FamilyResult.Failed _ -> 0;
            })
        .sum();
  }
}
