package io.fairlead.endpoints.grpc;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Errors;
import io.fairlead.api.Reason;
import io.fairlead.core.decide.Violation;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.decider.grpc.Caller;
import io.fairlead.decider.grpc.Peers;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.endpoints.acks.Fleet;
import io.fairlead.endpoints.acks.Standing;
import io.fairlead.endpoints.stream.NodeQuestion;
import io.fairlead.endpoints.stream.NodeStreams;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.Member;
import io.fairlead.v1.Answer;
import io.fairlead.v1.Question;
import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.MethodDescriptor;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Calls that a node's own agent answers, over the stream it has to one of the replicas: asked here,
 * or sent on to that replica, one hop. Nothing is held but the part that is on its way: the agent
 * is asked for the next one when the caller took the one before. Blocks, for virtual threads.
 * Thread-safe, without own state.
 */
public final class NodeQuestions {
  /** For a stream to be somewhere: agents come back within that, mostly. */
  private static final Duration STREAM = Duration.ofSeconds(3);

  /** For each part: a kernel with much in it is read within that. */
  private static final Duration PART = Duration.ofSeconds(15);

  /** Likewise from another replica, which waits that long for its agent. */
  private static final Duration FORWARDED_PART = STREAM.plus(PART);

  /** For a caller to take what there is. */
  private static final Duration STALLED = Duration.ofSeconds(30);

  private static final Duration PAUSE = Duration.ofMillis(100);
  private static final Duration LOOK = Duration.ofMillis(5);

  private final String service;
  private final NodeStreams streams;
  private final Fleet fleet;
  private final Peers peers;
  private final Coordination coordination;
  private final Partitioning partitioning;
  private final Supplier<ClusterImage> image;
  private final Time time;

  /**
   * Opens nothing.
   *
   * @param service whose members the replicas are
   * @param image the newest that this replica has
   */
  public NodeQuestions(
      String service,
      NodeStreams streams,
      Fleet fleet,
      Peers peers,
      Coordination coordination,
      Partitioning partitioning,
      Supplier<ClusterImage> image,
      Time time) {
    this.service = service;
    this.streams = streams;
    this.fleet = fleet;
    this.peers = peers;
    this.coordination = coordination;
    this.partitioning = partitioning;
    this.image = image;
    this.time = time;
  }

  /**
   * One call.
   *
   * @param part of an agent's answer, as it is told; given where it is known what the records are
   */
  record Call<Q, P>(
      String node,
      MethodDescriptor<Q, P> method,
      Q request,
      Question.Builder question,
      Part<P> part) {}

  /** What to tell of a part of an answer. */
  @FunctionalInterface
  interface Part<P> {
    P of(Answer answer, RuleRecords records);
  }

