package io.fairlead.testbed.cluster;

import io.fairlead.devkit.echo.EchoServer;
import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.fabric.FabricPod;
import io.fairlead.devkit.fabric.FabricSpec;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.devkit.fabric.ResolvConf;
import io.fairlead.devkit.kafka.EmbeddedKafka;
import io.fairlead.devkit.kafka.KafkaProcess;
import io.fairlead.devkit.process.Command;
import io.fairlead.runtime.HostPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A deployment as it is in production, on one machine: Kafka, etcd, the services and a DNS server
 * as processes in the fabric's middle, an agent process in the network namespace of each node.
 * Needs root. One thread at a time.
 */
public final class Cluster implements AutoCloseable {
  private static final int ALLOCATOR_PORT = 7401;
  private static final int ENDPOINTS_PORT = 7402;
  private static final int DNS_GRPC_PORT = 7403;
  private static final int ALLOCATOR_HTTP = 7481;
  private static final int ENDPOINTS_HTTP = 7482;
  private static final int DNS_HTTP = 7483;
  private static final int AGENT_HTTP = 7484;
  private static final int NEXT_REPLICA =
      100; // ports of replica n are this much above those of replica n - 1
  private static final int ECHO_PORT = 8080;

  /** Address of the cluster's DNS Service. */
  public static final String DNS_SERVICE = "10.96.0.10";

  private final ClusterSpec spec;
  private final Fabric fabric;
  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final EmbeddedKafka.Config kafkaConfig;
  private final EtcdProcess.Config etcdConfig;
  private KafkaProcess kafka;
  private EtcdProcess etcd;
  private final List<Part> allocators = new ArrayList<>();
  private final List<Part> endpoints = new ArrayList<>();
  private final Part dns;
  private final Map<String, Part> agents = new LinkedHashMap<>();
  private final Map<String, Backend> backends = new LinkedHashMap<>();

  private Cluster(ClusterSpec spec, Fabric fabric, KafkaProcess kafka, EtcdProcess etcd) {
    this.spec = spec;
    this.fabric = fabric;
    this.kafka = kafka;
    this.etcd = etcd;
    this.kafkaConfig = kafka.config();
    this.etcdConfig = etcd.config();
    for (int i = 0; i < spec.replicas(); i++) {
      allocators.add(
          service(
              "allocator",
              io.fairlead.allocator.Main.class,
              i,
              ALLOCATOR_PORT,
              ALLOCATOR_HTTP,
              List.of()));
      endpoints.add(
          service(
              "endpoints",
              io.fairlead.endpoints.Main.class,
              i,
              ENDPOINTS_PORT,
              ENDPOINTS_HTTP,
              spec.endpointsOptions()));
    }
    this.dns = dnsPart();
    for (var node : spec.nodes()) {
      agents.put(node, agentPart(node));
    }
  }

  /** A Pod's network namespace with a server in it. */
  public record Backend(FabricPod pod, EchoServer server) {}

  /**
   * Builds the fabric, starts everything and waits until it is ready. Nothing is left where that
   * fails.
   */
  public static Cluster start(ClusterSpec spec) {
    var directory = spec.directory();
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var undo = new ArrayDeque<AutoCloseable>();
    try {
      var fabric = Fabric.create(FabricSpec.of(spec.id(), spec.nodes()));
      undo.push(fabric);
      var address = fabric.fabricAddress();
      var prefix = Fabric.prefix(fabric.fabricNamespace());
      // In a network namespace of its own every port is free.
      var stores =
          Together.run(
              List.<Callable<AutoCloseable>>of(
                  () ->
                      startKafka(
                          new EmbeddedKafka.Config(
                              directory.resolve("kafka"), address, 9092, 9093, Map.of()),
                          fabric),
                  () ->
                      EtcdProcess.start(
                          EtcdProcess.Config.in(directory.resolve("etcd"))
                              .withHost(address)
                              .withPorts(2379, 2380)
                              .through(prefix))));
      stores.forEach(undo::push);
      var cluster =
          new Cluster(
              spec, fabric, (KafkaProcess) stores.getFirst(), (EtcdProcess) stores.getLast());
      undo.push(cluster::closeParts);
      cluster.launchControlPlane();
      cluster.agents.values().forEach(Part::launch);
      cluster.awaitReady();
      cluster.open.addAll(undo);
      return cluster;
    } catch (RuntimeException e) {
      undo.forEach(Cluster::closeQuietly);
      throw e;
    }
  }

