package io.fairlead.agent.stream;

import io.fairlead.agent.nft.DataPlane;
import io.fairlead.agent.nft.FlowGateway;
import io.fairlead.v1.Answer;
import io.fairlead.v1.NodeRulesRequest;
import io.fairlead.v1.Question;
import io.fairlead.v1.TraceFlowsRequest;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What replicas ask about this node's kernel: looks there on threads of its own, so that the loop
 * waits for nothing, and has the loop put the answer together. Owned by the loop.
 */
final class QuestionDesk {
  private static final Logger LOG = LoggerFactory.getLogger(QuestionDesk.class);

  private final String node;
  private final DataPlane plane;
  private final FlowGateway flows;
  private final Supplier<State> state;
  private final Consumer<Looked> looked;

  /** One look at a time: a question that is dropped frees its place, its look goes on. */
  private final Semaphore examining = new Semaphore(1);

  private final Semaphore finding = new Semaphore(1);

  /**
   * What the loop knows.
   *
   * @param error why disk or kernel failed last; "" = they did not
   */
  record State(io.fairlead.core.view.NodeView view, String error) {}

  /**
   * Something was found, or not; the loop hands it back to {@link #answer}.
   *
   * @param parts made by the loop, with what it knows then
   */
  record Looked(
      StreamClient.Session session, long question, Supplier<Iterator<Answer.Builder>> parts) {}

  /**
   * @param state asked by the loop
   * @param looked called by any thread
   */
  QuestionDesk(
      String node,
      DataPlane plane,
      FlowGateway flows,
      Supplier<State> state,
      Consumer<Looked> looked) {
    this.node = node;
    this.plane = plane;
    this.flows = flows;
    this.state = state;
    this.looked = looked;
  }

  /** The replica asked, or goes on with a question. */
  void take(StreamClient.Session session, Question question) {
    var outbox = session.outbox();
    switch (question.getQuestionCase()) {
      case RULES -> look(session, question.getId(), examining, () -> rules(question.getRules()));
      case FLOWS -> look(session, question.getId(), finding, () -> flows(question.getFlows()));
      case NEXT -> outbox.next(question.getId());
      case DROPPED -> outbox.drop(question.getId());
      case QUESTION_NOT_SET -> {
        if (ask(session, question.getId())) {
          outbox.answer(
              question.getId(),
              failure("its agent does not know this question; it is of an older version"));
        }
      }
    }
  }

  /** An answer, where somebody waits for it yet. */
  void answer(Looked what) {
    Iterator<Answer.Builder> parts;
    try {
      parts = what.parts().get();
    } catch (RuntimeException e) { // a defect, but of this answer only
      parts = List.of(notMade(e)).iterator();
    }
    what.session().outbox().answer(what.question(), parts);
  }

  private static boolean ask(StreamClient.Session session, long question) {
    boolean taken = session.outbox().ask(question);
    if (!taken) { // a replica asks fewer
      LOG.atDebug().addKeyValue("question", question).log("Too many questions are open");
    }
    return taken;
  }

  private void look(
      StreamClient.Session session,
      long question,
      Semaphore one,
      Supplier<Supplier<Iterator<Answer.Builder>>> look) {
    if (!ask(session, question)) {
      return;
    }
    if (!one.tryAcquire()) {
      session.outbox().answer(question, failure("it is busy with another question"));
      return;
    }
    Thread.ofVirtual()
        .name("question-" + question)
        .start(() -> {
          Supplier<Iterator<Answer.Builder>> parts;
          try {
            parts = look.get();
          } catch (RuntimeException e) { // of the kernel, or while the agent ends
            var words = String.valueOf(e.getMessage());
            parts = () -> failure(words);
          } finally {
            one.release(); // before it is told: who has the answer may ask again
          }
          looked.accept(new Looked(session, question, parts));
        });
  }

  private Supplier<Iterator<Answer.Builder>> rules(NodeRulesRequest request) {
    var examined = plane.examine();
    return () -> {
      var now = state.get();
      var parts = RulesAnswer.of(request, node, examined, now.view(), now.error());
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          return parts.hasNext();
        }

        @Override
        public Answer.Builder next() {
          return Answer.newBuilder().setRules(parts.next());
        }
      };
    };
  }

  private Supplier<Iterator<Answer.Builder>> flows(TraceFlowsRequest request) {
    var found = flows.find(FlowsAnswer.query(request));
    return () ->
        List.of(Answer.newBuilder().setFlows(FlowsAnswer.of(found, state.get().view()))).iterator();
  }

  private static Iterator<Answer.Builder> failure(String words) {
    return List.of(Answer.newBuilder().setFailure(words)).iterator();
  }

  /** The answer of an agent that could not make the one that was asked for. */
  static Answer.Builder notMade(RuntimeException e) {
    LOG.atError().addKeyValue("event", "agent.answer-failed").setCause(e).log("No answer made");
    return Answer.newBuilder().setFailure("its agent could not make the answer: " + e);
  }
}
