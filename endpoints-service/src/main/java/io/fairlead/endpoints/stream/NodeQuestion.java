package io.fairlead.endpoints.stream;

import io.fairlead.api.Errors;
import io.fairlead.v1.Answer;
import io.fairlead.v1.Question;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A question to a node's agent, until its answer is complete. One thread waits for the parts, of
 * which one at most is held here; closing it lets the agent forget it.
 */
public final class NodeQuestion implements AutoCloseable {
  private static final Duration LOOK = Duration.ofMillis(50);

  private final NodeStream stream;
  private final long id;
  private final BlockingQueue<Optional<Answer>> parts = new ArrayBlockingQueue<>(2);
  private boolean asked = true; // for a part that has not come
  private boolean over;

  NodeQuestion(NodeStream stream, long id) {
    this.stream = stream;
    this.id = id;
  }

  long id() {
    return id;
  }

  /** A part came; more than were asked for are not kept. */
  void came(Answer part) {
    var _ = parts.offer(Optional.of(part));
  }

  /** The stream is over. */
  void gone() {
    var _ = parts.offer(Optional.empty());
  }

  /** Whether there is another part. */
  public boolean hasNext() {
    return !over;
  }

  /**
   * The next part, asked for now unless it is the first.
   *
   * @throws StatusRuntimeException NODE_AWAY: the stream ended, the agent could not tell, or said
   *     nothing for so long
   */
  public Answer next(Duration patience) throws InterruptedException {
    if (!asked) {
      stream.say(
          Question.newBuilder().setId(id).setNext(Question.NextPart.getDefaultInstance()).build());
    }
    asked = false;
    var part =
        came(patience)
            .orElseThrow(() -> Errors.nodeAway(stream.node(), "its stream ended meanwhile"));
    over = !part.getMore();
    if (part.getAnswerCase() == Answer.AnswerCase.FAILURE) {
      over = true;
      throw Errors.agentFailed(stream.node(), part.getFailure());
    }
    return part;
  }

  /** Looks now and then whether the caller waits yet. */
  private Optional<Answer> came(Duration patience) throws InterruptedException {
    for (long looks = patience.dividedBy(LOOK); looks > 0; looks--) {
      var part = Optional.ofNullable(parts.poll(LOOK.toNanos(), TimeUnit.NANOSECONDS));
      if (part.isPresent()) {
        return part.get();
      }
      if (Context.current().isCancelled()) {
        throw Status.CANCELLED.asRuntimeException();
      }
    }
    throw Errors.nodeAway(
        stream.node(), "its agent has said nothing for " + patience.toSeconds() + " s");
  }

  @Override
  public void close() {
    stream.answered(this);
    if (!over) {
      stream.drop(id);
    }
  }
}
