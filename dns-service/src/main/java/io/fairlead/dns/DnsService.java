package io.fairlead.dns;

import io.fairlead.core.dns.ZoneSettings;
import io.fairlead.core.model.Address;
import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.dns.client.OwnAddress;
import io.fairlead.dns.client.PodRegistration;
import io.fairlead.dns.forward.Forwarder;
import io.fairlead.dns.forward.ResolvConf;
import io.fairlead.dns.grpc.LogService;
import io.fairlead.dns.server.GuardedResponder;
import io.fairlead.dns.server.QueryMetrics;
import io.fairlead.dns.server.QueryStats;
import io.fairlead.dns.server.ServerSockets;
import io.fairlead.dns.server.TcpLimits;
import io.fairlead.dns.server.TcpServer;
import io.fairlead.dns.server.UdpServer;
import io.fairlead.dns.wire.Responder;
import io.fairlead.dns.wire.Upstream;
import io.fairlead.dns.zone.ZonePublisher;
import io.fairlead.dns.zone.ZoneReader;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.KafkaEventLog;
import io.fairlead.eventlog.log.KafkaLogConfig;
import io.fairlead.runtime.Faults;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.Health;
import io.fairlead.runtime.HttpEndpoints;
import io.fairlead.runtime.Metrics;
import io.fairlead.runtime.Shutdown;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Answers DNS from the log. Nothing durable: the zone is rebuilt from the log on start; until then
 * names of the zones are answered SERVFAIL and all others forwarded. What the zone has is
 * acknowledged, so that others know what is not answered any more. With Kafka away it goes on with
 * the last zone it has; broken invariants freeze that zone and turn it not ready.
 *
 * <p>Threads: the loader's, one for UDP, one that accepts TCP, virtual ones for TCP connections,
 * forwarded queries and the search for the log.
 */
public final class DnsService implements AutoCloseable {
  private static final Duration FORWARD_TIMEOUT = Duration.ofSeconds(2);
  private static final int FORWARD_LIMIT = 1_000; // as CoreDNS' usual max_concurrent
  private static final int PORT_ATTEMPTS = 10;
  private static final Duration READINESS_LOOK = Duration.ofMillis(200);
  private static final Duration CHANNEL_DRAIN = Duration.ofSeconds(2);

  private final Shutdown shutdown;
  private final List<InetSocketAddress> addresses;
  private final int httpPort;
  private final int grpcPort;

  private DnsService(
      Shutdown shutdown, List<InetSocketAddress> addresses, int httpPort, int grpcPort) {
    this.shutdown = shutdown;
    this.addresses = List.copyOf(addresses);
    this.httpPort = httpPort;
    this.grpcPort = grpcPort;
  }

  /**
   * Wires everything against Kafka, which may come later. @throws IOException an address cannot be
   * bound, or resolv.conf cannot be read
   */
  public static DnsService start(DnsConfig config, Time time, RandomSource random)
      throws IOException {
    return start(config, time, random, ServerSockets.plain());
  }

  /** As {@link #start(DnsConfig, Time, RandomSource)}, with sockets for DNS that others open. */
  public static DnsService start(
      DnsConfig config, Time time, RandomSource random, ServerSockets sockets) throws IOException {
    var kafka =
        KafkaLogConfig.of(config.kafkaBootstrap(), "dns-" + config.replica())
            .withReplicationFactor(config.replicationFactor());
    return start(config, () -> KafkaEventLog.open(kafka, time), time, random, sockets);
  }

  /**
   * Wires everything.
   *
   * @param openLog called until it does not throw; what it opens is closed here
   */
  static DnsService start(
      DnsConfig config,
      Supplier<EventLog> openLog,
      Time time,
      RandomSource random,
      ServerSockets sockets)
      throws IOException {
    var shutdown = new Shutdown();
    try {
      var health = new Health();
      shutdown.onClose("readiness", health::drain);
      FaultHandler faults = Faults.unready(health);
      var metrics = Metrics.ofProcess("dns-service");
      var starting = health.starting("the log and the sockets");
      var http = shutdown.opened("http", HttpEndpoints.start(config.httpListen(), health, metrics));
      var zones = new ZonePublisher(zoneSettings(config));
      var self = new ZoneReader.Self(config.replica(), config.ttl());
      var reader =
          shutdown.opened(
              "log", ZoneReader.start(openLog, zones, self, config.snapshots(), faults, time));
      reader.figures(
          (what, help, value) -> metrics.gauge("log", what, help, value),
          (what, help, value) -> metrics.counter("log", what, help, value));
      health.ready("log", reader::trouble);
      var grpc =
          shutdown.opened(
              "grpc",
              GrpcServer.start(
                  GrpcServer.Settings.listening(config.grpcListen()),
                  List.of(new LogService(config.replica(), reader::reading)),
                  List.of(),
                  metrics));
      metrics.gauge(
          "dns",
          "names",
          "Names that exist in the served zones.",
          () -> zones.zone().names().size());
      metrics.gauge(
          "dns", "log_connected", "1 while the log can be read.", () -> reader.connected() ? 1 : 0);

      var stats = new QueryMetrics(metrics);
      var responder =
          new GuardedResponder(
              new Responder(zones::zone, reader::synced, upstream(config.forward(), random)),
              stats,
              time);
      var addresses = new ArrayList<InetSocketAddress>();
      for (var listen : config.listen()) {
        var udp = listen(shutdown, listen.bindAddress(), sockets, responder, stats, faults, time);
        addresses.add(udp.address());
      }
      config
          .registration()
          .ifPresent(registration -> {
            var channel = GrpcChannels.of(registration.endpoints());
            shutdown.onClose("channel", () -> GrpcChannels.close(channel, CHANNEL_DRAIN));
            shutdown.opened(
                "registration",
                PodRegistration.start(
                    channel,
                    config.replica(),
                    ownAddress(registration),
                    addresses.getFirst().getPort(),
                    health::isReady,
                    time,
                    random));
          });
      starting.done();
      Thread.ofVirtual()
          .name("grpc-ready")
          .start(() -> keepReadiness(shutdown, health, grpc, time));
      return new DnsService(shutdown, addresses, http.port(), grpc.port());
    } catch (IOException | RuntimeException e) {
      shutdown.close();
      throw e;
    }
  }

