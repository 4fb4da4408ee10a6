package io.fairlead.endpoints.stream;

import io.fairlead.api.Errors;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.Position;
import io.fairlead.v1.Question;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The streams this replica holds, one for each node; of several sessions of a node the newest wins,
 * wherever it is. Thread-safe. Soft.
 */
public final class NodeStreams implements AutoCloseable {
  private final ConcurrentHashMap<String, NodeStream> byNode = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /** Takes a stream in and ends the one of an older session; false where a newer one is here. */
  boolean admit(NodeStream stream) {
    var winner =
        byNode.compute(
            stream.node(),
            (_, present) -> {
              if (present == null) {
                return stream;
              }
              if (present.session() > stream.session()) {
                return present;
              }
              present.close(ended(present, "the node opened a later session here"));
              return stream;
            });
    if (closed) {
      stream.close(Errors.shuttingDown());
    }
    return winner == stream;
  }

  void leave(NodeStream stream) {
    byNode.remove(stream.node(), stream);
  }

  private static io.grpc.StatusRuntimeException ended(NodeStream stream, String why) {
    return Refusals.sessionEnded(stream.node(), stream.session(), why);
  }

  /** The loader applied a delta: ends streams whose session is not the node's any more. */
  public void update(ClusterDelta delta, ClusterImage image) {
    for (var name : delta.nodes()) {
      var stream = Optional.ofNullable(byNode.get(name));
      var node = image.nodes().get(name);
      var deleted = delta.base().nodes().get(name).filter(_ -> node.isEmpty());
      if (stream.isPresent()
          && deleted
              .filter(n -> stream.get().session() <= n.object().session(n.offset()))
              .isPresent()) {
        // of a replica that was cut off: what its agent says would count for a node nobody knows
        stream.get().close(ended(stream.get(), "the node was deleted"));
      } else if (stream.isPresent() && node.isPresent()) {
        long current = node.get().object().session(node.get().offset());
        if (current > stream.get().session()) {
          stream.get().close(ended(stream.get(), "the node opened a later session"));
        } else if (current == stream.get().session()
            && node.get().object().state() == Node.State.LOST) {
          stream.get().close(ended(stream.get(), "the node was taken for lost"));
        }
      }
    }
  }

  /**
   * Asks a node's agent; the caller closes the question.
   *
   * @return empty where its stream is not here
   * @throws io.grpc.StatusRuntimeException AGENT_TOO_OLD, LIMIT_REACHED
   */
  public Optional<NodeQuestion> ask(String node, Question.Builder question) {
    return Optional.ofNullable(byNode.get(node))
        .filter(stream -> !stream.isOver())
        .map(stream -> stream.ask(question));
  }

  private static long lag(Position acknowledged, Position applied) {
    return applied.next().entrySet().stream()
        .mapToLong(e -> Math.max(0, e.getValue() - acknowledged.of(e.getKey())))
        .sum();
  }

  /** How far the node that is furthest behind is, in offsets; for metrics. */
  public long greatestLag(Position applied) {
    return all().stream()
        .flatMap(stream -> stream.acknowledged().position().stream())
        .mapToLong(position -> lag(position, applied))
        .max()
        .orElse(0);
  }

  /** How many streams there are. */
  public int size() {
    return byNode.size();
  }

  Collection<NodeStream> all() {
    return byNode.values();
  }

  /** Ends all streams; agents go to another replica. */
  @Override
  public void close() {
    closed = true;
    all().forEach(stream -> stream.close(Errors.shuttingDown()));
  }
}
