package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.devkit.fabric.FabricPod;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.etcd.EtcdConfig;
import io.fairlead.etcd.EtcdCoordination;
import io.fairlead.testbed.check.ConstantLoad;
import io.fairlead.testbed.check.Invariants;
import io.fairlead.testbed.check.NamespaceClient;
import io.fairlead.testbed.cluster.Api;
import io.fairlead.testbed.cluster.Cluster;
import io.fairlead.testbed.cluster.ClusterSpec;
import io.fairlead.testbed.cluster.Part;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.DrainPodReply;
import io.fairlead.v1.DrainPodRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceReply;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.Type;

/**
 * The road of one Service, end to end, with every part real and in a process of its own: from a
 * manifest to packets on three nodes, and through the loss of every part. One cluster for all
 * steps, since starting it takes longest; each step ends with the invariants.
 */
@Tag("kernel")
@Timeout(300)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RoadTest {
  private static final List<String> NODES = List.of("node-a", "node-b", "node-c");
  private static final Duration SETTLE = Duration.ofSeconds(60);
  private static final Duration ANSWER = Duration.ofSeconds(5);

  private static Cluster cluster;
  private static Api api;
  private static Invariants invariants;
  private static final Map<String, FabricPod> clients = new LinkedHashMap<>();

  @BeforeAll
  static void start() throws IOException {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")),
        "needs root: network namespaces and nftables are made");
    var directory = Path.of("target", "road").toAbsolutePath();
    deleteTree(directory);
    cluster = Cluster.start(ClusterSpec.of("road", directory));
    api = new Api(cluster);
    invariants = new Invariants(cluster);
    for (var node : NODES) {
      clients.put(node, cluster.startClient("client", node));
    }
  }

  private static void deleteTree(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (var files = Files.walk(directory)) {
        for (var file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  @AfterAll
  static void stop() {
    if (api != null) {
      api.close();
    }
    if (cluster != null) {
      cluster.close();
    }
  }

  @AfterEach
  void invariantsHold() {
    invariants.awaitAll();
  }

  private static String manifestFile(String name) throws IOException {
    return Files.readString(Path.of("src/test/resources/road", name));
  }

  private static NamespaceClient client(String node) {
    return new NamespaceClient(namespaceOfClient(node), ANSWER);
  }

  private static String namespaceOfClient(String node) {
    return java.util.Objects.requireNonNull(clients.get(node), node).namespace();
  }

  private static Address backendAddress() {
    return addressOf("backend-service");
  }

  private static Address addressOf(String service) {
    return Address.of(
        api.listServices().stream()
            .filter(s -> s.getMetadata().getName().equals(service))
            .findFirst()
            .orElseThrow()
            .getSpec()
            .getClusterIp());
  }

  /** How many requests each Pod answers. */
  private static Map<String, Long> answers(String node, int requests) throws IOException {
    var address = backendAddress();
    var counts = new TreeMap<String, Long>();
    for (int i = 0; i < requests; i++) {
      counts.merge(podOf(client(node).get(address, 80, "/")), 1L, Long::sum);
    }
    return counts;
  }

  private static String podOf(String line) {
    return line.replaceAll("(?s).*pod=(\\S+).*", "$1");
  }

  private static void awaitTargets(int count) {
    awaitTargets(backendAddress(), count);
  }

  private static void awaitTargets(Address address, int count) {
    var frontend = new Frontend(address, Protocol.TCP, 80);
    for (var node : cluster.fabric().nodes()) {
      await(node.name() + " has " + count + " targets in its kernel")
          .atMost(SETTLE)
          .until(
              () ->
                  Invariants.readKernel(node.namespace()).families().values().stream()
                      .flatMap(f -> java.util.Optional.ofNullable(f.ports().get(frontend)).stream())
                      .mapToInt(p -> p.slots().size())
                      .sum(),
              n -> n == count);
    }
  }

  @Test
  @Order(1)
  void aServiceWithThreePodsAnswersByNameOnEveryNodeInTurn() throws Exception {
    api.apply(manifestFile("kube-dns.yaml"));
    api.apply(manifestFile("backend.yaml"));
    for (int i = 0; i < NODES.size(); i++) {
      var node = NODES.get(i);
      var name = "backend-" + i;
      var backend = cluster.startBackend(name, node);
      Files.writeString(
          cluster.manifests(node).resolve(name + ".yaml"), manifest(name, backend.pod().address()));
    }
    await("three Pods are ready")
        .atMost(SETTLE)
        .until(() -> api.readyPods("default", "app=backend-app"), n -> n == 3);
    await("DNS registered itself")
        .atMost(SETTLE)
        .until(() -> api.readyPods("kube-system", "k8s-app=kube-dns"), n -> n == 1);
    awaitTargets(3);
    invariants.awaitAll();

    for (var node : NODES) {
      var expected = Map.of("backend-0", 10L, "backend-1", 10L, "backend-2", 10L);
      assertThat(byName(node, 30)).as("30 requests by name from " + node).isEqualTo(expected);
    }
  }

  private static String manifest(String name, String address) {
    return """
    apiVersion: v1
    kind: Pod
    metadata:
      name: %s
      labels: {app: backend-app}
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
        .formatted(name, address);
  }

  /**
   * With the C library's resolver, the search list of resolv.conf and a connection for each
   * request: as any program does.
   */
  private static Map<String, Long> byName(String node, int requests) throws Exception {
    var log = Path.of("target", "road", "curl-" + node + ".out").toAbsolutePath();
    Files.deleteIfExists(log);
    var curl =
        cluster
            .fabric()
            .process(
                namespaceOfClient(node),
                List.of(
                    "curl",
                    "-sS",
                    "--max-time",
                    "20",
                    "-H",
                    "Connection: close",
                    "http://backend-service/?[1-" + requests + "]"),
                Map.of(),
                log);
    assertThat(curl.exitsWithin(Duration.ofSeconds(60))).isTrue();
    var text = Files.readString(log);
    assertThat(curl.exitStatus()).as(text).hasValue(0);
    return text.lines()
        .filter(line -> line.startsWith("pod="))
        .collect(Collectors.groupingBy(RoadTest::podOf, TreeMap::new, Collectors.counting()));
  }

  @Test
  @Order(2)
  void dnsAnswersAsKubernetesSays() throws IOException {
    var client = client("node-b");
    var name = "backend-service.default.svc.cluster.local.";
    assertThat(client.resolve(Cluster.DNS_SERVICE, name, Type.A).addresses())
        .containsExactly(backendAddress());
    var six = client.resolve(Cluster.DNS_SERVICE, name, Type.AAAA);
    assertThat(six.code()).isEqualTo("NOERROR");
    assertThat(six.records()).isEmpty();
    assertThat(six.authority()).as("NODATA has the SOA").isTrue();
    assertThat(client.resolveByTcp(Cluster.DNS_SERVICE, "_http._tcp." + name, Type.SRV).records())
        .containsExactly("80 " + name);
    assertThat(client.resolve(Cluster.DNS_SERVICE, "ghost." + name, Type.A).code())
        .isEqualTo("NXDOMAIN");

    api.apply(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: backends}
        spec:
          clusterIP: None
          selector: {app: backend-app}
          ports: [{name: http, port: 80, targetPort: http}]
        """);
    var expected =
        IntStream.range(0, 3)
            .mapToObj(i -> Address.of(cluster.backend("backend-" + i).pod().address()))
            .toList();
    await("the headless Service is answered")
        .atMost(SETTLE)
        .until(
            () ->
                client
                    .resolve(Cluster.DNS_SERVICE, "backends.default.svc.cluster.local.", Type.A)
                    .addresses(),
            found -> java.util.Set.copyOf(found).equals(java.util.Set.copyOf(expected)));
  }

  /** What serves there is no Pod: nothing but the slice knows of it. */
  @Test
  @Order(3)
  void aServiceWithoutASelectorLeadsToWhatWasWritten() throws IOException {
    var outside = cluster.startBackend("outside", "node-c").pod().address();
    var manifest =
        """
        apiVersion: v1
        kind: Service
        metadata: {name: outside}
        spec:
          clusterIP: 10.96.0.77
          ports: [{name: http, port: 80}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: outside-headless}
        spec:
          clusterIP: None
          ports: [{name: http, port: 80}]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: outside-1, labels: {kubernetes.io/service-name: outside}}
        addressType: IPv4
        ports: [{name: http, port: 8080}]
        endpoints: [{addresses: [%1$s]}]
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: outside-2, labels: {kubernetes.io/service-name: outside-headless}}
        addressType: IPv4
        ports: [{name: http, port: 8080}]
        endpoints: [{addresses: [%1$s], hostname: db-0}]
        """
            .formatted(outside);
    api.apply(manifest);
    api.applySlices(manifest);
    for (var node : NODES) {
      await("packets from " + node + " reach the endpoint")
          .atMost(SETTLE)
          .ignoreExceptionsInstanceOf(IOException.class)
          .until(
              () -> podOf(client(node).get(Address.of("10.96.0.77"), 80, "/")), "outside"::equals);
    }
    var name = "outside-headless.default.svc.cluster.local.";
    var client = client("node-a");
    for (var asked : List.of(name, "db-0." + name)) {
      await(asked + " is answered")
          .atMost(SETTLE)
          .until(
              () -> client.resolve(Cluster.DNS_SERVICE, asked, Type.A).addresses(),
              List.of(Address.of(outside))::equals);
    }
  }

  @Test
  @Order(4)
  void aTakenAddressIsRefusedAndTheHolderNamed() {
    int before = api.listServices().size();
    var manifest =
        """
        apiVersion: v1
        kind: Service
        metadata: {name: usurper}
        spec:
          clusterIP: %s
          ports: [{port: 80}]
        """
            .formatted(backendAddress());
    var refused = catchThrowableOfType(StatusRuntimeException.class, () -> api.create(manifest));
    var report = ErrorReport.of(refused);
    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.ALREADY_EXISTS);
    assertThat(report.reason()).contains(Reason.CLUSTER_IP_TAKEN);
    assertThat(report.metadata())
        .containsEntry("holder", "default/backend-service")
        .containsEntry("address", backendAddress().toString());
    assertThat(api.listServices()).hasSize(before);
  }

  @Test
  @Order(5)
  void threeFaultsAreThreeViolationsAndNothingIsWritten() {
    int before = api.listServices().size();
    var refused =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                api.create(
                    """
                    apiVersion: v1
                    kind: Service
                    metadata: {name: Faulty_Name}
                    spec:
                      sessionAffinity: clientip
                      ports: [{port: 0}]
                    """));
    assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(ErrorReport.of(refused).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactlyInAnyOrder("metadata.name", "spec.sessionAffinity", "spec.ports[0].port");
    assertThat(api.listServices()).hasSize(before);
  }

  @Test
  @Order(6)
  void aPodThatFailsItsProbeGetsNothingUntilItRecovers() throws IOException {
    cluster.backend("backend-1").server().answerProbesWith(503);
    awaitTargets(2);
    for (var node : NODES) {
      assertThat(answers(node, 20)).isEqualTo(Map.of("backend-0", 10L, "backend-2", 10L));
    }
    cluster.backend("backend-1").server().answerProbesWith(200);
    awaitTargets(3);
    for (var node : NODES) {
      assertThat(answers(node, 30))
          .isEqualTo(Map.of("backend-0", 10L, "backend-1", 10L, "backend-2", 10L));
    }
  }

  @Test
  @Order(7)
  void theOwnerDiesDuringAStreamOfCreatesAndNothingIsLostOrDoubled() throws Exception {
    int count = 60;
    var created = new ArrayList<ServiceReply>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var first = threads.submit(() -> createMany("early", 0, count / 2));
      created.addAll(first.get());
      var second = threads.submit(() -> createMany("late", 0, count / 2));
      ownerOfServices().kill();
      created.addAll(second.get());
    } catch (ExecutionException e) {
      throw new AssertionError("a create was not answered", e.getCause());
    }
    assertThat(created).hasSize(count);
    var names =
        api.listServices().stream()
            .map(s -> s.getMetadata().getName())
            .filter(n -> n.startsWith("early-") || n.startsWith("late-"))
            .toList();
    assertThat(names).as("none lost, none doubled").hasSize(count).doesNotHaveDuplicates();
    var addresses =
        api.listServices().stream()
            .map(s -> s.getSpec().getClusterIp())
            .filter(a -> !a.equals("None"))
            .toList();
    assertThat(addresses).doesNotHaveDuplicates();

    // The agents follow the control plane to the replica that is left.
    cluster.endpoints().getFirst().kill();
    api.create(service("after-fail-over"));
    var address =
        Address.of(
            api.listServices().stream()
                .filter(s -> s.getMetadata().getName().equals("after-fail-over"))
                .findFirst()
                .orElseThrow()
                .getSpec()
                .getClusterIp());
    for (var node : cluster.fabric().nodes()) {
      await(node.name() + " follows the other replica")
          .atMost(SETTLE)
          .until(() ->
              Invariants.readKernel(node.namespace()).families().values().stream()
                  .anyMatch(f -> f.ports().containsKey(new Frontend(address, Protocol.TCP, 80))));
    }
    for (var part : cluster.controlPlane()) {
      if (!part.isAlive()) {
        part.launch().awaitReady();
      }
    }
  }

  private static List<ServiceReply> createMany(String prefix, int from, int count)
      throws InterruptedException {
    var replies = new ArrayList<ServiceReply>();
    for (int i = from; i < from + count; i++) {
      replies.add(api.createUntilAnswered(Api.parse(service(prefix + "-" + i)).getFirst()));
    }
    return replies;
  }

  private static String service(String name) {
    return """
    apiVersion: v1
    kind: Service
    metadata: {name: %s}
    spec:
      selector: {app: nobody}
      ports: [{port: 80}]
    """
        .formatted(name);
  }

  private static Part ownerOfServices() {
    try (var etcd =
        EtcdCoordination.connect(EtcdConfig.of(List.of(cluster.etcdUrl())), Time.system())) {
      var owner = etcd.owner(LogPartition.SERVICES).orElseThrow();
      return cluster.allocators().stream()
          .filter(p -> p.name().equals(owner.replica()))
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  @Order(8)
  void connectionsGoOnWithoutAnyControlPlane() throws Exception {
    var addresses =
        api.listServices().stream()
            .collect(
                Collectors.toMap(s -> s.getMetadata().getUid(), s -> s.getSpec().getClusterIp()));
    var target = backendAddress();
    var loads = new ArrayList<ConstantLoad>();
    for (var node : NODES) {
      loads.add(ConstantLoad.start(client(node), target, 80));
    }
    try {
      awaitMore(loads, 100);
      cluster.controlPlane().forEach(Part::kill);
      cluster.killEtcd();
      awaitMore(loads, 300);
      cluster.restartEtcd();
      cluster.launchControlPlane();
      cluster.awaitReady();
      awaitMore(loads, 100);
    } finally {
      for (var load : loads) {
        load.close();
      }
    }
    assertThat(loads).allSatisfy(load -> assertThat(load.failures()).isEmpty());
    assertThat(
            api.listServices().stream()
                .collect(
                    Collectors.toMap(
                        s -> s.getMetadata().getUid(), s -> s.getSpec().getClusterIp())))
        .as("addresses as before")
        .isEqualTo(addresses);
    assertThat(byName("node-c", 30))
        .isEqualTo(Map.of("backend-0", 10L, "backend-1", 10L, "backend-2", 10L));
  }

  private static void awaitMore(List<ConstantLoad> loads, long requests) {
    var goals = loads.stream().map(l -> l.succeeded() + requests).toList();
    await("every node made " + requests + " more requests")
        .atMost(SETTLE)
        .until(() ->
            IntStream.range(0, loads.size())
                .allMatch(i -> loads.get(i).succeeded() >= goals.get(i)));
  }

  @Test
  @Order(9)
  void anAgentThatIsRestartedChangesNothing() throws Exception {
    var load = ConstantLoad.start(client("node-a"), backendAddress(), 80);
    try {
      awaitMore(List.of(load), 50);
      cluster.agent("node-a").kill();
      awaitMore(List.of(load), 50);
      cluster.agent("node-a").launch().awaitReady();
      awaitMore(List.of(load), 50);
    } finally {
      load.close();
    }
    assertThat(load.failures()).isEmpty();
  }

  /**
   * Pods whose processes end as soon as they may. One agent takes its time, as the one of a busy
   * node does: that is what drain waits for, and what fails without it.
   */
  @Test
  @Order(10)
  void allPodsOfAServiceAreReplacedByDrainWithoutAFailedConnection() throws Exception {
    api.apply(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: rolling}
        spec:
          selector: {app: rolling}
          ports: [{port: 80, targetPort: 8080}]
        """);
    for (int i = 0; i < NODES.size(); i++) {
      startPod("rolling-" + i, NODES.get(i));
    }
    var address = addressOf("rolling");
    awaitTargets(address, NODES.size());
    var loads = new LinkedHashMap<String, ConstantLoad>();
    NODES.forEach(node -> loads.put(node, ConstantLoad.start(client(node), address, 80)));
    try {
      awaitMore(List.copyOf(loads.values()), 20);
      for (int i = 0; i < NODES.size(); i++) {
        startPod("next-" + i, NODES.get(i));
        var agent = cluster.agent("node-c");
        if (i == 0) {
          agent.pause();
        }
        assertThat(drain("rolling-" + i, agent)).isEqualTo(DrainPodReply.Verdict.SAFE);
        endWhenIdle("rolling-" + i);
      }
      awaitMore(List.copyOf(loads.values()), 50);
      assertThat(loads.values()).allSatisfy(load -> assertThat(load.failures()).isEmpty());

      // The same without drain: the process ends while a node still sends connections there.
      var agent = cluster.agent("node-c");
      agent.pause();
      try {
        startPod("last", "node-a");
        end("next-0");
        var load = Objects.requireNonNull(loads.get("node-c"));
        await("connections fail").atMost(SETTLE).until(() -> !load.failures().isEmpty());
      } finally {
        agent.resume();
      }
    } finally {
      cluster.agent("node-c").resume();
      loads.values().forEach(ConstantLoad::close);
    }
  }

  private static void startPod(String name, String node) {
    var pod = cluster.startBackend(name, node).pod();
    api.pods()
        .apply(
            ApplyPodRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setPod(
                    Pod.newBuilder()
                        .setMetadata(
                            ObjectMeta.newBuilder().setName(name).putLabels("app", "rolling"))
                        .setSpec(
                            PodSpec.newBuilder()
                                .setNodeName(node)
                                .addContainers(
                                    Container.newBuilder()
                                        .setName("echo")
                                        .setImage("fairlead/echo")))
                        .setStatus(PodStatus.newBuilder().setPodIp(pod.address())))
                .build());
  }

  /** Drains; the agent that is waited for goes on when it has been named. */
  private static DrainPodReply.Verdict drain(String name, Part agent) {
    var replies =
        api.pods()
            .withDeadlineAfter(SETTLE)
            .drain(
                DrainPodRequest.newBuilder()
                    .setRequestId(UUID.randomUUID().toString())
                    .setName(name)
                    .build());
    var verdict = DrainPodReply.Verdict.WAITING;
    while (replies.hasNext()) {
      var reply = replies.next();
      verdict = reply.getVerdict();
      if (reply.getBehindList().stream().anyMatch(b -> b.getNode().equals("node-c"))) {
        agent.resume();
      }
    }
    return verdict;
  }

  /** As a process that finishes what it has, and nothing else: nothing new may come. */
  private static void endWhenIdle(String name) {
    var namespace = cluster.backend(name).pod().namespace();
    await(name + " has no connections")
        .atMost(SETTLE)
        .until(() -> NetnsSockets.call(namespace, RoadTest::connections), n -> n == 0);
    end(name);
  }

  /** On port 8080 of this thread's network namespace, those that are open or being opened. */
  private static long connections() throws IOException {
    return Files.readAllLines(Path.of("/proc/thread-self/net/tcp")).stream()
        .filter(line -> line.matches("\\s*\\d+: [0-9A-F]+:1F90 \\S+ (01|03|08) .*"))
        .count();
  }

  private static void end(String name) {
    cluster.backend(name).server().close();
    api.pods()
        .delete(
            DeletePodRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setNamespace("default")
                .setName(name)
                .setGracePeriodSeconds(0)
                .build());
  }

  @Test
  @Order(11)
  void everyServiceKeepsItsNameInTheLog() {
    var replay = invariants.replay();
    var live = api.listServices().stream().map(RoadTest::title).sorted().toList();
    assertThat(
            replay.image().services().all().stream()
                .map(s -> s.object().name().toString())
                .sorted()
                .toList())
        .isEqualTo(live);
  }

  private static String title(Service service) {
    return service.getMetadata().getNamespace() + "/" + service.getMetadata().getName();
  }
}
