package io.fairlead.testbed.story;

import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.view.PodCondition;
import io.fairlead.runtime.FaultPointDirectory;
import io.fairlead.testbed.check.Invariants;
import io.fairlead.testbed.check.NamespaceClient;
import io.fairlead.testbed.cluster.Api;
import io.fairlead.testbed.cluster.Cluster;
import io.fairlead.testbed.cluster.ClusterSpec;
import io.fairlead.testbed.cluster.Part;
import io.fairlead.testbed.fault.FaultPointControl;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.xbill.DNS.Type;

/**
 * A cluster of four nodes and two replicas in which all happens that endpoints-service and agents
 * have to do with, while they die at points of their way and are started again. Needs root. One
 * thread at a time.
 */
public final class NodeStory implements AutoCloseable {
  public static final List<String> NODES = List.of("node-a", "node-b", "node-c", "node-d");

  /** Pods without probes, which serve UDP. */
  static final String OTHER = "other";

  private static final Duration PATIENCE = Duration.ofSeconds(120);
  private static final Duration ANSWER = Duration.ofSeconds(2);

  /** Endpoints that make the whole state more than one message, and no rules. */
  private static final int WIDE = 1000;

  private static final int WIDE_SLICES = 4;

  private static final Set<FaultPoint> OF_STREAMS =
      EnumSet.of(
          FaultPoint.SESSION_OPENING,
          FaultPoint.SESSION_OPENED,
          FaultPoint.SESSION_LEASED,
          FaultPoint.STREAM_CAUGHT_UP,
          FaultPoint.STREAM_PART_SENT,
          FaultPoint.STREAM_FIRST_SENT,
          FaultPoint.HELLO_SENT,
          FaultPoint.STATE_TAKEN,
          FaultPoint.DISK_IMAGE,
          FaultPoint.DISK_RENAMED);

  private static final Set<FaultPoint> OF_LOSS =
      EnumSet.of(
          FaultPoint.NODE_LOSING,
          FaultPoint.NODE_LOST,
          FaultPoint.PODS_LOST,
          FaultPoint.PODS_COLLECTING,
          FaultPoint.PODS_COLLECTED);

  /** At the start of an agent that knows nobody. */
  private static final Set<FaultPoint> ON_DISK =
      EnumSet.of(FaultPoint.DISK_READ, FaultPoint.DISK_PROGRAMMED);

  private static final Set<FaultPoint> OF_ENDS =
      EnumSet.of(FaultPoint.SNAPSHOT_WRITTEN, FaultPoint.SNAPSHOT_RENAMED);
  private static final Set<FaultPoint> OF_MOVES =
      EnumSet.of(FaultPoint.MOVE_ASKED, FaultPoint.MOVE_BEGUN);

  private final Cluster cluster;
  private final Api api;
  private final Invariants invariants;
  private final FaultPointControl replicaPoints;
  private final FaultPointControl agentPoints;

  /** Those that stay dead. */
  private final Set<Part> down = new HashSet<>();

  private final Set<FaultPoint> hit = EnumSet.noneOf(FaultPoint.class);

  private NodeStory(Cluster cluster, FaultPointControl replicas, FaultPointControl agents) {
    this.cluster = cluster;
    this.api = new Api(cluster);
    this.invariants = new Invariants(cluster);
    this.replicaPoints = replicas;
    this.agentPoints = agents;
  }

  /**
   * Starts everything, and waits until all Pods serve.
   *
   * @param directory for data and logs; emptied before
   */
  public static NodeStory start(String id, Path directory) throws IOException {
    empty(directory);
    var replicas = FaultPointControl.in(directory.resolve("replica-points"));
    var agents = FaultPointControl.in(directory.resolve("agent-points"));
    var cluster =
        Cluster.start(
            ClusterSpec.of(id, directory)
                .withNodes(NODES.toArray(String[]::new))
                .withAgentOptions(agents.option())
                .withEndpointsOptions(
                    replicas.option(),
                    "--snapshot-dir=" + directory.resolve(ClusterSpec.REPLICA + "-snapshots"),
                    "--node-lease-ttl=2s",
                    "--node-lost-after=4s",
                    "--node-lost-after-close=3s",
                    "--node-pods-kept=1s",
                    "--stream-moves-after=500ms"));
    var story = new NodeStory(cluster, replicas, agents);
    try {
      story.begin();
      return story;
    } catch (RuntimeException e) {
      story.close();
      throw e;
    }
  }

