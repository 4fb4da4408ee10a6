package io.fairlead.core.decide;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectKey;
import java.util.Optional;
import java.util.OptionalLong;

/** Which session of a node still counts. */
final class Sessions {
  private Sessions() {}

  /**
   * Why that session of the node does not count any more, or empty. A session that the image does
   * not know yet counts: Nodes live in another partition, whose records may arrive later.
   */
  static Optional<Refusal> fault(ClusterImage image, String node, long session) {
    var key = ObjectKey.ofCluster(Kind.NODE, node);
    var known = image.nodes().get(node);
    if (known.isEmpty()) {
      return Optional.empty();
    }
    var object = known.get().object();
    var current = current(known.get());
    if (current.isEmpty() || current.getAsLong() > session) { // empty = being opened at this moment
      return Optional.of(new Refusal.SessionEnded(key, session, "the node opened a later session"));
    }
    return current.getAsLong() == session && object.state() == Node.State.LOST
        ? Optional.of(
            new Refusal.SessionEnded(
                key, session, "the node was lost in this session: open another"))
        : Optional.empty();
  }

  /**
   * The same where the image has every session that was opened before: one that it does not know
   * was of a node that somebody deleted.
   */
  static Optional<Refusal> faultOfKnown(ClusterImage image, String node, long session) {
    return image.nodes().get(node).isEmpty()
        ? Optional.of(
            new Refusal.SessionEnded(
                ObjectKey.ofCluster(Kind.NODE, node), session, "there is no such node: open one"))
        : fault(image, node, session);
  }

  /**
   * Why that agent must not open another session, or empty: since its last one, another process
   * opened one under the same name. Of two agents with one name so the newest has the node, and the
   * other one learns of it for good, instead of taking the node back. One that has just started is
   * the newest.
   */
  static Optional<Refusal> superseded(ClusterImage image, NodeDraft draft) {
    if (draft.previousSession() == 0) {
      return Optional.empty();
    }
    return image
        .nodes()
        .get(draft.name())
        // one that does not say which it is may be this very process, by way of an older replica
        .filter(node -> !node.object().instance().isEmpty())
        .filter(node -> !node.object().instance().equals(draft.instance()))
        .filter(node -> current(node).orElse(Long.MAX_VALUE) > draft.previousSession())
        .map(node ->
            new Refusal.Superseded(
                ObjectKey.ofCluster(Kind.NODE, draft.name()),
                draft.previousSession(),
                node.object().addresses().getFirst()));
  }

  /** Empty = being opened at this moment. */
  private static OptionalLong current(Versioned<Node> node) {
    var said = node.object().session();
    return said.isPresent() || node.isPending() ? said : OptionalLong.of(node.offset());
  }
}
