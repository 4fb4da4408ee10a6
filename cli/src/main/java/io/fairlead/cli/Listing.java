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

  static Listing of(String namespace, String selector, Freshness freshness) {
    return new Listing(namespace, selector, "", CHUNK, freshness);
  }

  /** One page of it, and what asks for the next; "" = there is none. */
  record Page<T>(List<T> items, String next) {}

  /** What is asked for with one call. */
  record Part(int limit, String next) {}

  /**
   * All pages, of one moment. Where so much happens that the moment is forgotten between two of
   * them, once more in one go.
   */
  <T> List<T> all(Function<Part, Page<T>> call) {
    try {
      return all(call, chunk);
    } catch (CallFailedException e) {
      if (chunk > 0 && e.reason().equals(Optional.of(Reason.POSITION_TOO_OLD))) {
        return all(call, 0);
      }
      throw e;
    }
  }

  private static <T> List<T> all(Function<Part, Page<T>> call, int limit) {
    var items = new ArrayList<T>();
    var next = "";
    do {
      var page = call.apply(new Part(limit, next));
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
    return new CliException(
        "error: --field-selector is for services, namespaces and servicecidrs, not for " + plural);
  }
}
