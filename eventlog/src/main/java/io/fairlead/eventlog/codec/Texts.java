package io.fairlead.eventlog.codec;

import io.fairlead.core.model.SortedTexts;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * One copy of each text that stands in very many objects: namespaces, nodes, labels, images. An
 * image takes much less memory by it, and texts that are one are compared at once. Forgets
 * everything when it is full. Of one thread.
 */
final class Texts {
  private static final int MOST = 50_000;

  /** Longer ones, such as what somebody put into an annotation, hardly ever come twice. */
  private static final int LONGEST = 64;

  private final int most;
  private final Map<String, String> known = new HashMap<>();

  private Texts(int most) {
    this.most = most;
  }

  static Texts remembering() {
    return new Texts(MOST);
  }

  /** For single objects. */
  static Texts forgetting() {
    return new Texts(0);
  }

  String one(String text) {
    if (most == 0 || text.length() > LONGEST) {
      return text;
    }
    var before = known.putIfAbsent(text, text);
    if (before != null) {
      return before;
    }
    if (known.size() > most) {
      known.clear();
    }
    return text;
  }

  /** Empty text is none. */
  Optional<String> optional(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(one(text));
  }

  SortedTexts all(Map<String, String> texts) {
    if (texts.isEmpty() || most == 0) {
      return SortedTexts.copyOf(texts);
    }
    var ones = new TreeMap<String, String>();
    texts.forEach((key, value) -> ones.put(one(key), one(value)));
    return SortedTexts.copyOf(ones);
  }
}
