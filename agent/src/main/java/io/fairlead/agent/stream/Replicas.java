package io.fairlead.agent.stream;

import io.fairlead.core.run.RandomSource;
import io.fairlead.runtime.HostPort;
import java.time.Duration;
import java.util.List;

/**
 * Which replica is tried next, and when: the next one at once, until all have failed in a row; then
 * after a growing pause with jitter, so that the nodes of a cluster do not come back as one. Owned
 * by the loop.
 */
final class Replicas {
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  private final List<HostPort> addresses;
  private final RandomSource random;
  private int next;
  private int failures;

  /** Begins anywhere, so that the nodes spread over the replicas. */
  Replicas(List<HostPort> addresses, RandomSource random) {
    this.addresses = List.copyOf(addresses);
    this.random = random;
    this.next = random.generator().nextInt(addresses.size());
  }

  HostPort take() {
    var address = addresses.get(next);
    next = (next + 1) % addresses.size();
    return address;
  }

  /** All of them. */
  List<HostPort> addresses() {
    return addresses;
  }

  /** Another one than {@link #take} would name is tried; then the one after it. */
  void taken(HostPort address) {
    next = (addresses.indexOf(address) + 1) % addresses.size();
  }

  /** A stream worked well for a while. */
  void worked() {
    failures = 0;
  }

  /** A stream did not work; how long to wait before the next one. */
  Duration failed() {
    failures++;
    if (failures % addresses.size() != 0) {
      return Duration.ZERO;
    }
    int round = Math.min(failures / addresses.size(), 10);
    long most = Math.min(FIRST_PAUSE.toNanos() << (round - 1), LONGEST_PAUSE.toNanos());
    return Duration.ofNanos(most / 2 + random.generator().nextLong(most / 2));
  }
}
