package io.fairlead.agent.stream;

import io.fairlead.api.PodCodec;
import io.fairlead.core.decide.PodCommand.ReconcileSource;
import io.fairlead.core.decide.PodDraft;
import io.fairlead.core.decide.PodsContext;
import io.fairlead.core.decide.PodsDecider;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.record.Change;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.view.Entry.PodEntry;
import io.fairlead.v1.Pod;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * Whether saying a source's Pods again would change the record: what the owner's own decider makes
 * of it, on the Pods of this node as the stream shows them. So a default that is filled in, or a
 * mark that somebody else put on a Pod, is no difference here either. Pure.
 */
final class Reassertion {
  /** Whichever: it is the node's own, and the newest. */
  private static final long SESSION = 1;

  private Reassertion() {}

  /**
   * Compares.
   *
   * @param said all Pods of the source
   * @param onRecord all Pods of the node
   */
  static boolean isDue(
      NodeIdentity node, String source, List<Pod> said, Collection<PodEntry> onRecord) {
    var records = new ArrayList<Change>();
    records.add(new Change.Put(record(node)));
    var namespaces = new TreeSet<String>();
    for (var entry : onRecord) {
      records.add(new Change.Put(entry.pod()));
      if (entry.pod().source().equals(source)) {
        namespaces.add(entry.pod().name().namespace());
      }
    }
    var drafts = new TreeMap<String, List<PodDraft>>();
    for (var pod : said) {
      var draft = PodCodec.draft(pod);
      drafts.computeIfAbsent(draft.objectName().namespace(), _ -> new ArrayList<>()).add(draft);
    }
    namespaces.addAll(drafts.keySet());
    var image = ClusterImage.EMPTY.with(records);
    var context = new PodsContext(Instant.EPOCH, RandomSource.seeded(0));
    for (var namespace : namespaces) {
      var command =
          new ReconcileSource(
              namespace,
              source,
              node.name(),
              SESSION,
              1,
              drafts.getOrDefault(namespace, List.of()));
      if (!PodsDecider.decide(image, command, context).changes().isEmpty()) {
        return true;
      }
    }
    return false;
  }

  private static Node record(NodeIdentity node) {
    return new Node(
        new ObjectMeta(
            "", node.name(), new UUID(0, 0), new TreeMap<>(), new TreeMap<>(), Instant.EPOCH),
        node.zone(),
        node.addresses(),
        node.podCidrs(),
        node.version(),
        "",
        OptionalLong.of(SESSION),
        Node.State.READY,
        "");
  }
}
