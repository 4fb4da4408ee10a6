package io.fairlead.testbed.history;

import java.util.List;

/**
 * What the users of a history do.
 *
 * @param seed of every choice
 * @param namespace that nobody else uses, and never used before
 * @param clients at once
 * @param names that they fight about
 * @param addresses all that can be given out; nobody has any at the beginning
 * @param pauseMillis mean time between two requests of one client
 */
public record HistorySpec(
    long seed, String namespace, int clients, int names, List<String> addresses, int pauseMillis) {
  public HistorySpec {
    addresses = List.copyOf(addresses);
    if (clients < 1 || names < 1 || addresses.isEmpty() || pauseMillis < 1) {
      throw new IllegalArgumentException("nothing to do: " + clients + " clients");
    }
  }

  /** Twelve clients; more names than addresses, so that the last free one is fought about, too. */
  public static HistorySpec of(long seed, String namespace, List<String> addresses) {
    return new HistorySpec(seed, namespace, 12, addresses.size() * 3 / 2, addresses, 20);
  }
}
