package io.fairlead.core.model;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
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
   * @param initContainers start before the others, one after another; one with restart policy
   *     Always is a sidecar, which goes on beside them
   * @param readinessGates types of conditions that must be True besides, before it is ready
   * @param enableServiceLinks whether its containers find the variables of the Services of its
   *     namespace
   */
  public record Spec(
      Optional<String> nodeName,
      boolean hostNetwork,
      Optional<String> hostname,
      Optional<String> subdomain,
      List<Container> containers,
      RestartPolicy restartPolicy,
      Duration terminationGrace,
      List<Container> initContainers,
      List<String> readinessGates,
      boolean enableServiceLinks) {
    /** Kubernetes' default. */
    public static final Duration DEFAULT_GRACE = Duration.ofSeconds(30);

    public Spec {
      containers = List.copyOf(containers);
      initContainers = List.copyOf(initContainers);
      readinessGates = List.copyOf(readinessGates);
    }

    /** The same on that node, or on none. */
    public Spec on(Optional<String> node) {
      return new Spec(
          node,
          hostNetwork,
          hostname,
          subdomain,
          containers,
          restartPolicy,
          terminationGrace,
          initContainers,
          readinessGates,
          enableServiceLinks);
    }

    /** All of its containers that go on running: its own, then its sidecars. */
    public List<Container> lasting() {
      return initContainers.isEmpty() // nearly always, and it is asked for each endpoint
          ? containers
          : Stream.concat(containers.stream(), initContainers.stream().filter(Container::isSidecar))
              .toList();
    }

    /** Without init containers and gates, with links. */
    public Spec(
        Optional<String> nodeName,
        boolean hostNetwork,
        Optional<String> hostname,
        Optional<String> subdomain,
        List<Container> containers,
        RestartPolicy restartPolicy,
        Duration terminationGrace) {
      this(
          nodeName,
          hostNetwork,
          hostname,
          subdomain,
          containers,
          restartPolicy,
          terminationGrace,
          List.of(),
          List.of(),
          true);
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
   * @param containers in the order of the spec, init containers first, as whatever runs the Pod
   *     told; empty where nothing runs it that tells
   * @param deleting when it will be gone for good at the latest, where its deletion was asked for
   *     (Kubernetes' {@code deletionTimestamp}); such a Pod is terminating
   * @param conditions what others say of it, by type, each type once; not those that follow from
   *     other facts, such as Ready
   */
  public record Status(
      Phase phase,
      List<Address> ips,
      String reason,
      String message,
      List<ContainerStatus> containers,
      Optional<Instant> deleting,
      List<Condition> conditions) {
    public Status {
      ips = List.copyOf(ips);
      containers = List.copyOf(containers);
      conditions = List.copyOf(conditions);
    }

    /** Of which nobody says more. */
    public Status(
        Phase phase,
        List<Address> ips,
        String reason,
        String message,
        List<ContainerStatus> containers,
        Optional<Instant> deleting) {
      this(phase, ips, reason, message, containers, deleting, List.of());
    }

    /** Of a Pod that nothing runs that tells. */
    public Status(Phase phase, List<Address> ips, String reason, Optional<Instant> deleting) {
      this(phase, ips, reason, "", List.of(), deleting);
    }

    /** The same, going away by then. */
    public Status deletedBy(Instant deadline) {
      return new Status(phase, ips, reason, message, containers, Optional.of(deadline), conditions);
    }

    /** The same with these conditions in the place of all. */
    public Status with(List<Condition> others) {
      return new Status(phase, ips, reason, message, containers, deleting, others);
    }

    /** Whether that condition is known to be met. */
    public boolean isTrue(String type) {
      return conditions.stream()
          .anyMatch(c -> c.type().equals(type) && c.state() == Condition.State.TRUE);
    }
  }

  /**
   * What somebody says of a Pod, as in Kubernetes' {@code status.conditions[]}.
   *
   * @param reason one word, and {@code message} more of them; "" where there is nothing to say
   * @param since when {@code state} last changed
   */
  public record Condition(String type, State state, String reason, String message, Instant since) {
    /** Whether it is met. */
    public enum State {
      TRUE("True"),
      FALSE("False"),
      UNKNOWN("Unknown");

      private final String text;

      State(String text) {
        this.text = text;
      }

      public String text() {
        return text;
      }
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
   * @param startupProbe must succeed once before the container counts as started and the readiness
   *     probe begins
   * @param restartPolicy of an init container only: Always makes it a sidecar
   */
  public record Container(
      String name,
      String image,
      List<String> command,
      List<String> args,
      SortedMap<String, String> env,
      List<ContainerPort> ports,
      Optional<Probe> readinessProbe,
      Optional<String> workingDir,
      Optional<Probe> startupProbe,
      Optional<RestartPolicy> restartPolicy) {
    public Container {
      command = List.copyOf(command);
      args = List.copyOf(args);
      env = SortedTexts.copyOf(env);
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

    /** Without a startup probe. */
    public Container(
        String name,
        String image,
        List<String> command,
        List<String> args,
        SortedMap<String, String> env,
        List<ContainerPort> ports,
        Optional<Probe> readinessProbe,
        Optional<String> workingDir) {
      this(
          name,
          image,
          command,
          args,
          env,
          ports,
          readinessProbe,
          workingDir,
          Optional.empty(),
          Optional.empty());
    }

    /** Whether it goes on beside the others, although it stands among the init containers. */
    public boolean isSidecar() {
      return restartPolicy.isPresent() && restartPolicy.get() == RestartPolicy.ALWAYS;
    }

    /** Whether anything has to be asked before it is ready. */
    public boolean isProbed() {
      return readinessProbe.isPresent() || startupProbe.isPresent();
    }
  }

  /**
   * A port that a container declares.
   *
   * @param name "" where it has none
   */
  public record ContainerPort(String name, Protocol protocol, int containerPort) {}

  /**
   * A readiness or startup probe, defaults applied; thresholds are counts of results in a row, at
   * least 1.
   */
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
      Scheme scheme, Optional<String> host, PortRef port, String path, List<HttpHeader> headers)
      implements Action {
    public HttpGet {
      headers = List.copyOf(headers);
    }
  }

  /** As sent, in the order given; a name may occur more than once. */
  public record HttpHeader(String name, String value) {}

  public enum Scheme {
    HTTP,
    HTTPS
  }

  public record TcpSocket(Optional<String> host, PortRef port) implements Action {}

  /**
   * A program; exit code 0 = success.
   *
   * @param command with the program first, never empty; no shell reads it
   */
  public record Exec(List<String> command) implements Action {
    public Exec {
      command = List.copyOf(command);
    }
  }

  /**
   * The health protocol of gRPC, grpc.health.v1.
   *
   * @param service that is asked about; "" = the server as a whole
   */
  public record Grpc(int port, String service) implements Action {}

  public Optional<Address> ip(Family family) {
    return status.ips().stream().filter(a -> a.family() == family).findFirst();
  }

  /** Whether something runs it, which ends its processes before it is removed. */
  public boolean isRun() {
    return !status.containers().isEmpty() && !status.phase().isFinal();
  }

  /**
   * Whether a source of its node reports it, which is named after the node, as {@code
   * manifests/node-a}. One with a lease ends by itself.
   */
  public boolean isOfSourceOfItsNode() {
    return spec.nodeName().filter(node -> source.endsWith("/" + node)).isPresent()
        && PodLease.of(meta.annotations()).isEmpty();
  }

  /** Whether it ends with its node: a source of the node reports it, or something there runs it. */
  public boolean goesWithItsNode() {
    return isOfSourceOfItsNode() || (spec.nodeName().isPresent() && !status.containers().isEmpty());
  }

  /** Whether anything has to be asked before it is ready. */
  public boolean isProbed() {
    for (var container : spec.lasting()) { // no stream: it is asked for each endpoint
      if (container.isProbed()) {
        return true;
      }
    }
    return false;
  }

  /** All ports of containers that go on running, in the order of {@link Spec#lasting}. */
  public Stream<ContainerPort> ports() {
    return spec.lasting().stream().flatMap(c -> c.ports().stream());
  }

  /**
   * When the run of each probed container that runs now began, by name, as whatever runs the Pod
   * told; empty where nobody did. What was found of an earlier run says nothing of this one.
   */
  public SortedMap<String, Instant> runs() {
    var probed =
        spec.lasting().stream()
            .filter(Container::isProbed)
            .map(Container::name)
            .collect(Collectors.toSet());
    var runs = new TreeMap<String, Instant>();
    for (var container : status.containers()) {
      if (probed.contains(container.name())
          && container.state() instanceof ContainerStatus.Running(var started)) {
        runs.put(container.name(), started);
      }
    }
    return runs;
  }
}
