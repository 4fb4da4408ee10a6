package io.fairlead.decider.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Errors;
import io.fairlead.api.Reason;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.Violation;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.core.run.Time;
import io.fairlead.decider.Answer;
import io.fairlead.decider.Decider;
import io.fairlead.decider.Request;
import io.fairlead.etcd.Coordination.Owner;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class OwnerForwardingTest {
  private static final LogPartition S = LogPartition.SERVICES;
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final Position POSITION = Position.start(new LogIdentity("s", "p"));
  private static final MethodDescriptor<String, String> METHOD =
      MethodDescriptor.<String, String>newBuilder()
          .setType(MethodDescriptor.MethodType.UNARY)
          .setFullMethodName("test.Echo/Say")
          .setRequestMarshaller(new TextMarshaller())
          .setResponseMarshaller(new TextMarshaller())
          .build();

  private static final class TextMarshaller implements MethodDescriptor.Marshaller<String> {
    @Override
    public InputStream stream(String value) {
      return new ByteArrayInputStream(value.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public String parse(InputStream stream) {
      try {
        return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private final String prefix = "forwarding-" + UUID.nameUUIDFromBytes(new byte[] {1}) + "-";
  private final List<Server> servers = new ArrayList<>();
  private final Peers peers =
      new Peers(address -> InProcessChannelBuilder.forName(prefix + address).build());
  private final List<Caller> callers = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    peers.close();
    servers.forEach(Server::shutdownNow);
  }

  /** A replica that hands every call to that function. */
  private void replica(String address, Function<Caller, String> answer) throws IOException {
    var service =
        ServerServiceDefinition.builder("test.Echo")
            .addMethod(
                METHOD,
                ServerCalls.<String, String>asyncUnaryCall((message, observer) -> {
                  callers.add(Caller.current());
                  try {
                    observer.onNext(answer.apply(Caller.current()) + " " + message);
                    observer.onCompleted();
                  } catch (StatusRuntimeException e) {
                    observer.onError(e);
                  }
                }))
            .build();
    servers.add(
        InProcessServerBuilder.forName(prefix + address)
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .addService(service)
            .intercept(Caller.interceptor())
            .build()
            .start());
  }

  /** Answers what it is told to, in turn; the last for ever. */
  private static class ScriptedDecider implements Decider<String, String> {
    private final List<Answer<String>> script;
    private final CompletableFuture<Optional<Owner>> other = new CompletableFuture<>();
    private int asked;

    ScriptedDecider(Answer<String> only) {
      this.script = List.of(only);
    }

    ScriptedDecider(Answer<String> first, Answer<String> then) {
      this.script = List.of(first, then);
    }

    @Override
    public CompletableFuture<Answer<String>> submit(
        LogPartition partition, Request<String> request) {
      return CompletableFuture.completedFuture(script.get(Math.min(asked++, script.size() - 1)));
    }

    @Override
    public CompletableFuture<Answer<Confirmed>> confirm(LogPartition partition) {
      throw new UnsupportedOperationException("not asked here");
    }

    @Override
    public Optional<Owner> owner(LogPartition partition) {
      return Optional.empty();
    }

    @Override
    public CompletableFuture<Optional<Owner>> ownerOtherThan(
        LogPartition partition, long revision) {
      return other.copy();
    }
  }

  private static Answer<String> decided(String reply) {
    return new Answer.Decided<>(reply, POSITION);
  }

  private static Answer<String> ownedBy(String address, long revision) {
    return new Answer.NotOwner<>(
        Optional.of(new Owner(address, address, new UUID(0, revision), revision)), revision);
  }

  private static Answer<String> owned() {
    return new Answer.NotOwner<>(Optional.empty(), 0);
  }

  private String call(Decider<String, String> decider, Caller caller, Duration timeout) {
    return new OwnerForwarding<>(decider, peers, Time.system())
        .call(
            new OwnerForwarding.Call<>(
                S,
                Request.of("user:alice", new RequestStamp("id", "00"), "hello"),
                METHOD,
                "hello",
                Answer.Decided::reply),
            caller,
            timeout);
  }

  private static Caller alice() {
    return new Caller("user:alice", Optional.of("00-aa-bb-01"), OptionalLong.empty());
  }

  private Reason refusal(Decider<String, String> decider, Caller caller, Duration timeout) {
    var thrown =
        catchThrowableOfType(StatusRuntimeException.class, () -> call(decider, caller, timeout));
    return ErrorReport.of(thrown).reason().orElseThrow();
  }

  @Test
  void decidesHereWhatIsOwnedHere() {
    assertThat(call(new ScriptedDecider(decided("here")), alice(), LIMIT)).isEqualTo("here");
  }

  /** Owned here, and never answered. */
  private static final class SilentDecider extends ScriptedDecider {
    private final CompletableFuture<Void> asked = new CompletableFuture<>();
    private final CompletableFuture<Answer<String>> answer = new CompletableFuture<>();

    SilentDecider() {
      super(owned());
    }

    @Override
    public CompletableFuture<Answer<String>> submit(
        LogPartition partition, Request<String> request) {
      asked.complete(null);
      return answer;
    }
  }

  @Test
  void withdrawsWhatItsCallerGaveUp() {
    var decider = new SilentDecider();
    var context = Context.current().withCancellation();
    var reason = new CompletableFuture<Reason>();
    Runnable ask = () -> reason.complete(refusal(decider, alice(), LIMIT));
    var _ = Thread.ofVirtual().start(context.wrap(ask));
    decider.asked.join();
    context.cancel(new IOException("gone"));
    assertThat(reason.join()).isEqualTo(Reason.OUTCOME_UNKNOWN);
    assertThat(decider.answer).isCancelled();
  }

  @Test
  void withdrawsWhatIsNotAnsweredInTime() {
    var decider = new SilentDecider();
    assertThat(refusal(decider, alice(), Duration.ofMillis(1))).isEqualTo(Reason.OUTCOME_UNKNOWN);
    assertThat(decider.answer).isCancelled();
  }

  /** As by a replica that slept: its caller has long been answered by another. */
  @Test
  void asksNobodyForWhatItsCallerGaveUp() throws Exception {
    var decider = new SilentDecider();
    var context = Context.current().withCancellation();
    context.cancel(new IOException("gone"));
    assertThat(context.call(() -> refusal(decider, alice(), LIMIT))).isEqualTo(Reason.NO_OWNER);
    assertThat(decider.asked).isNotDone();
  }

  @Test
  void sendsTheCallToTheOwnerWithActorTraceAndRevision() throws IOException {
    replica("b", _ -> "b answers");
    assertThat(call(new ScriptedDecider(ownedBy("b", 42)), alice(), LIMIT))
        .isEqualTo("b answers hello");
    var seen = callers.getFirst();
    assertThat(seen.actor()).isEqualTo("user:alice");
    assertThat(seen.traceparent()).contains("00-aa-bb-01");
    assertThat(seen.forwarded()).hasValue(42);
  }

  @Test
  void doesNotSendOnWhatWasSentHere() throws IOException {
    replica("b", _ -> "b answers");
    var forwarded = new Caller("user:alice", Optional.empty(), OptionalLong.of(7));
    assertThat(refusal(new ScriptedDecider(ownedBy("b", 42)), forwarded, LIMIT))
        .isEqualTo(Reason.NOT_OWNER);
    assertThat(callers).isEmpty();
  }

  @Test
  void asksAgainWhenTheReplicaItAskedDoesNotOwnAnyMore() throws IOException {
    replica(
        "b",
        _ -> {
          throw Errors.notOwner(S, 42);
        });
    replica("c", _ -> "c answers");
    assertThat(call(new ScriptedDecider(ownedBy("b", 42), ownedBy("c", 43)), alice(), LIMIT))
        .isEqualTo("c answers hello");
  }

  @Test
  void asksAgainWhenTheReplicaItAskedIsGone() {
    assertThat(call(new ScriptedDecider(ownedBy("nobody", 42), decided("here")), alice(), LIMIT))
        .isEqualTo("here");
  }

  /** An attempt breaks off, then that is what the next owner says. */
  private Reason afterABrokenAttempt(StatusRuntimeException second) throws IOException {
    replica(
        "b",
        _ -> {
          throw second;
        });
    return refusal(new ScriptedDecider(ownedBy("nobody", 42), ownedBy("b", 43)), alice(), LIMIT);
  }

  @Test
  void whatIsNoDecisionDoesNotHideThatAnEarlierAttemptMayHaveHappened() throws IOException {
    assertThat(afterABrokenAttempt(Errors.dependencyUnavailable("etcd is away")))
        .isEqualTo(Reason.OUTCOME_UNKNOWN);
  }

  @Test
  void norDoesALimitThatTheNextOwnerHasReached() throws IOException {
    assertThat(afterABrokenAttempt(Errors.limitReached("4096 requests wait")))
        .isEqualTo(Reason.OUTCOME_UNKNOWN);
  }

  @Test
  void norDoesAFault() throws IOException {
    assertThat(afterABrokenAttempt(Errors.of(new IllegalStateException("a bug"))))
        .isEqualTo(Reason.OUTCOME_UNKNOWN);
  }

  @Test
  void aDecisionSettlesWhatABrokenAttemptLeftOpen() throws IOException {
    assertThat(afterABrokenAttempt(Errors.requestIdReused("id")))
        .isEqualTo(Reason.REQUEST_ID_REUSED);
  }

  @Test
  void withoutABrokenAttemptTheOwnersTroubleIsTheAnswer() throws IOException {
    replica(
        "b",
        _ -> {
          throw Errors.dependencyUnavailable("etcd is away");
        });
    assertThat(refusal(new ScriptedDecider(ownedBy("b", 42)), alice(), LIMIT))
        .isEqualTo(Reason.DEPENDENCY_UNAVAILABLE);
  }

  @Test
  void aCallThatEndsWithoutAReasonMayHaveHappened() throws IOException {
    replica(
        "b",
        _ -> {
          throw Status.INTERNAL.withDescription("RST_STREAM").asRuntimeException();
        });
    assertThat(refusal(new ScriptedDecider(ownedBy("b", 42)), alice(), LIMIT))
        .isEqualTo(Reason.OUTCOME_UNKNOWN);
  }

  @Test
  void whatTheDeciderHereCannotDoDoesNotHideABrokenAttempt() {
    var away = new Answer.Unavailable<String>(Answer.Reason.ETCD_UNAVAILABLE, "words");
    assertThat(refusal(new ScriptedDecider(ownedBy("nobody", 42), away), alice(), LIMIT))
        .isEqualTo(Reason.OUTCOME_UNKNOWN);
  }

  @Test
  void theOwnersRefusalIsTheAnswer() throws IOException {
    replica(
        "b",
        _ -> {
          throw Errors.requestIdReused("id");
        });
    assertThat(refusal(new ScriptedDecider(ownedBy("b", 42)), alice(), LIMIT))
        .isEqualTo(Reason.REQUEST_ID_REUSED);
  }

  @Test
  void saysThatNobodyOwnsWhenTheTimeIsUp() {
    assertThat(refusal(new ScriptedDecider(owned()), alice(), Duration.ofMillis(300)))
        .isEqualTo(Reason.NO_OWNER);
  }

  @Test
  void theDeadlineOfTheCallCountsWhereItIsEarlier() {
    var clock = Executors.newSingleThreadScheduledExecutor();
    try (var context =
        Context.current().withDeadline(Deadline.after(300, TimeUnit.MILLISECONDS), clock)) {
      var previous = context.attach();
      try {
        assertThat(refusal(new ScriptedDecider(owned()), alice(), Duration.ofMinutes(5)))
            .isEqualTo(Reason.NO_OWNER);
      } finally {
        context.detach(previous);
      }
    } finally {
      clock.shutdownNow();
    }
  }

  @Test
  void anOwnerThatDoesNotAnswerInTimeMayHaveDoneIt() throws IOException {
    var never = new CompletableFuture<String>();
    replica("b", _ -> never.join());
    // long enough for the call to have begun, on whatever machine
    assertThat(refusal(new ScriptedDecider(ownedBy("b", 42)), alice(), Duration.ofSeconds(3)))
        .isEqualTo(Reason.OUTCOME_UNKNOWN);
    never.complete("too late");
  }

  @Test
  void whatTheDeciderCannotDoHasItsReason() {
    var cases =
        Map.of(
            Answer.Reason.OUTCOME_UNKNOWN, Reason.OUTCOME_UNKNOWN,
            Answer.Reason.ETCD_UNAVAILABLE, Reason.DEPENDENCY_UNAVAILABLE,
            Answer.Reason.LOG_UNAVAILABLE, Reason.DEPENDENCY_UNAVAILABLE,
            Answer.Reason.OVERLOADED, Reason.LIMIT_REACHED,
            Answer.Reason.CLOSING, Reason.SHUTTING_DOWN);
    cases.forEach((reason, expected) ->
        assertThat(
                refusal(
                    new ScriptedDecider(new Answer.Unavailable<>(reason, "words")), alice(), LIMIT))
            .isEqualTo(expected));
    assertThat(refusal(new ScriptedDecider(new Answer.PayloadDiffers<>("id")), alice(), LIMIT))
        .isEqualTo(Reason.REQUEST_ID_REUSED);
  }

  @Test
  void whatCannotBeStoredIsInvalid() {
    var refusal =
        new Refusal.Invalid(
            TestObjects.service("web", "10.96.0.1").key(),
            List.of(new Violation("object", Violation.Reason.TOO_LONG, "takes 300000 bytes")));
    var thrown =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> call(new ScriptedDecider(new Answer.Invalid<>(refusal)), alice(), LIMIT));
    var report = ErrorReport.of(thrown);
    assertThat(report.reason()).contains(Reason.INVALID);
    assertThat(report.faults())
        .containsExactly(new ErrorReport.FieldFault("object", "TooLong", "takes 300000 bytes"));
  }
}
