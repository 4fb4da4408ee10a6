package io.fairlead.endpoints.acks;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Position;
import io.fairlead.endpoints.acks.AckTable.Heard;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which DNS servers may still tell what was before a position, or have told it so lately that
 * others remember it. Knows since when each has the position, so it is made for one wait. Of one
 * thread.
 */
public final class DnsCheck {
  /** Who was not heard of for so long is gone: servers say something every 5 s. */
  static final Duration GONE = Duration.ofSeconds(15);

  private static final String NAMESPACE = "kube-system";
  private static final String SOURCE = "dns/";

  private final Acks acks;
  private final Position position;
  private final Map<String, Long> sinceNanos = new HashMap<>();

  public DnsCheck(Acks acks, Position position) {
    this.acks = acks;
    this.position = position;
  }

  /** What has to be waited for, for people; empty = nobody remembers anything older. */
  public List<String> look(ClusterImage image, long nowNanos) {
    var waiting = new ArrayList<String>();
    servers(acks, image, nowNanos)
        .forEach((name, last) -> {
          var has =
              last.filter(word -> word.position().filter(at -> at.covers(position)).isPresent());
          if (has.isEmpty()) {
            sinceNanos.remove(name);
            waiting.add(name + " has not acknowledged it");
            return;
          }
          long since = sinceNanos.computeIfAbsent(name, _ -> nowNanos);
          if (nowNanos - since < has.get().ttl().toNanos()) {
            waiting.add(
                name
                    + ": what it answered before is remembered for "
                    + has.get().ttl().toSeconds()
                    + " s");
          }
        });
    return waiting;
  }

  /**
   * The replicas of dns-service: those that registered themselves as Pods, and those that were
   * heard of lately. By name, with their last word; empty = it said nothing yet.
   */
  public static SortedMap<String, Optional<Acknowledgement>> servers(
      Acks acks, ClusterImage image, long nowNanos) {
    var servers = new TreeMap<String, Optional<Acknowledgement>>();
    for (var pod : image.pods().inNamespace(NAMESPACE)) { // those that registered themselves
      var source = pod.object().source();
      if (source.startsWith(SOURCE)) {
        servers.put(source.substring(SOURCE.length()), Optional.empty());
      }
    }
    for (Heard heard : acks.ofDns()) {
      var name = heard.word().member().name();
      if (servers.containsKey(name) || nowNanos - heard.heardNanos() <= GONE.toNanos()) {
        servers.put(name, Optional.of(heard.word()));
      }
    }
    return servers;
  }
}
