package io.fairlead.cli;

import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetPodRequest;
import java.util.Set;
import java.util.stream.Collectors;

/** A Pod and a container of it, as {@code logs} and {@code exec} are told of them. */
final class PodArgument {
  private static final Set<String> KINDS = Set.of("pod", "pods", "po");

  private PodArgument() {}

  /**
   * The name that {@code web} or {@code pod/web} means.
   *
   * @throws CliException it is of another kind
   */
  static String name(String argument) {
    var slash = argument.indexOf('/');
    if (slash < 0) {
      return argument;
    }
    var kind = argument.substring(0, slash);
    if (!KINDS.contains(kind)) {
      throw new CliException("error: only pods have processes, not " + kind);
    }
    return argument.substring(slash + 1);
  }

  /**
   * The container that was asked for, else the first one, as kubectl; says so where there are
   * several.
   *
   * @param asked "" where none was
   */
  static String container(Fairlead fairlead, String pod, String asked) {
    if (!asked.isEmpty()) {
      return asked;
    }
    try (var session = fairlead.session()) {
      var request =
          GetPodRequest.newBuilder()
              .setNamespace(fairlead.namespace())
              .setName(pod)
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
