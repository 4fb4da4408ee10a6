package io.fairlead.agent.stream;

import static io.fairlead.agent.Waiting.await;
import static io.fairlead.agent.stream.FakeReplica.at;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.stream.Frames.OtherLog;
import io.fairlead.core.model.Address;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.runtime.Metrics;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The test is the loop. */
@Timeout(60)
class StreamClientTest {
  private final FakeTime time = new FakeTime();
  private final LinkedBlockingQueue<Link.Event> events = new LinkedBlockingQueue<>();
  private final FakeReplica replica = new FakeReplica();
  private final StreamClient client =
      new StreamClient(
          new NodeIdentity(
              "node-a",
              Optional.empty(),
              List.of(Address.of("192.0.2.1")),
              List.of(),
              Set.of(),
              "test"),
          List.of("manifests/node-a"),
          List.of(replica.address()),
          OtherLog.REFUSED,
          events::add,
          new LoopMetrics(new Metrics()),
          FaultPoints.NONE,
          time,
          RandomSource.seeded(1));

  @AfterEach
  void close() {
    client.close();
    replica.close();
  }

  private void run() {
    client.run(Optional.empty(), Optional.empty());
  }

  private FakeReplica.Stream greeted(int number) {
    await("stream " + number).until(() -> replica.streams.size() == number);
    return replica.streams.get(number - 1);
  }

  /** Deals with what comes, until that many messages of the replica came. */
  private void receive(int messages) throws InterruptedException {
    int left = messages;
    while (left > 0) {
      var event = Optional.ofNullable(events.poll(40, TimeUnit.SECONDS)).orElseThrow();
      var session = client.of(event.link());
      if (session.isPresent() && event instanceof Link.Received(_, var message)) {
        client.received(session.get(), message);
        left--;
      }
    }
  }

  @Test
  void leavesAReplicaThatSaysNothing() {
    run();
    greeted(1);
    time.advance(Duration.ofSeconds(9));
    run();
    assertThat(client.trouble()).isEqualTo("not connected yet");
    time.advance(Duration.ofSeconds(1));
    run();
    assertThat(client.trouble()).contains("no Welcome within 10 s");
    time.advance(Duration.ofSeconds(5));
    run();
    greeted(2);
  }

  @Test
  void leavesAReplicaThatSaysNothingAfterWelcome() throws InterruptedException {
    run();
    greeted(1).welcome(5);
    receive(1);
    time.advance(Duration.ofSeconds(59));
    run();
    assertThat(client.session()).isPresent();
    time.advance(Duration.ofSeconds(1));
    assertThat(client.dueNanos()).isEqualTo(time.nanoTime());
    run();
    assertThat(client.session()).isEmpty();
    assertThat(client.trouble()).contains("nothing said for 60 s after Welcome");
    time.advance(Duration.ofSeconds(5));
    run();
    greeted(2);
  }

  @Test
  void waitsForItsTurnAtAReplicaThatSendsManyNodesEverything() throws InterruptedException {
    run();
    var stream = greeted(1).welcome(5);
    receive(1);
    for (int i = 0; i < 5; i++) {
      time.advance(Duration.ofSeconds(50));
      stream.waiting(4999);
      receive(1);
      run();
      assertThat(client.session()).isPresent();
      assertThat(client.trouble()).contains("waits, as do 4999 nodes");
    }
    stream.reset(1, at("s:10"), List.of());
    receive(3);
    assertThat(client.trouble()).isEmpty();
    stream.waiting(7); // before another frame with everything: what is there is still true
    receive(1);
    assertThat(client.trouble()).isEmpty();
  }

  @Test
  void aLongFrameThatStillComesInIsNoSilence() throws InterruptedException {
    run();
    var stream = greeted(1).welcome(5);
    receive(1);
    stream.begin(1, Optional.empty());
    receive(1);
    time.advance(Duration.ofSeconds(50));
    stream.chunk(List.of(), List.of());
    receive(1);
    time.advance(Duration.ofSeconds(50));
    run();
    assertThat(client.session()).isPresent();
    time.advance(Duration.ofSeconds(10));
    run();
    assertThat(client.session()).isEmpty();
  }

  @Test
  void saysAWordWhenItEnds() throws InterruptedException {
    run();
    var stream = greeted(1).welcome(5).reset(1, at("s:10"), List.of());
    receive(4);
    client.close();
    await("the word").until(() -> stream.leftWithAWord);
  }

  @Test
  void staysWithAReplicaThatHasNothingNewToSay() throws InterruptedException {
    run();
    greeted(1).welcome(5).reset(1, at("s:10"), List.of());
    receive(4);
    time.advance(Duration.ofHours(1));
    run();
    assertThat(client.session()).isPresent();
    assertThat(client.trouble()).isEmpty();
  }
}
