package io.fairlead.endpoints.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.Time;
import io.fairlead.v1.NodeRulesRequest;
import io.fairlead.v1.Question;
import io.fairlead.v1.Question.QuestionCase;
import io.fairlead.v1.ReplicaMessage;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class NodeQuestionTest {
  /** An agent that takes all that it is sent. */
  private static final class Taking extends ServerCallStreamObserver<ReplicaMessage> {
    private final List<ReplicaMessage> taken = new CopyOnWriteArrayList<>();

    List<Question> questions() {
      return taken.stream()
          .filter(ReplicaMessage::hasQuestion)
          .map(ReplicaMessage::getQuestion)
          .toList();
    }

    @Override
    public void onNext(ReplicaMessage message) {
      taken.add(message);
    }

    @Override
    public boolean isReady() {
      return true;
    }

    @Override
    public boolean isCancelled() {
      return false;
    }

    @Override
    public void onError(Throwable t) {}

    @Override
    public void onCompleted() {}

    @Override
    public void setOnCancelHandler(Runnable handler) {}

    @Override
    public void setOnReadyHandler(Runnable handler) {}

    @Override
    public void setCompression(String compression) {}

    @Override
    public void setMessageCompression(boolean enable) {}

    @Override
    public void disableAutoInboundFlowControl() {}

    @Override
    public void request(int count) {}
  }

  private final Taking agent = new Taking();
  private final NodeStream stream =
      new NodeStream(
          new NodeStream.Agent("n1", 1, Optional.empty(), NodeStream.NEWEST_PROTOCOL),
          "a",
          agent,
          new Contents(new LogIdentity("s", "p"), 10, () -> Instant.MIN),
          new EndOffsets(Map::of),
          new ResetTurns(1, Time.system()),
          StreamSettings.DEFAULT,
          new StreamStats(),
          FaultPoints.NONE,
          Time.system());

  private NodeQuestion ask() {
    return stream.ask(Question.newBuilder().setRules(NodeRulesRequest.getDefaultInstance()));
  }

  /** Else what waits for it would grow with each caller that gives up. */
  @Test
  void anAgentHearsNothingOfQuestionsThatWereGivenUpBeforeItTookThem() throws Exception {
    for (int i = 0; i < 100; i++) {
      ask().close();
    }
    var question = ask();
    var writer = Thread.ofVirtual().start(stream::run);
    await("the question", () -> !agent.questions().isEmpty());
    question.close();
    await("that nobody waits", () -> agent.questions().size() >= 2);
    stream.close(Status.OK.asRuntimeException());
    writer.join();
    assertThat(agent.questions())
        .extracting(Question::getId, Question::getQuestionCase)
        .containsExactly(
            tuple(question.id(), QuestionCase.RULES), tuple(question.id(), QuestionCase.DROPPED));
  }

  private static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(20))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(5))
        .until(condition);
  }
}
