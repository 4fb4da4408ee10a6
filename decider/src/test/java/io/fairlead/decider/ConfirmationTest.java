package io.fairlead.decider;

import static io.fairlead.decider.Replicas.S;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.etcd.FakeCoordination;
import io.fairlead.eventlog.load.Manifest;
import io.fairlead.eventlog.log.FakeEventLog;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** With an image that does not move by itself. */
@Timeout(30)
class ConfirmationTest {
  private final Replicas replicas = new Replicas();
  private final FakeEventLog log = replicas.kafka.connect();
  private final FakeCoordination etcd = replicas.etcd.client();
  private final Feed feed = new Feed(log.identity());
  private final Owner me =
      etcd.takeOwnership(
              S, "a", "a:1", new UUID(0, 1), etcd.openLease(Duration.ofSeconds(5), () -> {}))
          .orElseThrow()
          .owner();
  private final Confirmation<ShopCommand, ShopCommand.Reply> confirmation =
      new Confirmation<>(
          new Parts<>(
              DeciderSettings.of("shop", "a", "a:1", "0.1", List.of(S)),
              log,
              etcd,
              feed,
              new ShopLogic(List.of()),
              (what, cause) -> replicas.faults.add(what + cause),
              FaultPoints.NONE,
              replicas.time,
              RandomSource.seeded(1),
              new DeciderStats()),
          S,
          me);

  @AfterEach
  void close() {
    replicas.close();
  }

  private void append(String name) {
    try (var appender = log.openAppender(S)) {
      var envelope =
          new Envelope(
              TestObjects.uid(name),
              TestObjects.NOON,
              "user:bob",
              Optional.empty(),
              Optional.empty(),
              Optional.empty());
      appender.append(
          List.of(new LogEvent.Stored(TestObjects.service(name, "10.96.0.1"), envelope)));
    }
  }

  /** The loader goes on to the end. */
  private void load() {
    var delta = new ClusterDelta(feed.current().image());
    var entries = replicas.kafka.committed(S);
    entries.forEach(delta::replay);
    var position =
        Position.start(log.identity()).with(S, log.endOffsets(List.of(S)).getOrDefault(S, 0L));
    feed.onUpdate(delta, delta.apply(), new Manifest(position, entries));
  }

  @Test
  void confirmsAtTheEndOfTheLog() throws InterruptedException {
    append("web");
    load();
    assertThat(confirmation.of(feed.current())).isEqualTo(new Confirmation.Result.Confirmed());
  }

  @Test
  void waitsForTheEndAndFindsThatOthersWrote() throws Exception {
    var decidedOn = feed.current();
    append("written-by-a-successor");
    var result = new CompletableFuture<Confirmation.Result>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            result.complete(confirmation.of(decidedOn));
          } catch (InterruptedException e) {
            result.completeExceptionally(e);
          }
        });
    load();
    assertThat(Replicas.get(result)).isEqualTo(new Confirmation.Result.Overtaken());
  }

  @Test
  void offsetsOfMarkersAloneDoNotCount() throws InterruptedException {
    append("web");
    load();
    var decidedOn = feed.current();
    var behind =
        new Feed.State(
            decidedOn.image(), decidedOn.position().with(S, decidedOn.position().of(S) - 1));
    assertThat(confirmation.of(behind)).isEqualTo(new Confirmation.Result.Confirmed());
  }

  @Test
  void saysSoWhenTheKeyIsAnothers() throws InterruptedException {
    etcd.releaseOwnership(S, me.takeover());
    var lease = etcd.openLease(Duration.ofSeconds(5), () -> {});
    assertThat(etcd.takeOwnership(S, "b", "b:1", new UUID(0, 2), lease)).isPresent();
    assertThat(confirmation.of(feed.current())).isEqualTo(new Confirmation.Result.Overtaken());
  }

  @Test
  void namesWhatIsAway() throws InterruptedException {
    replicas.etcd.down();
    assertThat(confirmation.of(feed.current()))
        .isInstanceOfSatisfying(
            Confirmation.Result.Unconfirmed.class,
            u ->
                assertThat(u.why().<String>answer())
                    .isInstanceOfSatisfying(
                        Answer.Unavailable.class,
                        a -> assertThat(a.reason()).isEqualTo(Answer.Reason.ETCD_UNAVAILABLE)));
    replicas.kafka.stop();
    assertThat(confirmation.of(feed.current()).toString()).contains("LOG_UNAVAILABLE");
  }
}
