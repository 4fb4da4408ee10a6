package io.fairlead.runtime;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Channels to one or several replicas of a service. */
public final class GrpcChannels {
  /** Which of the addresses calls go to. Both skip those that do not answer. */
  public enum Spread {
    /** One of them, picked at random, until it fails: for long streams. */
    ONE,
    /** The first of them that answers, in the given order. */
    FIRST,
    /** All of them, in turn: for many small calls. */
    ROUND_ROBIN
  }

  private static final Duration KEEPALIVE = Duration.ofSeconds(10);
  private static final Duration KEEPALIVE_TIMEOUT = Duration.ofSeconds(5);

  private GrpcChannels() {}

  /** {@link Spread#ONE}. */
  public static ManagedChannel of(List<HostPort> addresses) {
    return of(addresses, Spread.ONE);
  }

  /**
   * Connects when the first call is made. Names are looked up again after each broken connection.
   * Calls fail with UNAVAILABLE while nobody answers; give every call a deadline. The caller closes
   * it with {@link #close}.
   *
   * @param addresses at least one
   */
  public static ManagedChannel of(List<HostPort> addresses, Spread spread) {
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException("a channel needs an address");
    }
    var balancing =
        switch (spread) {
          case ONE -> Map.of("pick_first", Map.of("shuffleAddressList", true));
          case FIRST -> Map.of("pick_first", Map.of());
          case ROUND_ROBIN -> Map.of("round_robin", Map.of());
        };
    return NettyChannelBuilder.forTarget(
            StaticNameResolverProvider.target(addresses), InsecureChannelCredentials.create())
        .defaultServiceConfig(Map.of("loadBalancingConfig", List.of(balancing)))
        .keepAliveTime(KEEPALIVE.toNanos(), TimeUnit.NANOSECONDS)
        .keepAliveTimeout(KEEPALIVE_TIMEOUT.toNanos(), TimeUnit.NANOSECONDS)
        .maxInboundMessageSize(GrpcServer.Settings.DEFAULT_MAX_INBOUND)
        .build();
  }

  /**
   * One connection to exactly that server, whatever proxies the environment names; nothing is tried
   * twice. The caller shuts it down.
   */
  public static ManagedChannel direct(InetSocketAddress address) {
    return NettyChannelBuilder.forAddress(address)
        .usePlaintext()
        .proxyDetector(_ -> null)
        .disableRetry()
        .directExecutor()
        .build();
  }

  /** Cancels what still runs after {@code drain}. */
  public static void close(ManagedChannel channel, Duration drain) {
    channel.shutdown();
    try {
      if (!channel.awaitTermination(drain.toNanos(), TimeUnit.NANOSECONDS)) {
        channel.shutdownNow();
      }
    } catch (InterruptedException _) {
      channel.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
