package io.fairlead.api;

import java.util.Collection;
import java.util.Optional;

/** Finds what somebody probably meant. */
public final class Nearest {
  private Nearest() {}

  /**
   * The candidate with the smallest edit distance, if it is at most a third of the word's length
   * (but at least 2).
   */
  public static Optional<String> to(String word, Collection<String> candidates) {
    return within(Math.max(2, word.length() / 3), word, candidates);
  }

  /** The candidate with the smallest edit distance, if it is at most that. */
  public static Optional<String> within(
      int distanceLimit, String word, Collection<String> candidates) {
    Optional<String> best = Optional.empty();
    int bestDistance = distanceLimit + 1;
    for (var candidate : candidates) {
      int distance = distance(word, candidate);
      if (distance < bestDistance) {
        bestDistance = distance;
        best = Optional.of(candidate);
      }
    }
    return best;
  }

  /** Levenshtein's distance, two neighbouring letters that changed places counting as one edit. */
  private static int distance(String a, String b) {
    var beforePrevious = new int[b.length() + 1];
    var previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      var current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        current[j] = Math.min(previous[j - 1] + change, 1 + Math.min(previous[j], current[j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          current[j] = Math.min(current[j], beforePrevious[j - 2] + 1);
        }
      }
      beforePrevious = previous;
      previous = current;
    }
    return previous[b.length()];
  }
}
