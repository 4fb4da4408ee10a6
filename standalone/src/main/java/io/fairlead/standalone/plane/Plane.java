package io.fairlead.standalone.plane;

import io.fairlead.allocator.AllocatorConfig;
import io.fairlead.allocator.AllocatorService;
import io.fairlead.cli.plane.ProcessId;
import io.fairlead.cli.plane.RunFile;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.fabric.FabricSpec;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.devkit.kafka.EmbeddedKafka;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.dns.DnsConfig;
import io.fairlead.dns.DnsService;
import io.fairlead.dns.server.ServerSockets;
import io.fairlead.endpoints.EndpointsConfig;
import io.fairlead.endpoints.EndpointsService;
import io.fairlead.runtime.Faults;
import io.fairlead.runtime.Health;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.HttpEndpoints;
import io.fairlead.runtime.Metrics;
import io.fairlead.runtime.Shutdown;
import io.fairlead.standalone.client.KubeDns;
import io.fairlead.standalone.plane.Parts.Ready;
import io.fairlead.standalone.plane.PlanePorts.NodesMode;
import io.fairlead.standalone.plane.Progress.State;
import io.fairlead.standalone.pods.PodRunner;
import io.fairlead.standalone.pods.PodRunnerConfig;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything of Fairlead on this machine: the broker and the services in this JVM, etcd as a child,
 * and, as root on Linux, nodes as network namespaces with an agent process in each. The services
 * share nothing but the log, etcd and the API, as if they were processes. Durable: the data
 * directory; all else is made anew with each start.
 */
