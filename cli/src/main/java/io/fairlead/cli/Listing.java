package io.fairlead.cli;

import io.fairlead.api.Reason;
import io.fairlead.v1.Freshness;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Which objects are listed, and how.
 *
 * @param namespace "" = all of them
 * @param selector by labels; "" = all
 * @param fieldSelector "" = all
 * @param chunk how many are asked for at once; 0 = all
 */
record Listing(
    String namespace, String selector, String fieldSelector, int chunk, Freshness freshness) {
  /** As kubectl has it. */
  static final int CHUNK = 500;

  private static final int TRIES = 5;

  static Listing of(String namespace, String selector, Freshness freshness) {
    return new Listing(namespace, selector, "", CHUNK, freshness);
  }

  /** One page of it, and what asks for the next; "" = there is none. */
  record Page<T>(List<T> items, String next) {}

  /** What is asked for with one call. */
  record Part(int limit, String next) {}

  /**
   * All pages, of one moment; of a later one where so much happens that the moment is forgotten
   * between two of them.
   */
  <T> List<T> all(Function<Part, Page<T>> call) {
    for (int left = TRIES - 1; ; left--) {
      try {
        return pages(call);
      } catch (CallFailedException e) {
        if (left == 0 || !e.reason().equals(Optional.of(Reason.POSITION_TOO_OLD))) {
          throw e;
        }
      }
    }
  }

  private <T> List<T> pages(Function<Part, Page<T>> call) {
    var items = new ArrayList<T>();
    var next = "";
    do {
      var page = call.apply(new Part(chunk, next));
      items.addAll(page.items());
      next = page.next();
    } while (!next.isEmpty());
    return items;
  }

  /** For kinds whose fields cannot be selected by. */
  void refuseFields(String plural) {
    if (!fieldSelector.isEmpty()) {
      throw refused(plural);
    }
  }

  static CliException refused(String plural) {
    return new UsageException(
        "error: --field-selector is for services, namespaces and servicecidrs, not for " + plural);
  }
}