  private static KafkaProcess startKafka(EmbeddedKafka.Config config, Fabric fabric) {
    return KafkaProcess.start(config, List.of("-Xmx256m"), Fabric.prefix(fabric.fabricNamespace()));
  }

  private Part service(
      String name, Class<?> main, int replica, int port, int http, List<String> more) {
    var address = fabric.fabricAddress();
    int shift = replica * NEXT_REPLICA;
    var options =
        Stream.concat(
                Stream.of(
                    "--replica=" + name + "-" + replica,
                    "--kafka-bootstrap=" + kafkaConfig.bootstrapServers(),
                    "--etcd-endpoints=" + etcdConfig.clientUrl(),
                    "--development",
                    "--listen=" + address + ":" + (port + shift),
                    "--advertise=" + address + ":" + (port + shift),
                    "--http-listen=" + address + ":" + (http + shift)),
                more.stream().map(o -> o.replace(ClusterSpec.REPLICA, name + "-" + replica)))
            .toList();
    return part(
        name + "-" + replica,
        main,
        List.of(heap(spec.heaps().services())),
        options,
        fabric.fabricNamespace(),
        address + ":" + (http + shift));
  }

  private Part dnsPart() {
    var address = fabric.fabricAddress();
    return part(
        "dns",
        io.fairlead.dns.Main.class,
        List.of(heap(spec.heaps().dns())),
        List.of(
            "--replica=dns-0",
            "--kafka-bootstrap=" + kafkaConfig.bootstrapServers(),
            "--development",
            "--listen=" + address + ":53",
            "--grpc-listen=" + address + ":" + DNS_GRPC_PORT,
            "--http-listen=" + address + ":" + DNS_HTTP,
            "--forward=" + address + ":5353",
            "--advertise-ip=" + address,
            "--endpoints=" + endpointsAddresses()),
        fabric.fabricNamespace(),
        address + ":" + DNS_HTTP);
  }

