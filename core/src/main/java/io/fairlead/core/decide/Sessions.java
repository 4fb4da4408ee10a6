package io.fairlead.core.decide;

import io.fairlead.core.image.ClusterImage;
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
    var current =
        object.session().isPresent() || known.get().isPending()
            ? object.session()
            : OptionalLong.of(known.get().offset());
    if (current.isEmpty() || current.getAsLong() > session) { // empty = being opened at this moment
      return Optional.of(new Refusal.SessionEnded(key, session, "the node opened a later session"));
    }
    return current.getAsLong() == session && object.state() == Node.State.LOST
        ? Optional.of(
            new Refusal.SessionEnded(
                key, session, "the node was lost in this session: open another"))
        : Optional.empty();
  }
}
