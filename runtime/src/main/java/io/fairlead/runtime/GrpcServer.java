package io.fairlead.runtime;

import io.fairlead.core.model.Cidr;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionService;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A gRPC server over plain text: each call on a virtual thread of its own, health ({@code ""} and
 * each service, NOT_SERVING until {@link #readiness} says otherwise), reflection v1 and v1alpha,
 * metrics, {@link ErrorInterceptor}.
 */
public final class GrpcServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GrpcServer.class);

  /**
   * How it listens.
   *
   * @param listen at least one; all serve alike
   * @param maxInbound largest message taken, in bytes
   * @param maxConnectionAge connections are asked to end after about that long, so that clients
   *     spread over the replicas again
   * @param drain how long {@link GrpcServer#close} waits for running calls
   * @param allowFrom whose calls are served; empty: everybody's
   */
  public record Settings(
      List<HostPort> listen,
      int maxInbound,
      Optional<Duration> maxConnectionAge,
      Duration drain,
      List<Cidr> allowFrom) {
    public static final int DEFAULT_MAX_INBOUND = 4 << 20;
    public static final Duration DEFAULT_DRAIN = Duration.ofSeconds(10);

    public Settings {
      listen = List.copyOf(listen);
      allowFrom = List.copyOf(allowFrom);
      if (listen.isEmpty()) {
        throw new IllegalArgumentException("a server needs an address to listen on");
      }
    }

    public static Settings listening(HostPort listen) {
      return listening(List.of(listen));
    }

    public static Settings listening(List<HostPort> listen) {
      return new Settings(listen, DEFAULT_MAX_INBOUND, Optional.empty(), DEFAULT_DRAIN, List.of());
    }

    public Settings withMaxConnectionAge(Duration age) {
      return new Settings(listen, maxInbound, Optional.of(age), drain, allowFrom);
    }

    public Settings withDrain(Duration limit) {
      return new Settings(listen, maxInbound, maxConnectionAge, limit, allowFrom);
    }

    public Settings withAllowFrom(List<Cidr> ranges) {
      return new Settings(listen, maxInbound, maxConnectionAge, drain, ranges);
    }
  }

  /** What the health service answers. */
  public enum Readiness {
    READY,
    NOT_READY
  }

  private final Server server;
  private final int port;
  private final HealthStatusManager health;
  private final List<String> services;
  private final ExecutorService threads;
  private final Duration drain;

  private GrpcServer(
      Server server,
      int port,
      HealthStatusManager health,
      List<String> services,
      ExecutorService threads,
      Duration drain) {
    this.server = server;
    this.port = port;
    this.health = health;
    this.services = services;
    this.threads = threads;
    this.drain = drain;
  }

  /**
   * Listens and serves; not ready yet.
   *
   * @param interceptors around all services, the first one outermost, inside metrics and errors
   * @throws ListenException the address cannot be listened on
   */
  public static GrpcServer start(
      Settings settings,
      List<BindableService> services,
      List<ServerInterceptor> interceptors,
      Metrics metrics) {
    var threads = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("grpc-", 0).factory());
    var health = new HealthStatusManager();
    // A client that pings a quiet stream each 10 s must not be taken for an attacker.
    var builder =
        NettyServerBuilder.forAddress(settings.listen().getFirst().bindAddress())
            .executor(threads)
            .permitKeepAliveTime(5, TimeUnit.SECONDS)
            .permitKeepAliveWithoutCalls(true)
            .keepAliveTime(10, TimeUnit.SECONDS)
            .keepAliveTimeout(5, TimeUnit.SECONDS)
            .maxInboundMessageSize(settings.maxInbound());
    settings.listen().stream().skip(1).forEach(a -> builder.addListenAddress(a.bindAddress()));
    settings
        .maxConnectionAge()
        .ifPresent(age -> {
          builder.maxConnectionAge(age.toNanos(), TimeUnit.NANOSECONDS);
          builder.maxConnectionAgeGrace(settings.drain().toNanos(), TimeUnit.NANOSECONDS);
        });
    var errors = new ErrorInterceptor();
    var measured = new GrpcMetrics(metrics);
    if (!settings.allowFrom().isEmpty()) {
      builder.intercept(new PeerFilter(settings.allowFrom()));
    }
    for (var service : services) {
      var inner = ServerInterceptors.interceptForward(service, interceptors);
      builder.addService(ServerInterceptors.interceptForward(inner, measured, errors));
    }
    builder.addService(health.getHealthService());
    builder.addService(ProtoReflectionServiceV1.newInstance());
    builder.addService(v1AlphaReflection());
    Server server;
    try {
      server = builder.build().start();
    } catch (IOException | RuntimeException e) {
      threads.shutdownNow();
      throw new ListenException("--listen", settings.listen(), e);
    }
    var names =
        services.stream().map(s -> s.bindService().getServiceDescriptor().getName()).toList();
    var started =
        new GrpcServer(
            server,
            port(server, settings.listen().getFirst()),
            health,
            names,
            threads,
            settings.drain());
    started.readiness(Readiness.NOT_READY);
    return started;
  }

  @SuppressWarnings("deprecation") // what older grpcurl and Postman still speak
  private static BindableService v1AlphaReflection() {
    return ProtoReflectionService.newInstance();
  }

  /** Changes what the health service says, and tells those who watch it. */
  public void readiness(Readiness readiness) {
    var status =
        switch (readiness) {
          case READY -> ServingStatus.SERVING;
          case NOT_READY -> ServingStatus.NOT_SERVING;
        };
    health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
    services.forEach(name -> health.setStatus(name, status));
  }

  /** The port of the first address it listens on, also where 0 was asked for. */
  public int port() {
    return port;
  }

  /** gRPC answers the sockets in no order. */
  private static int port(Server server, HostPort first) {
    if (first.port() != 0) {
      return first.port();
    }
    var address = first.bindAddress().getAddress();
    return server.getListenSockets().stream()
        .filter(socket -> socket instanceof InetSocketAddress i && i.getAddress().equals(address))
        .map(socket -> ((InetSocketAddress) socket).getPort())
        .findFirst()
        .orElseGet(server::getPort);
  }

  /** NOT_SERVING, no new calls, waits for the running ones up to the limit, then cancels them. */
  @Override
  public void close() {
    health.enterTerminalState();
    server.shutdown();
    try {
      if (!server.awaitTermination(drain.toNanos(), TimeUnit.NANOSECONDS)) {
        LOG.atWarn().addKeyValue("after", drain).log("Cancelling calls that did not end");
        server.shutdownNow();
        server.awaitTermination(1, TimeUnit.SECONDS);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      server.shutdownNow();
      threads.shutdownNow();
    }
  }
}
