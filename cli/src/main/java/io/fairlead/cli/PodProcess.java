package io.fairlead.cli;

import io.fairlead.runtime.GrpcChannels;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetPodRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The container that {@code logs} and {@code exec} are told of, and the way to it. */
final class PodProcess {
  private static final Set<String> KINDS = Set.of("pod", "pods", "po");

  @Parameters(index = "0", paramLabel = "POD", description = "POD or pod/POD")
  private String pod;

  @Option(
      names = {"-c", "--container"},
      paramLabel = "name",
      defaultValue = "",
      description = "Container (default: the pod's first).")
  private String container;

  /** A container of a Pod. */
  record Target(String namespace, String pod, String container) {}

  /** What is done with a connection to where it runs. */
  interface Use<R> {
    R with(ManagedChannel channel, Target target) throws Exception;
  }

  /**
   * Looks for the container and connects.
   *
   * @param verb of the command, for {@code docker compose}
   * @throws CliException not a Pod; its processes are not reached through Fairlead
   * @throws CallFailedException there is no such Pod, nobody answers, or what the use throws
   */
  <R> R connect(Fairlead fairlead, String verb, Use<R> use) throws Exception {
    var name = name();
    var addresses = fairlead.podRuntime(verb);
    var target = new Target(fairlead.namespace(), name, container(fairlead, name));
    var channel = GrpcChannels.of(addresses, GrpcChannels.Spread.FIRST);
    try {
      return use.with(channel, target);
    } catch (StatusRuntimeException e) {
      throw new CallFailedException(addresses, e);
    } finally {
      GrpcChannels.close(channel, Duration.ZERO);
    }
  }

  /** The name that {@code web} or {@code pod/web} means. */
  private String name() {
    var slash = pod.indexOf('/');
    if (slash < 0) {
      return pod;
    }
    var kind = pod.substring(0, slash);
    if (!KINDS.contains(kind)) {
      throw new UsageException("error: only pods have processes, not " + kind);
    }
    return pod.substring(slash + 1);
  }

  /**
   * The container that was asked for, else the first one, as kubectl; says so where there are
   * several.
   */
  private String container(Fairlead fairlead, String name) {
    if (!container.isEmpty()) {
      return container;
    }
    try (var session = fairlead.session()) {
      var request =
          GetPodRequest.newBuilder()
              .setNamespace(fairlead.namespace())
              .setName(name)
              .setFreshness(Freshness.LATEST)
              .build();
      var containers =
          session.pods(stub -> stub.get(request)).getPod().getSpec().getContainersList();
      var first = containers.getFirst().getName();
      if (containers.size() > 1) {
        fairlead
            .console()
            .err()
            .println(
                "Defaulted container \"%s\" out of: %s"
                    .formatted(
                        first,
                        containers.stream()
                            .map(c -> c.getName())
                            .collect(Collectors.joining(", "))));
      }
      return first;
    }
  }
}
