package io.fairlead.endpoints.decider;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Node;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Which nodes have been without a key in etcd for so long that they are lost; where the agent's
 * connection ended, that is not so long. Told what is there at each look; a look that failed makes
 * all waiting begin anew, because nobody knows what happened meanwhile. Of one thread. Soft: a new
 * owner waits the whole time again.
 */
final class MissingNodes {
  /** A node in one of its sessions. */
  record Missing(String node, long session) {}

  /**
   * What a look led to.
   *
   * @param lost to be written as lost now
   * @param held lost too, but held back because so many went at once
   */
  record Verdict(List<Missing> lost, List<Missing> held) {}

  private final NodeLossSettings settings;
  private final Map<Missing, Long> sinceNanos = new LinkedHashMap<>();
  private OptionalLong holdUntilNanos = OptionalLong.empty();

  MissingNodes(NodeLossSettings settings) {
    this.settings = settings;
  }

  /** etcd could not be asked, or somebody else decides now. */
  void forget() {
    sinceNanos.clear();
    holdUntilNanos = OptionalLong.empty();
  }

  /**
   * Takes a look in.
   *
   * @param present nodes with a key, in whichever session: one that is newer than the log's is
   *     about to be in the log
   * @param left those whose agents left the stream of that session
   */
  Verdict look(ClusterImage image, Set<String> present, Set<Missing> left, long nowNanos) {
    int ready = 0;
    var missing = new LinkedHashMap<Missing, Long>();
    for (var versioned : image.nodes().all()) {
      var node = versioned.object();
      if (node.state() == Node.State.READY) {
        ready++;
        if (!present.contains(node.name())) {
          var key = new Missing(node.name(), node.session(versioned.offset()));
          missing.put(key, sinceNanos.getOrDefault(key, nowNanos));
        }
      }
    }
    sinceNanos.clear();
    sinceNanos.putAll(missing);
    var lost = new ArrayList<Missing>();
    missing.forEach((node, since) -> {
      var after = left.contains(node) ? settings.afterClose() : settings.after();
      if (nowNanos - since >= after.toNanos()) {
        lost.add(node);
      }
    });
    if (lost.isEmpty()) {
      holdUntilNanos = OptionalLong.empty();
      return new Verdict(List.of(), List.of());
    }
    if (!settings.isMassLoss(missing.size(), ready)) {
      holdUntilNanos = OptionalLong.empty();
      return new Verdict(lost, List.of());
    }
    if (holdUntilNanos.isEmpty()) {
      holdUntilNanos = OptionalLong.of(nowNanos + settings.massHold().toNanos());
    }
    return nowNanos - holdUntilNanos.getAsLong() >= 0
        ? new Verdict(lost, List.of())
        : new Verdict(List.of(), lost);
  }
}
