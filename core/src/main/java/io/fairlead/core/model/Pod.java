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
   * @param restartPolicy of its containers, where processes are run for it
   * @param terminationGrace between SIGTERM and SIGKILL, not negative, whole seconds
   */
  public record Spec(
      Optional<String> nodeName,
      boolean hostNetwork,
      Optional<String> hostname,
      Optional<String> subdomain,
      List<Container> containers,
      RestartPolicy restartPolicy,
      Duration terminationGrace) {
    /** Kubernetes' default. */
    public static final Duration DEFAULT_GRACE = Duration.ofSeconds(30);

    public Spec {
      containers = List.copyOf(containers);
    }

    /** The same on that node, or on none. */
    public Spec on(Optional<String> node) {
      return new Spec(
          node, hostNetwork, hostname, subdomain, containers, restartPolicy, terminationGrace);
    }

    /** With Kubernetes' defaults. */
    public Spec(
        Optional<String> nodeName,
        boolean hostNetwork,
        Optional<String> hostname,
        Optional<String> subdomain,
        List<Container> containers) {
      this(
          nodeName,
          hostNetwork,
          hostname,
          subdomain,
          containers,
          RestartPolicy.ALWAYS,
          DEFAULT_GRACE);
    }
  }

  /** Which ends of a container lead to its being started again. */
  public enum RestartPolicy {
    ALWAYS("Always"),
    ON_FAILURE("OnFailure"),
    NEVER("Never");

    private final String text;

    RestartPolicy(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /**
   * What its source saw.
   *
   * @param ips at most one of each family, primary first
   * @param reason why it is in that phase; "" where there is nothing to say
   * @param message the same for people, in more words; "" where there is nothing to say
   * @param containers in the order of the spec, as whatever runs the Pod told; empty where nothing
   *     runs it that tells
   * @param deleting when it will be gone for good at the latest, where its deletion was asked for
   *     (Kubernetes' {@code deletionTimestamp}); such a Pod is terminating
   */
  public record Status(
      Phase phase,
      List<Address> ips,
      String reason,
      String message,
      List<ContainerStatus> containers,
      Optional<Instant> deleting) {
    public Status {
      ips = List.copyOf(ips);
      containers = List.copyOf(containers);
    }

    /** Of a Pod that nothing runs that tells. */
    public Status(Phase phase, List<Address> ips, String reason, Optional<Instant> deleting) {
      this(phase, ips, reason, "", List.of(), deleting);
    }

    /** The same, going away by then. */
    public Status deletedBy(Instant deadline) {
      return new Status(phase, ips, reason, message, containers, Optional.of(deadline));
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

    /** Whether nothing follows it. */
    public boolean isFinal() {
      return this == SUCCEEDED || this == FAILED;
    }
  }

  /**
   * A container.
   *
   * @param workingDir where its program starts; empty: /
   */
  public record Container(
      String name,
      String image,
      List<String> command,
      List<String> args,
      SortedMap<String, String> env,
      List<ContainerPort> ports,
      Optional<Probe> readinessProbe,
      Optional<String> workingDir) {
    public Container {
      command = List.copyOf(command);
      args = List.copyOf(args);
      env = ObjectMeta.sorted(env);
      ports = List.copyOf(ports);
    }

    /** Without a working directory. */
    public Container(
        String name,
        String image,
        List<String> command,
        List<String> args,
        SortedMap<String, String> env,
        List<ContainerPort> ports,
        Optional<Probe> readinessProbe) {
      this(name, image, command, args, env, ports, readinessProbe, Optional.empty());
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

  /** Whether something runs it, which ends its processes before it is removed. */
  public boolean isRun() {
    return !status.containers().isEmpty() && !status.phase().isFinal();
  }

  public boolean hasReadinessProbe() {
    return spec.containers().stream().anyMatch(c -> c.readinessProbe().isPresent());
  }

  /** All container ports, in the order of the manifest. */
  public Stream<ContainerPort> ports() {
    return spec.containers().stream().flatMap(c -> c.ports().stream());
  }
}