  private Part agentPart(String node) {
    var place = fabric.node(node);
    var options =
        Stream.concat(
                Stream.of(
                    "--node=" + node,
                    "--node-ip=" + place.address(),
                    "--zone=zone-" + node.charAt(node.length() - 1),
                    "--pod-cidrs=" + place.podNetwork(),
                    "--cluster-cidrs=10.244.0.0/16",
                    "--endpoints=" + endpointsAddresses(),
                    "--manifests=" + manifests(node),
                    "--data-dir=" + agentData(node),
                    "--http-listen=" + place.address() + ":" + AGENT_HTTP),
                spec.agentOptions().stream())
            .toList();
    try {
      Files.createDirectories(manifests(node));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return part(
        "agent-" + node,
        io.fairlead.agent.Main.class,
        List.of(heap(spec.heaps().agents()), "-Xss512k", "-XX:+UseCompactObjectHeaders"),
        options,
        place.namespace(),
        place.address() + ":" + AGENT_HTTP);
  }

  private static String heap(int mebibytes) {
    return "-Xmx" + mebibytes + "m";
  }

  private Part part(
      String name,
      Class<?> main,
      List<String> jvm,
      List<String> options,
      String namespace,
      String http) {
    var flags = Stream.concat(Stream.of(Part.QUIET_LOGBACK), jvm.stream()).toList();
    var command =
        Command.java(name, main, flags, options, spec.directory().resolve(name + ".log"))
            .through(Fabric.prefix(namespace));
    return new Part(command, http);
  }

  private String endpointsAddresses() {
    return addresses(ENDPOINTS_PORT).stream()
        .map(HostPort::toString)
        .collect(Collectors.joining(","));
  }

  private List<HostPort> addresses(int port) {
    return IntStream.range(0, spec.replicas())
        .mapToObj(i -> new HostPort(fabric.fabricAddress(), port + i * NEXT_REPLICA))
        .toList();
  }

  /** Starts all services, not the agents. */
  public void launchControlPlane() {
    controlPlane().forEach(Part::launch);
  }

  /** Waits for everything that was launched. */
  public void awaitReady() {
    parts().filter(Part::isAlive).forEach(Part::awaitReady);
  }

  /** allocator-service, endpoints-service and dns-service, all replicas. */
  public List<Part> controlPlane() {
    return Stream.of(allocators, endpoints, List.of(dns)).flatMap(List::stream).toList();
  }

  private Stream<Part> parts() {
    return Stream.concat(controlPlane().stream(), agents.values().stream());
  }

  public List<Part> allocators() {
    return List.copyOf(allocators);
  }

  public List<Part> endpoints() {
    return List.copyOf(endpoints);
  }

  public Part dns() {
    return dns;
  }

  public Part agent(String node) {
    return java.util.Objects.requireNonNull(agents.get(node), node);
  }

  public Map<String, Part> agents() {
    return java.util.Collections.unmodifiableMap(agents);
  }

  public Fabric fabric() {
    return fabric;
  }

  public List<HostPort> allocatorAddresses() {
    return addresses(ALLOCATOR_PORT);
  }

  public List<HostPort> endpointsServiceAddresses() {
    return addresses(ENDPOINTS_PORT);
  }

  /** Where to look for what it did. */
  public Stores stores() {
    return new Stores(
        kafkaConfig.bootstrapServers(),
        1,
        List.of(etcdConfig.clientUrl()),
        Stream.concat(endpointsServiceAddresses().stream(), allocatorAddresses().stream())
            .toList());
  }

  public String kafkaBootstrap() {
    return kafkaConfig.bootstrapServers();
  }

  public String etcdUrl() {
    return etcdConfig.clientUrl();
  }

  /** Where the node's agent keeps its image. */
  public Path agentData(String node) {
    return spec.directory().resolve(node);
  }

  /** The directory whose manifests the node's agent runs. */
  public Path manifests(String node) {
    return spec.directory().resolve(node + "-manifests");
  }

  /** SIGKILL for Kafka. */
  public void killKafka() {
    kafka.kill();
  }

  /** On the same directory. */
  public void restartKafka() {
    var dead = kafka;
    kafka = startKafka(kafkaConfig, fabric);
    open.push(kafka);
    dead.close();
  }

  /** SIGKILL for etcd. */
  public void killEtcd() {
    etcd.kill();
  }

  /** On the same directory. */
  public void restartEtcd() {
    etcd = EtcdProcess.start(etcdConfig);
    open.push(etcd);
  }

  /** A Pod's network on a node with a server on port 8080 that names itself. */
  public Backend startBackend(String name, String node) {
    var pod = fabric.node(node).addPod(name);
    var server =
        NetnsSockets.call(
            pod.namespace(),
            () ->
                EchoServer.start(
                    new EchoServer.Identity(name, node), "0.0.0.0", List.of(ECHO_PORT)));
    var backend = new Backend(pod, server);
    open.push(server);
    backends.put(name, backend);
    return backend;
  }

  public Backend backend(String name) {
    return java.util.Objects.requireNonNull(backends.get(name), name);
  }

  /**
   * A Pod's network on a node from which requests are made; its programs find names through the
   * cluster's DNS.
   */
  public FabricPod startClient(String name, String node) {
    var pod = fabric.node(node).addPod(name);
    fabric.useResolvConf(
        pod.namespace(), ResolvConf.ofPod(DNS_SERVICE, "default", "cluster.local"));
    return pod;
  }

  private void closeParts() {
    parts().forEach(Part::close);
  }

  private static void closeQuietly(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception e) {
      System.err.println("closing " + resource + ": " + e);
    }
  }

  @Override
  public void close() {
    open.forEach(Cluster::closeQuietly);
    open.clear();
  }
}
