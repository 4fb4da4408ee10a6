package io.fairlead.core.decide;

import java.util.List;
import java.util.Map;

/**
 * A Node as its agent says hello; nothing is checked.
 *
 * @param zone "" = none
 * @param addresses of the node itself, primary first
 * @param podCidrs what its Pods' addresses come from; may be empty
 * @param instance which process the agent is; "" = it does not say
 * @param previousSession the last session of that process; 0 = none
 * @param sources of Pods that it has; empty = it does not say
 */
public record NodeDraft(
    String name,
    Map<String, String> labels,
    Map<String, String> annotations,
    String zone,
    List<String> addresses,
    List<String> podCidrs,
    String agentVersion,
    String instance,
    long previousSession,
    List<String> sources) {
  public NodeDraft {
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
    addresses = List.copyOf(addresses);
    podCidrs = List.copyOf(podCidrs);
    sources = List.copyOf(sources);
  }
}
