package io.fairlead.standalone.pods.run;

import io.fairlead.core.model.Pod;
import java.util.List;

/**
 * A Pod as the API tells of it.
 *
 * @param told of its containers, by whoever runs it; empty where nobody did
 */
public record KnownPod(Pod pod, List<ContainerReport> told) {
  public KnownPod {
    told = List.copyOf(told);
  }
}
