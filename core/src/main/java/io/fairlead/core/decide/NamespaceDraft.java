package io.fairlead.core.decide;

import java.util.Map;

/**
 * A namespace as a user sent it: nothing is checked. Texts that are absent are "".
 *
 * @param resourceVersion "" = whatever is there
 * @param uid "" = whatever is there
 */
public record NamespaceDraft(
    String name,
    Map<String, String> labels,
    Map<String, String> annotations,
    String resourceVersion,
    String uid) {
  public NamespaceDraft {
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
  }
}