  private static OwnAddress ownAddress(DnsConfig.Registration registration) {
    return switch (registration.address()) {
      case DnsConfig.AdvertiseIp.Given(var address) -> new OwnAddress.Given(address);
      case DnsConfig.AdvertiseIp.Auto() -> new OwnAddress.TowardsOneOf(registration.endpoints());
    };
  }

  /** The gRPC health follows that of the process, which may change more than once. */
  private static void keepReadiness(Shutdown shutdown, Health health, GrpcServer grpc, Time time) {
    var told = GrpcServer.Readiness.NOT_READY;
    try {
      while (!shutdown.isStopping()) {
        var now = health.isReady() ? GrpcServer.Readiness.READY : GrpcServer.Readiness.NOT_READY;
        if (now != told) {
          grpc.readiness(now);
          told = now;
        }
        time.sleep(READINESS_LOOK);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** Both transports on one port, also where any port will do. */
  private static UdpServer listen(
      Shutdown shutdown,
      InetSocketAddress address,
      ServerSockets sockets,
      GuardedResponder responder,
      QueryStats stats,
      FaultHandler faults,
      Time time)
      throws IOException {
    for (int attempt = 1; ; attempt++) {
      var udp = UdpServer.start(address, sockets, responder, stats, faults, time);
      try {
        var tcp =
            TcpServer.start(
                udp.address(), sockets, responder, stats, TcpLimits.DEFAULT, faults, time);
        shutdown.opened("udp", udp);
        shutdown.opened("tcp", tcp);
        return udp;
      } catch (IOException | RuntimeException e) {
        udp.close();
        // The port that UDP was given may be somebody else's by TCP.
        if (address.getPort() != 0 || attempt == PORT_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private static ZoneSettings zoneSettings(DnsConfig config) {
    var servers = new ArrayList<Address>();
    if (config.registration().isPresent()
        && config.registration().get().address() instanceof DnsConfig.AdvertiseIp.Given(var own)) {
      servers.add(own); // another one is not known yet, and may change
    }
    if (servers.isEmpty()) {
      config.listen().stream()
          .flatMap(listen -> Address.parse(listen.host()).stream())
          .filter(a -> a.high() != 0 || a.low() != 0) // the wildcard address is nobody's
          .forEach(servers::add);
    }
    return new ZoneSettings(config.domain(), config.reverse(), config.ttl(), servers);
  }

  private static Optional<Upstream> upstream(DnsConfig.Forward forward, RandomSource random)
      throws IOException {
    var servers =
        switch (forward) {
          case DnsConfig.Forward.Nowhere _ -> List.<InetSocketAddress>of();
          case DnsConfig.Forward.Servers(var list) ->
              list.stream().map(a -> new InetSocketAddress(a.host(), a.port())).toList();
          case DnsConfig.Forward.ResolvConf(var file) -> {
            try {
              yield ResolvConf.nameservers(file);
            } catch (IOException e) {
              throw new IOException("--forward: cannot read " + file + ": " + e.getMessage(), e);
            }
          }
        };
    return servers.isEmpty()
        ? Optional.empty()
        : Optional.of(new Forwarder(servers, FORWARD_TIMEOUT, FORWARD_LIMIT, random.generator()));
  }

  /** Where DNS is answered, by UDP and TCP. */
  public List<InetSocketAddress> addresses() {
    return addresses;
  }

  public int httpPort() {
    return httpPort;
  }

  /** Where {@code Log.Status} is answered. */
  public int grpcPort() {
    return grpcPort;
  }

  /** Waits for SIGTERM. */
  public void awaitStopped() throws InterruptedException {
    shutdown.awaitStopped();
  }

  @Override
  public void close() {
    shutdown.close();
  }
}
