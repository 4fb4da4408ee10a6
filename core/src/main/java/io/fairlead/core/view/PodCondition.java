package io.fairlead.core.view;

import io.fairlead.core.image.PodClaims;
import io.fairlead.core.image.PodsImage;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Whether a Pod is ready: the join of what its source says of it and what its probes said. Made
 * anew from both whenever somebody asks, so that it does not matter which record arrived first.
 *
 * @param reason for people
 * @param since when the reporter saw it change; empty where nobody reported
 * @param containersReady all but the readiness gates says so
 * @param reported what is on record of exactly this Pod
 * @param taken what it claims and an older Pod of its node has; such a Pod is no endpoint
 */
public record PodCondition(
    boolean ready,
    String reason,
    Optional<Instant> since,
    boolean containersReady,
    Optional<PodReadiness> reported,
    Optional<PodClaims.Taken> taken) {
  /** Of one that has what it claims. */
  public PodCondition(
      boolean ready,
      String reason,
      Optional<Instant> since,
      boolean containersReady,
      Optional<PodReadiness> reported) {
    this(ready, reason, since, containersReady, reported, Optional.empty());
  }

  /** Of which nothing was reported. */
  public PodCondition(boolean ready, String reason, Optional<Instant> since) {
    this(ready, reason, since, ready, Optional.empty());
  }

  /** Of a Pod as this image knows it. */
  public static PodCondition of(PodsImage pods, Pod pod) {
    var alone = of(pod, pods.readiness(pod));
    return PodClaims.taken(pods, pod)
        .map(taken ->
            new PodCondition(
                false,
                "refused: " + taken + ", which is older",
                Optional.empty(),
                alone.containersReady(),
                alone.reported(),
                Optional.of(taken)))
        .orElse(alone);
  }

  /**
   * With a probe, the report about exactly this Pod, and about the runs of its containers that go
   * on now, decides; without one it is unready. Without a probe, a running Pod with an address is
   * ready unless a report says otherwise (its node is lost, or its source knows better). Then all
   * conditions that its readiness gates name must be True (KEP-580).
   *
   * @param reported reports about an earlier Pod of the name are ignored
   */
  public static PodCondition of(Pod pod, Optional<PodReadiness> reported) {
    var about = reported.filter(r -> r.podUid().equals(pod.uid()));
    var since = about.map(PodReadiness::since);
    if (isFinished(pod)) {
      return new PodCondition(false, pod.status().phase().text(), since, false, about);
    }
    var containers = ofContainers(pod, about);
    if (!containers.ready() || pod.spec().readinessGates().isEmpty()) {
      return new PodCondition(
          containers.ready(), containers.reason(), since, containers.ready(), about);
    }
    var unmet =
        pod.spec().readinessGates().stream().filter(gate -> !pod.status().isTrue(gate)).toList();
    return unmet.isEmpty()
        ? new PodCondition(true, containers.reason(), since, true, about)
        : new PodCondition(
            false,
            "conditions of readiness gates are not True: " + String.join(", ", unmet),
            since,
            true,
            about);
  }

  private record Found(boolean ready, String reason) {}

  private static Found ofContainers(Pod pod, Optional<PodReadiness> about) {
    var down = down(pod);
    if (!down.isEmpty()) { // whatever a probe said before
      return new Found(false, "containers do not run: " + String.join(", ", down));
    }
    boolean probed = pod.isProbed();
    if (about.isPresent() && (probed || !about.get().ready())) {
      return about.get().ready() && !isOfTheseRuns(pod, about.get())
          ? new Found(false, "started again, not probed since")
          : new Found(about.get().ready(), about.get().reason());
    }
    if (probed) {
      return new Found(false, "not probed yet");
    }
    if (pod.status().phase() != Pod.Phase.RUNNING) {
      return new Found(false, pod.status().phase().text());
    }
    return pod.status().ips().isEmpty()
        ? new Found(false, "no address")
        : new Found(true, "running");
  }

  /** Those that ought to run now, and do not. */
  private static List<String> down(Pod pod) {
    if (pod.status().containers().isEmpty()) {
      return List.of();
    }
    var passing =
        pod.spec().initContainers().stream()
            .filter(container -> !container.isSidecar())
            .map(Pod.Container::name)
            .collect(Collectors.toSet());
    return pod.status().containers().stream()
        .filter(status -> !(status.state() instanceof ContainerStatus.Running))
        .map(ContainerStatus::name)
        .filter(name -> !passing.contains(name))
        .toList();
  }

  /** Whether it was said of the runs that go on now; a reporter that knows of none means these. */
  private static boolean isOfTheseRuns(Pod pod, PodReadiness about) {
    return about.runs().isEmpty() || about.runs().equals(pod.runs());
  }

  /** Whether it ended for good: such a Pod is no endpoint, whatever a Service publishes. */
  static boolean isFinished(Pod pod) {
    return switch (pod.status().phase()) {
      case SUCCEEDED, FAILED -> true;
      case PENDING, RUNNING -> false;
    };
  }
}