final class Plane implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Plane.class);
  private static final String POD_NETWORK = "10.244.0.0/16";
  private static final String SERVICE_NETWORK = "10.96.0.0/16";
  private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");
  private static final Duration KUBE_DNS_LIMIT = Duration.ofSeconds(60);

  /** Names of parts, in the order in which people are told of them. */
  static final String FABRIC = "fabric";

  static final String KAFKA = "kafka";
  static final String ETCD = "etcd";
  static final String ALLOCATOR = "allocator";
  static final String ENDPOINTS = "endpoints";
  static final String DNS = "dns";
  static final String PODS = "pods";

  private final PlaneConfig config;
  private final Progress progress;
  private final PlanePorts ports;
  private final Time time = Time.system();
  private final Parts parts;
  private final ReentrantLock configuring = new ReentrantLock();
  private final Stage stores;
  private final Stage services;
  private final Stage clients;
  private final Stage workloads;
  private Optional<LogLimit> logLimit = Optional.empty();

  private Plane(PlaneConfig config, PlanePorts ports, Progress progress) {
    this.config = config;
    this.ports = ports;
    this.progress = progress;
    this.parts = new Parts(progress);
    this.stores = new Stage(progress);
    this.services = new Stage(progress);
    this.clients = new Stage(progress);
    this.workloads = new Stage(progress);
  }

  /**
   * Starts all parts and returns when they are ready and the commands of this machine can find
   * them.
   *
   * @param instance stays the caller's
   * @throws LaunchException what is in the way; nothing is left running then
   */
  static Plane start(PlaneConfig config, Instance instance, Progress progress) {
    var mode = config.nodes() > 0 ? NodesMode.WITH_NODES : NodesMode.WITHOUT_NODES;
    var ports = PlanePorts.choose(config.ports());
    var taken = ports.taken(mode);
    if (!taken.isEmpty()) {
      throw new LaunchException(
          "ports are in use:\n  "
              + String.join("\n  ", taken)
              + "\nstop who has them, or start on other ports: fairlead up --ports free");
    }
    var plane = new Plane(config, ports, progress);
    try {
      Files.createDirectories(config.logs());
      plane.keepLogsSmall();
      var nodes =
          switch (mode) {
            case WITH_NODES -> plane.startWithNodes();
            case WITHOUT_NODES -> plane.startWithoutNodes();
          };
      instance.publish(plane.runFile(nodes));
      return plane;
    } catch (CompletionException e) {
      plane.close();
      var cause = Objects.requireNonNullElse(e.getCause(), e);
      throw new LaunchException(Parts.words(cause), cause);
    } catch (IOException e) {
      plane.close();
      throw new LaunchException("cannot make " + config.logs() + ": " + e, e);
    } catch (RuntimeException e) {
      plane.close();
      throw e;
    }
  }

  private void keepLogsSmall() {
    var logs = new ArrayList<Path>();
    logs.add(config.planeLog());
    logs.add(etcdConfig().log());
    config.nodeNames().forEach(node -> logs.add(config.agentLog(node)));
    logLimit = Optional.of(LogLimit.start(logs, time));
  }

  private Optional<Fabric> startWithNodes() {
    var fabric = parts.start(FABRIC, this::startFabric);
    var kafka = parts.start(KAFKA, this::startKafka);
    var etcd = parts.start(ETCD, this::startEtcd);
    var allocator = parts.start(ALLOCATOR, () -> startAllocator(kafka));
    var endpoints =
        parts.start(
            ENDPOINTS,
            () ->
                startEndpoints(
                    kafka,
                    List.of(
                        PlanePorts.local(ports.endpoints()),
                        new HostPort(fabric.join().managementAddress(), ports.endpoints())),
                    nearby(fabric.join())));
    var dns = parts.start(DNS, () -> startDns(kafka, fabric.join()));
    var all = new ArrayList<CompletableFuture<?>>(List.of(fabric, kafka, etcd));
    all.addAll(List.of(allocator, endpoints, dns));
    for (var node : config.nodeNames()) {
      all.add(parts.start(node, () -> startAgent(fabric.join(), node, endpoints)));
    }
    all.add(parts.start(PODS, () -> startPods(fabric.join(), allocator, endpoints)));
    parts.await(all.toArray(CompletableFuture<?>[]::new));
    return Optional.of(fabric.join());
  }

  /** Who may come to the management address: containers and neighbours reach it, too. */
  private static List<String> nearby(Fabric fabric) {
    return List.of(
        "127.0.0.0/8", fabric.managementAddress() + "/32", fabric.nodeNetwork().toString());
  }

  private Optional<Fabric> startWithoutNodes() {
    var kafka = parts.start(KAFKA, this::startKafka);
    var etcd = parts.start(ETCD, this::startEtcd);
    var allocator = parts.start(ALLOCATOR, () -> startAllocator(kafka));
    var endpoints =
        parts.start(
            ENDPOINTS,
            () ->
                startEndpoints(
                    kafka, List.of(PlanePorts.local(ports.endpoints())), List.of("127.0.0.0/8")));
    var dns = parts.start(DNS, () -> startDns(kafka));
    parts.await(kafka, etcd, allocator, endpoints, dns);
    return Optional.empty();
  }

  private Ready<Fabric> startFabric() {
    parts.begins(FABRIC);
    var fabric =
        stores.opened(FABRIC, Fabric.create(FabricSpec.of(config.id(), config.nodeNames())));
    return new Ready<>(fabric, fabric.nodeNetwork().toString());
  }

  private Ready<EmbeddedKafka> startKafka() {
    parts.begins(KAFKA);
    var kafka =
        EmbeddedKafka.start(
            new EmbeddedKafka.Config(
                config.dataDirectory().resolve(KAFKA),
                PlanePorts.HOST,
                ports.kafka(),
                ports.kafkaController(),
                Map.of()));
    return new Ready<>(stores.opened(KAFKA, kafka), kafka.bootstrapServers());
  }

  private Ready<Supervised> startEtcd() {
    parts.begins(ETCD);
    var etcdConfig = etcdConfig();
    var etcd = Supervised.start(ETCD, () -> EtcdChild.start(etcdConfig), progress, time);
    return new Ready<>(stores.opened(ETCD, etcd), PlanePorts.local(ports.etcdClient()).toString());
  }

  private EtcdProcess.Config etcdConfig() {
    return EtcdProcess.Config.in(config.dataDirectory().resolve(ETCD))
        .withPorts(ports.etcdClient(), ports.etcdPeer());
  }

  private List<String> common(int http) {
    return List.of(
        "--replica=local",
        "--development",
        "--kafka-bootstrap=" + PlanePorts.local(ports.kafka()),
        "--snapshot-dir=" + config.snapshots(),
        "--http-listen=" + PlanePorts.local(http));
  }

  private String etcdOption() {
    return "--etcd-endpoints=http://" + PlanePorts.local(ports.etcdClient());
  }

  /** One at a time: each sets the logging of the process up. */
  private <T> T configured(Function<String[], T> load, String[] options) {
    configuring.lock();
    try {
      return load.apply(options);
    } finally {
      configuring.unlock();
    }
  }

  private static String[] options(List<String> common, String... more) {
    var all = new ArrayList<>(common);
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private Ready<AllocatorService> startAllocator(CompletableFuture<?> kafka)
      throws InterruptedException {
    kafka.join();
    parts.begins(ALLOCATOR);
    var listen = PlanePorts.local(ports.allocator());
    var allocatorConfig =
        configured(
            options -> AllocatorConfig.load(options, Map.of()),
            options(
                common(ports.allocatorHttp()),
                "--listen=" + listen,
                "--advertise=" + listen,
                "--service-cidrs=" + SERVICE_NETWORK,
                etcdOption()));
    var service =
        services.opened(ALLOCATOR, AllocatorService.start(allocatorConfig, time, Faults.halting()));
    Readiness.await(ALLOCATOR, PlanePorts.local(ports.allocatorHttp()), () -> false);
    if (config.nodes() > 0) {
      makeKubeDns(listen);
    }
    return new Ready<>(service, listen.toString());
  }

  private void makeKubeDns(HostPort allocator) throws InterruptedException {
    switch (KubeDns.make(List.of(allocator), KUBE_DNS_LIMIT, time, RandomSource.secure())) {
      case KubeDns.Made.Created _, KubeDns.Made.WasThere _ -> {
        // its owner logs what is new
      }
      case KubeDns.Made.Refused(var words) ->
          LOG.atWarn()
              .addKeyValue("why", words)
              .log("Service kube-system/kube-dns cannot be made; Pods find no names");
    }
  }

  private Ready<EndpointsService> startEndpoints(
      CompletableFuture<?> kafka, List<HostPort> listen, List<String> allowFrom) {
    kafka.join();
    parts.begins(ENDPOINTS);
    var first = listen.getFirst();
    var endpointsConfig =
        configured(
            options -> EndpointsConfig.load(options, Map.of()),
            options(
                common(ports.endpointsHttp()),
                "--listen=" + String.join(",", listen.stream().map(HostPort::toString).toList()),
                "--advertise=" + first,
                "--allow-from=" + String.join(",", allowFrom),
                etcdOption()));
    var service =
        services.opened(ENDPOINTS, EndpointsService.start(endpointsConfig, time, Faults.halting()));
    Readiness.await(ENDPOINTS, PlanePorts.local(ports.endpointsHttp()), () -> false);
    return new Ready<>(service, first.toString());
  }

  /** In the nodes' network, where Pods reach it as an endpoint of kube-dns. */
  private Ready<DnsService> startDns(CompletableFuture<?> kafka, Fabric fabric) throws IOException {
    var address = fabric.fabricAddress();
    var namespace = fabric.fabricNamespace();
    return startDns(
        kafka,
        new HostPort(address, 53),
        List.of("--advertise-ip=" + address, "--endpoints=" + PlanePorts.local(ports.endpoints())),
        new ServerSockets() {
          @Override
          public DatagramChannel udp(InetSocketAddress local) throws IOException {
            return NetnsSockets.datagram(namespace, local);
          }

          @Override
          public ServerSocketChannel tcp(InetSocketAddress local) throws IOException {
            return NetnsSockets.listen(namespace, local);
          }
        });
  }

  private Ready<DnsService> startDns(CompletableFuture<?> kafka) throws IOException {
    return startDns(kafka, PlanePorts.local(ports.dns()), List.of(), ServerSockets.plain());
  }

  private Ready<DnsService> startDns(
      CompletableFuture<?> kafka, HostPort listen, List<String> more, ServerSockets sockets)
      throws IOException {
    kafka.join();
    parts.begins(DNS);
    var options =
        options(
            common(ports.dnsHttp()),
            "--listen=" + listen,
            "--grpc-listen=" + PlanePorts.local(ports.dnsGrpc()),
            "--forward=" + (Files.isReadable(RESOLV_CONF) ? RESOLV_CONF.toString() : "none"));
    var dnsConfig =
        configured(
            given -> DnsConfig.load(given, Map.of()),
            options(List.of(options), more.toArray(String[]::new)));
    var service =
        clients.opened(DNS, DnsService.start(dnsConfig, time, RandomSource.secure(), sockets));
    Readiness.await(DNS, PlanePorts.local(ports.dnsHttp()), () -> false);
    return new Ready<>(service, listen.toString());
  }

  private Ready<Supervised> startAgent(Fabric fabric, String node, CompletableFuture<?> endpoints)
      throws IOException {
    endpoints.join();
    parts.begins(node);
    var place = fabric.node(node);
    var agents = new HostPort(fabric.managementAddress(), ports.endpoints());
    var runtime = new HostPort(fabric.managementAddress(), ports.podRuntime());
    var process = AgentProcess.of(config, place, agents, runtime, POD_NETWORK, SERVICE_NETWORK);
    var agent = clients.opened(node, Supervised.start(node, process::start, progress, time));
    process.awaitReady(agent);
    return new Ready<>(agent, place.address());
  }

  /** Pods with a command run as processes; last, since their names resolve when they start. */
  private Ready<Shutdown> startPods(
      Fabric fabric, CompletableFuture<?> allocator, CompletableFuture<?> endpoints) {
    allocator.join();
    endpoints.join();
    parts.begins(PODS);
    var listen = PlanePorts.local(ports.podRuntime());
    var http = PlanePorts.local(ports.podsHttp());
    var open = new Shutdown();
    workloads.opened(PODS, open);
    var metrics = Metrics.ofProcess(PODS);
    var health = new Health();
    open.opened("http", HttpEndpoints.start(http, health, metrics));
    var runner =
        open.opened(
            "runner",
            PodRunner.start(
                PodRunnerConfig.in(
                    config.dataDirectory(),
                    List.of(PlanePorts.local(ports.allocator())),
                    List.of(PlanePorts.local(ports.endpoints())),
                    List.of(listen, new HostPort(fabric.managementAddress(), ports.podRuntime())),
                    nearby(fabric).stream().map(Cidr::of).toList()),
                fabric,
                metrics,
                time));
    health.ready(
        "synced",
        () -> runner.isSynced() ? Optional.empty() : Optional.of("the API was not read yet"));
    open.onClose("readiness", health::drain);
    // Ready in its own eyes once it has read all Pods; the nodes serve without it, so nobody waits.
    return new Ready<>(open, listen.toString());
  }

  private RunFile runFile(Optional<Fabric> fabric) {
    return new RunFile(
        config.id(),
        config.dataDirectory(),
        ProcessId.self(),
        List.of(PlanePorts.local(ports.allocator())),
        List.of(PlanePorts.local(ports.endpoints())),
        fabric.stream().map(_ -> PlanePorts.local(ports.podRuntime())).toList(),
        List.of(
            fabric
                .map(f -> new HostPort(f.fabricAddress(), 53))
                .orElseGet(() -> PlanePorts.local(ports.dns()))),
        fabric.stream()
            .flatMap(f -> f.nodes().stream())
            .map(node -> new RunFile.Node(node.name(), node.namespace(), node.address()))
            .toList(),
        fabric.map(Fabric::fabricNamespace),
        fabric.map(Fabric::fabricAddress));
  }

  /** In the reverse order of the start: who uses another part goes first. */
  @Override
  public void close() {
    // announced in one order, so that people see it alike each time
    if (config.nodes() > 0) {
      progress.say(PODS, State.STOPPING, "");
    }
    for (var part : config.nodeNames()) {
      progress.say(part, State.STOPPING, "");
    }
    for (var part : List.of(DNS, ENDPOINTS, ALLOCATOR, ETCD, KAFKA)) {
      progress.say(part, State.STOPPING, "");
    }
    if (config.nodes() > 0) {
      progress.say(FABRIC, State.STOPPING, "");
    }
    workloads.close();
    clients.close();
    services.close();
    stores.close();
    logLimit.ifPresent(LogLimit::close);
  }
}
