package io.fairlead.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.BrokenCallException.Reach;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(20)
class EtcdConnectionTest {
  private static final CompletableFuture<String> DONE = CompletableFuture.completedFuture("done");
  private static final CompletableFuture<String> NEVER_SENT = failed(Reach.NEVER_SENT);
  private static final CompletableFuture<String> UNANSWERED = failed(Reach.SENT);
  private static final CompletableFuture<String> UNEXPLAINED =
      CompletableFuture.failedFuture(new IllegalStateException("of jetcd itself"));

  private static CompletableFuture<String> failed(Reach reach) {
    var broken = new BrokenCallException(Status.UNAVAILABLE, reach);
    return CompletableFuture.failedFuture(Status.ABORTED.withCause(broken).asRuntimeException());
  }

  /** Of calls that are sent side by side. */
  record Case(String name, List<CompletableFuture<String>> calls, Outcome outcome) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> failures() {
    return Stream.of(
        new Case("none was sent", List.of(NEVER_SENT, NEVER_SENT), Outcome.KNOWN_FAILED),
        new Case("the first may be done", List.of(UNANSWERED, NEVER_SENT), Outcome.UNKNOWN),
        new Case("the second may be done", List.of(NEVER_SENT, UNANSWERED), Outcome.UNKNOWN),
        new Case("the last, too", List.of(NEVER_SENT, DONE, UNEXPLAINED), Outcome.UNKNOWN));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void ofSeveralWritesTheOutcomeIsUnknownWhereThatOfOneIs(Case given) {
    try (var connection = connection()) {
      var thrown =
          catchThrowableOfType(
              GatewayException.class,
              () -> connection.write("write", _ -> EtcdConnection.together(given.calls)));
      assertThat(thrown.outcome()).isEqualTo(given.outcome);
    }
  }

  @Test
  void whatSeveralCallsAnswerComesInTheirOrder() {
    try (var connection = connection()) {
      var more = CompletableFuture.completedFuture("more");
      List<String> answers =
          connection.read("read", _ -> EtcdConnection.together(List.of(DONE, more)));
      assertThat(answers).containsExactly("done", "more");
    }
  }

  /** Of gRPC's words, of buffers and deadlines, nobody who reads it can make anything. */
  @Test
  void saysWhichEtcdIsAwayAndWhatThatMeans() {
    var words =
        new BrokenCallException(
            Status.DEADLINE_EXCEEDED.withDescription("deadline exceeded, buffered_nanos=1"),
            Reach.NEVER_SENT);
    CompletableFuture<String> call =
        CompletableFuture.failedFuture(Status.ABORTED.withCause(words).asRuntimeException());
    var endpoints = List.of("http://127.0.0.1:1", "http://127.0.0.1:2");
    try (var connection =
        new EtcdConnection(new EtcdConfig(endpoints, Duration.ofSeconds(3)), new FakeTime())) {
      var thrown =
          catchThrowableOfType(GatewayException.class, () -> connection.read("read x", _ -> call));
      assertThat(thrown)
          .hasMessage(
              "etcd at http://127.0.0.1:1, http://127.0.0.1:2 has never answered (read x); what is there goes on meanwhile, only what needs etcd waits")
          .hasCause(words);
    }
  }

  /** It is there, but cannot: what it says of that is what helps. */
  @Test
  void keepsWhatEtcdItselfSays() {
    var words =
        new BrokenCallException(
            Status.UNAVAILABLE.withDescription("etcdserver: no leader"), Reach.SENT);
    CompletableFuture<String> call =
        CompletableFuture.failedFuture(Status.ABORTED.withCause(words).asRuntimeException());
    try (var connection = connection()) {
      var thrown =
          catchThrowableOfType(GatewayException.class, () -> connection.read("read x", _ -> call));
      assertThat(thrown)
          .hasMessage("etcd at http://127.0.0.1:1: read x failed: etcdserver: no leader");
    }
  }

  /** Nobody is there: it connects with the first call only. */
  private static EtcdConnection connection() {
    return new EtcdConnection(
        new EtcdConfig(List.of("http://127.0.0.1:1"), Duration.ofSeconds(3)), Time.system());
  }
}
