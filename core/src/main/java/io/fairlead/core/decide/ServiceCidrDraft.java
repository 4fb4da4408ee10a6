package io.fairlead.core.decide;

import java.util.List;
import java.util.Map;

/**
 * A ServiceCIDR as a user sent it: nothing is checked. Texts that are absent are "".
 *
 * @param resourceVersion "" = whatever is there
 * @param uid "" = whatever is there
 */
public record ServiceCidrDraft(
    String name,
    Map<String, String> labels,
    Map<String, String> annotations,
    List<String> cidrs,
    String resourceVersion,
    String uid) {
  public ServiceCidrDraft {
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
    cidrs = List.copyOf(cidrs);
  }
}
