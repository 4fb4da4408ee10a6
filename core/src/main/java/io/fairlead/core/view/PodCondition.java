package io.fairlead.core.view;

import io.fairlead.core.image.PodsImage;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import java.time.Instant;
import java.util.Optional;

/**
 * Whether a Pod is ready: the join of what its source says of it and what its probes said. Made
 * anew from both whenever somebody asks, so that it does not matter which record arrived first.
 *
 * @param reason for people
 * @param since when the reporter saw it change; empty where nobody reported
 */
public record PodCondition(boolean ready, String reason, Optional<Instant> since) {
  /** Of a Pod as this image knows it. */
  public static PodCondition of(PodsImage pods, Pod pod) {
    return of(pod, pods.readiness(pod));
  }

  /**
   * With a readiness probe, the report about exactly this Pod decides and without one it is
   * unready. Without a probe, a running Pod with an address is ready unless a report says otherwise
   * (its node is lost, or its source knows better).
   *
   * @param reported reports about an earlier Pod of the name are ignored
   */
  public static PodCondition of(Pod pod, Optional<PodReadiness> reported) {
    var about = reported.filter(r -> r.podUid().equals(pod.uid()));
    var since = about.map(PodReadiness::since);
    if (isFinished(pod)) {
      return new PodCondition(false, pod.status().phase().text(), since);
    }
    var down =
        pod.status().containers().stream()
            .filter(container -> !(container.state() instanceof ContainerStatus.Running))
            .map(ContainerStatus::name)
            .toList();
    if (!down.isEmpty()) { // whatever a probe said before
      return new PodCondition(false, "containers do not run: " + String.join(", ", down), since);
    }
    if (about.isPresent() && (pod.hasReadinessProbe() || !about.get().ready())) {
      return new PodCondition(about.get().ready(), about.get().reason(), since);
    }
    if (pod.hasReadinessProbe()) {
      return new PodCondition(false, "not probed yet", since);
    }
    if (pod.status().phase() != Pod.Phase.RUNNING) {
      return new PodCondition(false, pod.status().phase().text(), since);
    }
    return pod.status().ips().isEmpty()
        ? new PodCondition(false, "no address", since)
        : new PodCondition(true, "running", since);
  }

  /** Whether it ended for good: such a Pod is no endpoint, whatever a Service publishes. */
  static boolean isFinished(Pod pod) {
    return switch (pod.status().phase()) {
      case SUCCEEDED, FAILED -> true;
      case PENDING, RUNNING -> false;
    };
  }
}
