package io.fairlead.endpoints.stream;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How the streams of all agents stand among the replicas that are ready. Pure.
 *
 * @param me this replica
 * @param held how many each replica that is ready holds, this one too
 */
record Shares(String me, SortedMap<String, Integer> held) {
  /**
   * Counts.
   *
   * @param ready replicas that are ready, this one too
   * @param holders of each node the replica that has its stream; those that are not ready do not
   *     count
   */
  static Shares of(String me, Collection<String> ready, Collection<String> holders) {
    var held = new TreeMap<String, Integer>();
    ready.forEach(replica -> held.put(replica, 0));
    holders.forEach(replica -> held.computeIfPresent(replica, (_, nodes) -> nodes + 1));
    return new Shares(me, held);
  }

  int mine() {
    return held.getOrDefault(me, 0);
  }

  /** What each would hold at most if all held the same. */
  int fair() {
    int all = held.values().stream().mapToInt(Integer::intValue).sum();
    return Math.ceilDiv(all, held.size());
  }

  /** Whether this one holds so many more that it is worth a move. */
  boolean tooMany(double slack) {
    return mine() > fair() + Math.max(1, (int) Math.ceil(fair() * slack));
  }

  /** How many should go. */
  int excess() {
    return Math.max(0, mine() - fair());
  }

  /** Those that hold less than their share, who lacks most first. */
  List<String> lacking() {
    return held.entrySet().stream()
        .filter(entry -> !entry.getKey().equals(me) && entry.getValue() < fair())
        .sorted(Map.Entry.comparingByValue(Comparator.naturalOrder()))
        .map(Map.Entry::getKey)
        .toList();
  }

  /** After one was sent to that replica. */
  Shares moved(String to) {
    var next = new TreeMap<>(held);
    next.merge(me, -1, Integer::sum);
    next.merge(to, 1, Integer::sum);
    return new Shares(me, next);
  }

  /** Where the next ones should go, one for each, until this replica holds its share. */
  List<String> destinations(int most) {
    var all = new ArrayList<String>();
    var shares = this;
    while (all.size() < most && shares.excess() > 0 && !shares.lacking().isEmpty()) {
      var next = shares.lacking().getFirst();
      all.add(next);
      shares = shares.moved(next);
    }
    return all;
  }
}
