package io.fairlead.cli;

import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * The replicas of a service that a command talks to: always to one, until that fails; then to the
 * next, since one that hangs, or that lost what it needs, may keep its connection. Thread-safe.
 */
final class Replicas {
  private static final Duration DRAIN = Duration.ofSeconds(1);

  private final List<HostPort> addresses;

  /** By the place of the address that it tries first; made when first used. */
  private final Map<Integer, ManagedChannel> channels = new ConcurrentHashMap<>();

  private final AtomicInteger first = new AtomicInteger();

  /**
   * @param addresses at least one
   */
  Replicas(List<HostPort> addresses) {
    this.addresses = List.copyOf(addresses);
  }

  List<HostPort> addresses() {
    return addresses;
  }

  int count() {
    return addresses.size();
  }

  /** Which of them comes first now, for {@link #next}. */
  int first() {
    return first.get();
  }

  /** To the first that can be connected to, beginning with that one, then round. */
  ManagedChannel channel(int beginning) {
    return channels.computeIfAbsent(
        beginning,
        place ->
            GrpcChannels.of(
                IntStream.range(0, count())
                    .mapToObj(i -> addresses.get((place + i) % count()))
                    .toList(),
                GrpcChannels.Spread.FIRST));
  }

  /** After a failure of that one: the next comes first, for all who use this. */
  void next(int failed) {
    int next = (failed + 1) % count();
    first.compareAndSet(failed, next);
    // gRPC waits longer and longer before it connects again; how long to wait is decided here
    channel(next).resetConnectBackoff();
  }

  void close() {
    channels.values().forEach(channel -> GrpcChannels.close(channel, DRAIN));
  }
}
