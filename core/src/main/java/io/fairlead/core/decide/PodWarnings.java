package io.fairlead.core.decide;

import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What is probably not as it was meant in a Pod that is taken all the same, as Kubernetes does. */
public final class PodWarnings {
  private PodWarnings() {}

  /** In words, with the field before them; may be empty. */
  public static List<String> of(Pod.Spec spec) {
    var warnings = new ArrayList<String>();
    warn("spec.containers", spec.containers(), warnings);
    warn("spec.initContainers", spec.initContainers(), warnings);
    return List.copyOf(warnings);
  }

  private static void warn(String field, List<Pod.Container> containers, List<String> warnings) {
    for (int i = 0; i < containers.size(); i++) {
      var container = containers.get(i);
      var at = field + "[" + i + "].";
      container
          .readinessProbe()
          .flatMap(probe -> noPort(container, probe.action()))
          .ifPresent(words -> warnings.add(at + "readinessProbe." + words));
      container
          .startupProbe()
          .flatMap(probe -> noPort(container, probe.action()))
          .ifPresent(words -> warnings.add(at + "startupProbe." + words));
    }
  }

  private static Optional<String> noPort(Pod.Container container, Pod.Action action) {
    return switch (action) {
      case Pod.HttpGet get -> noPort(container, get.port()).map(words -> "httpGet.port: " + words);
      case Pod.TcpSocket tcp ->
          noPort(container, tcp.port()).map(words -> "tcpSocket.port: " + words);
      case Pod.Exec _, Pod.Grpc _ -> Optional.empty();
    };
  }

  /**
   * Why a probe of that port cannot but fail; empty where it names no port, or one that the
   * container has.
   */
  public static Optional<String> noPort(Pod.Container container, PortRef port) {
    if (!(port instanceof PortRef.Name(var name))
        || container.ports().stream().anyMatch(p -> p.name().equals(name))) {
      return Optional.empty();
    }
    var names =
        container.ports().stream()
            .map(Pod.ContainerPort::name)
            .filter(other -> !other.isEmpty())
            .map(Violations::quoted)
            .collect(Collectors.joining(", "));
    return Optional.of(
        "\"%s\" is no port of container %s, so the probe fails: %s"
            .formatted(
                name,
                container.name(),
                names.isEmpty() ? "none of its ports has a name" : "its ports are " + names));
  }
}
