package io.fairlead.core.model;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A Pod: what its source says of it. Whether it is ready is a fact of its own, {@link
 * PodReadiness}.
 *
 * @param source who reports it, e.g. {@code manifests/node-a}; a source reconciles only its own
 *     Pods
 */
public record Pod(ObjectMeta meta, Spec spec, Status status, String source)
    implements DomainObject {
  @Override
  public ObjectKey key() {
    return ObjectKey.of(Kind.POD, meta.objectName());
  }

  @Override
  public UUID uid() {
    return meta.uid();
  }

  public ObjectName name() {
    return meta.objectName();
  }

  /**
   * What was asked for.
   *
   * @param nodeName empty = not placed yet
   * @param hostname and subdomain: DNS names below a headless Service
   */
  public record Spec(
      Optional<String> nodeName,
      boolean hostNetwork,
      Optional<String> hostname,
      Optional<String> subdomain,
      List<Container> containers) {
    public Spec {
      containers = List.copyOf(containers);
    }
  }

  /**
   * What its source saw.
   *
   * @param ips at most one of each family, primary first
   * @param reason why it is in that phase; "" where there is nothing to say
   * @param deleting when it will be gone for good at the latest, where its deletion was asked for
   *     (Kubernetes' {@code deletionTimestamp}); such a Pod is terminating
   */
  public record Status(Phase phase, List<Address> ips, String reason, Optional<Instant> deleting) {
    public Status {
      ips = List.copyOf(ips);
    }
  }

  public enum Phase {
    PENDING("Pending"),
    RUNNING("Running"),
    SUCCEEDED("Succeeded"),
    FAILED("Failed");

    private final String text;

    Phase(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  public record Container(
      String name,
      String image,
      List<String> command,
      List<String> args,
      SortedMap<String, String> env,
      List<ContainerPort> ports,
      Optional<Probe> readinessProbe) {
    public Container {
      command = List.copyOf(command);
      args = List.copyOf(args);
      env = ObjectMeta.sorted(env);
      ports = List.copyOf(ports);
    }
  }

  /**
   * A port that a container declares.
   *
   * @param name "" where it has none
   */
  public record ContainerPort(String name, Protocol protocol, int containerPort) {}

  /** A readiness probe, defaults applied; thresholds are counts of results in a row, at least 1. */
  public record Probe(
      Action action,
      Duration initialDelay,
      Duration period,
      Duration timeout,
      int successThreshold,
      int failureThreshold) {}

  /** What a probe does. A host that is absent is the Pod's own address. */
  public sealed interface Action {}

  public record HttpGet(
      Scheme scheme,
      Optional<String> host,
      PortRef port,
      String path,
      SortedMap<String, String> headers)
      implements Action {
    public HttpGet {
      headers = ObjectMeta.sorted(headers);
    }
  }

  public enum Scheme {
    HTTP,
    HTTPS
  }

  public record TcpSocket(Optional<String> host, PortRef port) implements Action {}

  public Optional<Address> ip(Family family) {
    return status.ips().stream().filter(a -> a.family() == family).findFirst();
  }

  public boolean hasReadinessProbe() {
    return spec.containers().stream().anyMatch(c -> c.readinessProbe().isPresent());
  }

  /** All container ports, in the order of the manifest. */
  public Stream<ContainerPort> ports() {
    return spec.containers().stream().flatMap(c -> c.ports().stream());
  }
}