  /** Deletes what is in a directory. */
  static void empty(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (var files = Files.walk(directory)) {
        for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  public Cluster cluster() {
    return cluster;
  }

  Api api() {
    return api;
  }

  /** Those that are asked for among the ones of a process. */
  private FaultPointControl control(FaultPoint point) {
    return switch (point.process()) {
      case ENDPOINTS -> replicaPoints;
      case AGENT -> agentPoints;
      case OWNER -> throw new IllegalArgumentException(point + " is not of this story");
    };
  }

  private void begin() {
    api.apply(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: web}
        spec:
          selector: {app: web}
          ports: [{name: http, port: 80, targetPort: 8080}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web-pods}
        spec:
          clusterIP: None
          selector: {app: web}
          ports: [{name: http, port: 80, targetPort: 8080}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: datagrams, namespace: other}
        spec:
          selector: {app: datagrams}
          ports: [{name: udp, port: 99, protocol: UDP}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: outside}
        spec:
          ports: [{name: http, port: 80}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: wide, annotations: {fairlead.io/load-balancing: random}}
        spec:
          ports: [{name: http, port: 80}]
        """);
    api.applySlices(wide());
    for (var node : NODES) {
      var _ = cluster.startBackend(webPod(node), node);
      put(node, webPod(node), web(node));
      extra(node, true);
    }
    awaitRest();
  }

  private static String wide() {
    var slices = new StringBuilder();
    for (int slice = 0; slice < WIDE_SLICES; slice++) {
      slices.append(
          """
          ---
          apiVersion: discovery.k8s.io/v1
          kind: EndpointSlice
          metadata: {name: wide-%d, labels: {kubernetes.io/service-name: wide}}
          addressType: IPv4
          ports: [{name: http, port: 8080}]
          endpoints:
          """
              .formatted(slice));
      for (int i = 0; i < WIDE; i++) {
        slices.append(
            "- {addresses: [172.%d.%d.%d], conditions: {ready: false, serving: false}}\n"
                .formatted(16 + slice, i / 250, 1 + i % 250));
      }
    }
    return slices.toString();
  }

  // --- what nodes have

  static String webPod(String node) {
    return "web-" + node;
  }

  private String address(String node) {
    return cluster.backend(webPod(node)).pod().address();
  }

  private String web(String node) {
    return """
    apiVersion: v1
    kind: Pod
    metadata: {name: %s, labels: {app: web}}
    spec:
      containers:
        - name: echo
          image: fairlead/echo
          ports: [{name: http, containerPort: 8080}]
          readinessProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 1
            failureThreshold: 1
    status: {podIP: %s}
    """
        .formatted(webPod(node), address(node));
  }

  /** Whether the node has a Pod without probes. */
  void extra(String node, boolean there) {
    var name = "datagrams-" + node;
    if (there) {
      put(
          node,
          name,
          """
          apiVersion: v1
          kind: Pod
          metadata: {name: %s, namespace: other, labels: {app: datagrams}}
          spec:
            containers:
              - name: echo
                image: fairlead/echo
                ports: [{name: udp, containerPort: 99, protocol: UDP}]
          status: {podIP: %s}
          """
              .formatted(name, address(node)));
    } else {
      try {
        Files.deleteIfExists(cluster.manifests(node).resolve(name + ".yaml"));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void put(String node, String name, String manifest) {
    try {
      var directory = cluster.manifests(node);
      var file = Files.writeString(directory.resolve("." + name + ".new"), manifest);
      Files.move(file, directory.resolve(name + ".yaml"), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether the node's probed Pod passes. */
  void passing(String node, boolean passes) {
    cluster.backend(webPod(node)).server().answerProbesWith(passes ? 200 : 503);
  }

  /** Nodes whose agent is not kept dead. */
  List<String> living() {
    return NODES.stream().filter(node -> !down.contains(cluster.agent(node))).toList();
  }

  // --- deaths

  /** The part ends, in good order unless it comes to a point, and is started again. */
  private void restart(Part part) {
    part.stop();
    part.launch();
  }

  /** The part dies and stays dead until {@link #up}. */
  private void down(Part part) {
    if (down.add(part)) {
      part.kill();
    }
  }

  private void up(Part part) {
    if (down.remove(part)) {
      part.launch();
    }
  }

  /** The node's agent dies, and its disk is empty when it comes again. */
  private void wipe(String node) {
    cluster.agent(node).kill();
    try {
      empty(cluster.agentData(node));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    cluster.agent(node).launch();
  }

  /** Who died is started again, as whoever supervises processes does. */
  private void tend() {
    for (var part :
        Stream.concat(cluster.endpoints().stream(), cluster.agents().values().stream()).toList()) {
      if (!part.isAlive() && !down.contains(part)) {
        int status = part.exitStatus().orElseThrow();
        if (status != FaultPointDirectory.EXIT_CODE) {
          throw new AssertionError(part + " ended with " + status + ":\n" + part.logTail(40));
        }
        part.launch();
      }
    }
  }

  /** Whether a process ever died there. */
  public boolean wasReached(FaultPoint point) {
    return hit.contains(point);
  }

  /** Whether a process died there since it was asked for. */
  private boolean reached(FaultPoint point) {
    return control(point).reached(point);
  }

  /**
   * A process dies at each of the points while the story goes on, and is started again. Then all
   * comes to rest, and holds.
   *
   * @param fault what happens besides, once, when the first of them is reached
   */
  public void dieAt(List<FaultPoint> points, Runnable fault) {
    List.copyOf(down).forEach(this::up); // whom a failed test left so
    points.forEach(point -> control(point).kill(point));
    try (var work = NodeWork.start(this)) {
      long nudgeNanos = System.nanoTime();
      boolean struck = false;
      long endNanos = System.nanoTime() + PATIENCE.toNanos();
      int left = points.size();
      while (!struck || !left(points).isEmpty()) {
        if (left(points).size() < left) { // for each of them as long
          left = left(points).size();
          endNanos = System.nanoTime() + PATIENCE.toNanos();
        }
        if (System.nanoTime() - endNanos >= 0) {
          throw new AssertionError("nobody comes to " + left(points) + work.words());
        }
        tend();
        work.check();
        if (!struck && points.stream().anyMatch(this::reached)) {
          struck = true;
          fault.run();
        }
        if (System.nanoTime() - nudgeNanos >= 0) {
          nudgeNanos = System.nanoTime() + nudge(left(points)).toNanos();
        }
        pause();
      }
      work.stop();
      awaitTended("the work ends", work::isOver);
      work.check();
      awaitRest();
      work.checkLog(cluster.stores());
    } finally {
      points.stream().filter(this::reached).forEach(hit::add);
      System.out.println("died at " + points.stream().filter(hit::contains).toList());
      replicaPoints.clear();
      agentPoints.clear();
    }
  }

  private Set<FaultPoint> left(List<FaultPoint> points) {
    var left = EnumSet.noneOf(FaultPoint.class);
    points.stream().filter(point -> !reached(point)).forEach(left::add);
    return left;
  }

  private static void pause() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /**
   * Does what leads to points that the work does not come to by itself, to those only who are up:
   * else a slow machine would never have them up.
   *
   * @return when to do it again, should that not help
   */
  private Duration nudge(Set<FaultPoint> left) {
    var replica = cluster.endpoints().getLast();
    if (!Collections.disjoint(left, ON_DISK)) {
      cluster.endpoints().forEach(this::down);
      if (cluster.agent("node-a").isLive()) {
        cluster.agent("node-a").kill();
      }
    } else if (!Collections.disjoint(left, OF_LOSS)) {
      down(cluster.agent("node-d"));
    } else if (!Collections.disjoint(left, OF_STREAMS)) {
      if (cluster.agent("node-c").isReady()) {
        wipe("node-c");
      }
    } else if (!Collections.disjoint(left, OF_ENDS)) { // whoever ends writes a snapshot
      if (replica.isReady()) {
        restart(replica);
      }
    } else if (!Collections.disjoint(left, OF_MOVES)) { // its agents go to the other one
      if (replica.isReady()) {
        restart(replica);
        return Duration.ofSeconds(20);
      }
    }
    return Duration.ofSeconds(1);
  }

  private void awaitTended(String what, java.util.concurrent.Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(50))
        .until(() -> {
          tend();
          return condition.call();
        });
  }

  // --- at rest

  /** Everybody lives, everything is as in the beginning, and the invariants hold. */
  private void awaitRest() {
    List.copyOf(down).forEach(this::up);
    for (var node : NODES) {
      extra(node, true);
      passing(node, true);
    }
    awaitTended(
        "all are ready",
        () ->
            Stream.concat(cluster.controlPlane().stream(), cluster.agents().values().stream())
                .allMatch(part -> part.isAlive() && part.isReady()));
    Awaitility.await("Pods and DNS as they are reported")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(200))
        .ignoreExceptions()
        .untilAsserted(() -> {
          var faults = new ArrayList<String>();
          podFaults(faults);
          dnsFaults(faults);
          if (!faults.isEmpty()) {
            throw new AssertionError(String.join("\n", faults));
          }
        });
    invariants.awaitAll();
  }

  /** What is on record of each node are the Pods of its manifests, as its probes find them. */
  private void podFaults(List<String> faults) throws IOException {
    var image = invariants.replay().image();
    for (var node : NODES) {
      var reported = new TreeSet<String>();
      try (var files = Files.list(cluster.manifests(node))) {
        files
            .map(file -> String.valueOf(file.getFileName()))
            .filter(name -> name.endsWith(".yaml"))
            .forEach(name -> reported.add(name.replace(".yaml", "")));
      }
      var found = new TreeMap<String, Boolean>();
      for (var name : image.pods().onNode(node)) {
        image
            .pods()
            .get(name)
            .map(Versioned::object)
            .filter(Pod::isOfSourceOfItsNode)
            .ifPresent(
                pod -> found.put(pod.name().name(), PodCondition.of(image.pods(), pod).ready()));
      }
      if (!found.keySet().equals(reported) || found.containsValue(false)) {
        faults.add(node + " has " + reported + ", on record are (whether ready) " + found);
      }
    }
  }

  private void dnsFaults(List<String> faults) throws IOException {
    var image = invariants.replay().image();
    var web = image.services().get(new ObjectName("default", "web")).orElseThrow().object();
    check("web", Set.copyOf(web.spec().clusterIps()), faults);
    var pods = new HashSet<Address>();
    NODES.forEach(node -> pods.add(Address.of(address(node))));
    check("web-pods", pods, faults);
  }

  private void check(String service, Set<Address> expected, List<String> faults)
      throws IOException {
    var fabric = cluster.fabric();
    var found =
        new NamespaceClient(fabric.fabricNamespace(), ANSWER)
            .resolve(fabric.fabricAddress(), service + ".default.svc.cluster.local.", Type.A)
            .addresses();
    if (!Set.copyOf(found).equals(expected)) {
      faults.add("DNS says of " + service + " " + found + ", not " + expected);
    }
  }

  @Override
  public void close() {
    api.close();
    cluster.close();
  }
}
