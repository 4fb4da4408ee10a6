package io.fairlead.agent.stream;

import io.fairlead.agent.probe.ReadinessDesk.Report;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.v1.Ack;
import io.fairlead.v1.AgentMessage;
import io.fairlead.v1.Answer;
import io.fairlead.v1.NamespacedReadiness;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodReadinessReport;
import io.fairlead.v1.ReadinessReports;
import io.fairlead.v1.RefusedRule;
import io.fairlead.v1.SourceState;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What one session still has to tell its replica: only the last word on each thing, however long
 * the replica takes nothing. Owned by the loop.
 */
final class Outbox {
  private static final int LONGEST = 500;

  /** Each may hold a picture of the kernel. */
  private static final int MOST_QUESTIONS = 4;

  private long sequence;
  private int protocol = Frames.OLDEST_PROTOCOL;
  private Optional<Ack> ack = Optional.empty();
  private final Map<ObjectName, Report> reports = new LinkedHashMap<>();
  private final Map<String, List<Pod>> sources = new LinkedHashMap<>();

  /** Questions that are not answered whole, with what of the answer was not sent yet. */
  private final Map<Long, Iterator<Answer.Builder>> answers = new LinkedHashMap<>();

  /** Questions of which a part is to be sent. */
  private final Deque<Long> parts = new ArrayDeque<>();

  /** What Welcome said. */
  void speak(int spoken) {
    protocol = spoken;
  }

  /**
   * @param frame the last one that is answered by this
   * @param position what the kernel equals; empty = nothing yet
   * @param error why it did not move; "" = it did
   * @param manifests why some are refused, the last one last
   */
  void acknowledge(
      long frame,
      Optional<Position> position,
      List<RefusedRule> refused,
      String error,
      List<String> manifests) {
    var next =
        Ack.newBuilder()
            .setFrame(frame)
            .addAllRefused(refused)
            .setError(error)
            .setRefusedManifests(manifests.size());
    if (!manifests.isEmpty()) {
      next.setManifestError(cut(manifests.getLast()));
    }
    position.ifPresent(
        p -> next.setPosition(protocol >= 2 ? PositionCodec.brief(p) : PositionCodec.proto(p)));
    ack = Optional.of(next.build());
  }

  /** A manifest may have many faults. */
  private static String cut(String words) {
    return words.length() <= LONGEST ? words : words.substring(0, LONGEST) + "...";
  }

  void report(Collection<Report> what) {
    what.forEach(report -> reports.put(report.pod(), report));
  }

  void source(String name, List<Pod> pods) {
    sources.put(name, pods);
  }

  /** Takes a question in; false where too many are open. */
  boolean ask(long question) {
    if (answers.size() >= MOST_QUESTIONS) {
      return false;
    }
    answers.put(question, Collections.emptyIterator());
    return true;
  }

  /** What its answer is made of, in order; at least one part. */
  void answer(long question, Iterator<Answer.Builder> answer) {
    if (answers.replace(question, answer) != null) { // else nobody waits any more
      parts.add(question);
    }
  }

  /** The next part of it is wanted. */
  void next(long question) {
    if (answers.containsKey(question) && !parts.contains(question)) {
      parts.add(question);
    }
  }

  /** Nobody waits for it any more. */
  void drop(long question) {
    answers.remove(question);
    parts.remove(question);
  }

  /** The next part of an answer; the last one closes the question. */
  Optional<Answer.Builder> nextPart(long question) {
    var left = answers.getOrDefault(question, Collections.emptyIterator());
    if (!left.hasNext()) {
      return Optional.empty();
    }
    Answer.Builder part;
    try {
      part = left.next().setQuestion(question).setMore(left.hasNext());
    } catch (RuntimeException e) { // a defect, but of this answer only
      part = QuestionDesk.notMade(e).setQuestion(question);
    }
    if (!part.getMore()) {
      answers.remove(question);
    }
    return Optional.of(part);
  }

  /** Sends what the replica takes. */
  void flush(Link link, FaultPoints points) {
    if (link.isWritable() && ack.isPresent()) {
      link.send(AgentMessage.newBuilder().setAck(ack.get()));
      ack = Optional.empty();
      points.reached(FaultPoint.ACK_SENT);
    }
    if (link.isWritable() && !reports.isEmpty()) {
      var message = ReadinessReports.newBuilder().setSequence(++sequence);
      reports.values().forEach(report -> message.addReports(proto(report)));
      reports.clear();
      link.send(AgentMessage.newBuilder().setReadiness(message));
      points.reached(FaultPoint.REPORT_SENT);
    }
    while (link.isWritable() && !sources.isEmpty()) {
      var name = sources.keySet().iterator().next();
      link.send(
          AgentMessage.newBuilder()
              .setSourceState(
                  SourceState.newBuilder()
                      .setSource(name)
                      .setSequence(++sequence)
                      .addAllPods(sources.getOrDefault(name, List.of()))));
      sources.remove(name);
      points.reached(FaultPoint.SOURCE_SENT);
    }
    while (link.isWritable() && !parts.isEmpty()) {
      nextPart(parts.remove())
          .ifPresent(part -> link.send(AgentMessage.newBuilder().setAnswer(part)));
    }
  }

  private static NamespacedReadiness proto(Report report) {
    var said =
        PodReadinessReport.newBuilder()
            .setName(report.pod().name())
            .setPodUid(report.uid().toString())
            .setReady(report.verdict().ready())
            .setReason(report.verdict().reason());
    report.runs().forEach((container, began) -> said.putRuns(container, Timestamps.proto(began)));
    return NamespacedReadiness.newBuilder()
        .setNamespace(report.pod().namespace())
        .setReport(said)
        .build();
  }
}