  /**
   * Has it answered.
   *
   * @throws StatusRuntimeException NOT_FOUND, NODE_LOST, NODE_AWAY, AGENT_TOO_OLD, LIMIT_REACHED
   */
  <Q, P> void answer(Call<Q, P> call, Caller caller, Reads reads, StreamObserver<P> replies) {
    if (call.node().isEmpty()) {
      throw Errors.invalid("node", Violation.Reason.REQUIRED, "the name of a node is needed");
    }
    var _ = reads.at(io.fairlead.v1.Freshness.LOCAL); // else it does not know yet who is there
    var observer = (ServerCallStreamObserver<P>) replies;
    long endNanos = time.nanoTime() + STREAM.toNanos();
    try {
      while (true) {
        var here = streams.ask(call.node(), call.question().clone());
        if (here.isPresent()) {
          try (var question = here.get()) {
            relay(call, question, observer);
          }
          return;
        }
        var away = elsewhere(call, caller, reads, observer);
        if (away.isEmpty()) {
          return;
        }
        if (time.nanoTime() - endNanos >= 0 || Context.current().isCancelled()) {
          throw away.get();
        }
        time.sleep(PAUSE);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw Errors.shuttingDown();
    }
  }

  /** Asks the replica that has the stream; why there is no answer, where that may change soon. */
  private <Q, P> Optional<StatusRuntimeException> elsewhere(
      Call<Q, P> call, Caller caller, Reads reads, ServerCallStreamObserver<P> replies)
      throws InterruptedException {
    if (caller.forwarded().isPresent()) { // the other one looks again
      throw Errors.nodeAway(call.node(), "its stream is at another replica");
    }
    var node = image.get().nodes().get(call.node());
    if (node.isEmpty()) { // its record may be about to be read here
      var _ = reads.at(io.fairlead.v1.Freshness.LATEST);
      node = image.get().nodes().get(call.node());
    }
    if (node.isEmpty()) {
      throw Errors.notFound(Kind.NODE.text(), "", call.node());
    }
    return switch (standing(node.get())) {
      case Standing.Held(var replica, var here) -> {
        if (here) {
          yield Optional.of(Errors.nodeAway(call.node(), "its stream just ended"));
        }
        var member = member(replica);
        yield member.isPresent()
            ? forward(call, member.get(), caller, replies)
            : Optional.of(
                Errors.nodeAway(
                    call.node(), "its stream is at replica " + replica + ", which is gone"));
      }
      case Standing.None() ->
          Optional.of(Errors.nodeAway(call.node(), "no replica has its stream at the moment"));
      case Standing.Unknown() ->
          Optional.of(
              Errors.nodeAway(
                  call.node(),
                  "its stream is not at this replica, and etcd does not say which one has it"));
    };
  }

  private Standing.Stream standing(Versioned<Node> node) {
    var standing = fleet.of(node);
    if (standing.lost()) {
      throw Errors.nodeLost(node.object().name(), node.object().reason());
    }
    return standing.stream();
  }

  private Optional<Member> member(String replica) {
    try {
      return Optional.ofNullable(coordination.members(service).get(replica));
    } catch (GatewayException _) {
      return Optional.empty();
    }
  }

  private <Q, P> Optional<StatusRuntimeException> forward(
      Call<Q, P> call, Member to, Caller caller, ServerCallStreamObserver<P> replies)
      throws InterruptedException {
    boolean told = false;
    // without a deadline: an answer of many parts takes as long as its caller does, who ends it
    var parts =
        ClientCalls.blockingV2ServerStreamingCall(
            peers.forwarding(to.address(), caller),
            call.method(),
            CallOptions.DEFAULT,
            call.request());
    try {
      for (var part = next(parts); part.isPresent(); part = next(parts)) {
        tell(part.get(), replies);
        told = true;
      }
      replies.onCompleted();
      return Optional.empty();
    } catch (StatusException e) {
      var report = ErrorReport.of(e);
      boolean moved =
          report.reason().equals(Optional.of(Reason.NODE_AWAY))
              && !report.metadata().containsKey(Errors.BY); // it answered: it cannot
      if (told || !(moved || report.isLostConnection())) {
        throw Errors.of(e);
      }
      return Optional.of(moved ? Errors.of(e) : silent(call, to));
    } catch (TimeoutException _) {
      throw silent(call, to);
    } finally {
      parts.cancel("nobody reads on", null); // nothing where it is complete
    }
  }

  private static <P> Optional<P> next(BlockingClientCall<?, P> parts)
      throws InterruptedException, StatusException, TimeoutException {
    return Optional.ofNullable(parts.read(FORWARDED_PART.toNanos(), TimeUnit.NANOSECONDS));
  }

  private static StatusRuntimeException silent(Call<?, ?> call, Member at) {
    return Errors.nodeAway(
        call.node(), "its stream is at replica " + at.replica() + ", which does not answer");
  }

  private <Q, P> void relay(
      Call<Q, P> call, NodeQuestion question, ServerCallStreamObserver<P> replies)
      throws InterruptedException {
    var records = new RuleRecords(image.get(), partitioning);
    while (question.hasNext()) {
      tell(call.part().of(question.next(PART), records), replies);
    }
    replies.onCompleted();
  }

  /** Tells a part when the caller takes it. */
  private <P> void tell(P part, ServerCallStreamObserver<P> replies) throws InterruptedException {
    long endNanos = time.nanoTime() + STALLED.toNanos();
    while (!replies.isReady()) {
      if (Context.current().isCancelled()) {
        throw io.grpc.Status.CANCELLED.asRuntimeException();
      }
      if (time.nanoTime() - endNanos >= 0) {
        throw Errors.limitReached(
            "time in which the caller takes nothing, " + STALLED.toSeconds() + " s");
      }
      time.sleep(LOOK);
    }
    replies.onNext(part);
  }
}
