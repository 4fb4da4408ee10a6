package io.fairlead.agent.stream;

import static io.fairlead.agent.stream.FakeReplica.at;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.stream.FakeReplica.Stream;
import io.fairlead.agent.stream.Frames.OtherLog;
import io.fairlead.api.Errors;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A replica asks the agent to go to another one. The test is the loop. */
@Timeout(60)
class StreamMoveTest {
  private final FakeTime time = new FakeTime();
  private final LinkedBlockingQueue<Link.Event> events = new LinkedBlockingQueue<>();
  private final LoopMetrics metrics = new LoopMetrics(new Metrics());
  private final List<AutoCloseable> opened = new ArrayList<>();
  private Optional<Position> position = Optional.empty();

  @AfterEach
  void close() throws Exception {
    for (var resource : opened.reversed()) {
      resource.close();
    }
  }

  private FakeReplica replica() {
    var replica = new FakeReplica();
    opened.add(replica);
    return replica;
  }

  private StreamClient client(HostPort... addresses) {
    var client =
        new StreamClient(
            new NodeIdentity(
                "node-a",
                Optional.empty(),
                List.of(Address.of("192.0.2.1")),
                List.of(),
                Set.of(),
                "test"),
            List.of("manifests/node-a"),
            List.of(addresses),
            OtherLog.REFUSED,
            events::add,
            metrics,
            FaultPoints.NONE,
            time,
            RandomSource.seeded(1));
    opened.add(client);
    return client;
  }

  /** The loop, until that is so. */
  private void until(String what, StreamClient client, Callable<Boolean> condition)
      throws Exception {
    long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
    while (!condition.call()) {
      assertThat(System.nanoTime()).as(what).isLessThan(deadlineNanos);
      client.run(position, Optional.empty());
      var event = Optional.ofNullable(events.poll(10, TimeUnit.MILLISECONDS));
      if (event.isEmpty()) {
        continue;
      }
      var session = client.of(event.get().link());
      if (session.isEmpty()) {
        continue;
      }
      switch (event.get()) {
        case Link.Received(_, var message) -> {
          switch (client.received(session.get(), message)) {
            case Frames.Frame frame -> position = Optional.of(frame.position());
            case Frames.Moved(var moved) -> position = Optional.of(moved);
            case Frames.Pending _,
                Frames.Welcomed _,
                Frames.Queued _,
                Frames.Asked _,
                Frames.Asks _,
                Frames.Broken _ -> {}
          }
        }
        case Link.Writable _ -> {}
        case Link.Ended(_, var status, var reason) -> client.ended(session.get(), status, reason);
      }
    }
  }

  /** Opens the client's stream; which of the replicas it chose. */
  private FakeReplica settled(StreamClient client, FakeReplica... replicas) throws Exception {
    until(
        "a stream",
        client,
        () -> List.of(replicas).stream().anyMatch(replica -> !replica.streams.isEmpty()));
    var chosen =
        List.of(replicas).stream()
            .filter(replica -> !replica.streams.isEmpty())
            .findFirst()
            .orElseThrow();
    chosen.streams.getFirst().welcome(5, FakeReplica.LOG, 3).reset(1, at("s:10"), List.of());
    until("a frame", client, () -> position.equals(Optional.of(at("s:10"))));
    return chosen;
  }

  private double counted(String outcome) {
    return metrics.moves.labelValues(outcome).get();
  }

  @Test
  void goesThereWithWhatItHasAndLeavesWhenItIsWelcome() throws Exception {
    var a = replica();
    var b = replica();
    var client = client(a.address(), b.address());
    var here = settled(client, a, b);
    var there = here == a ? b : a;
    Stream first = here.streams.getFirst();
    first.move("other", there.address().toString());
    until("it is there", client, () -> !there.streams.isEmpty());
    var hello = there.streams.getFirst().hello.orElseThrow();
    assertThat(hello.getPosition().getOffsets()).isEqualTo("s:10");
    assertThat(hello.getPreviousSession()).isEqualTo(5);
    assertThat(first.over).isFalse(); // nobody else has the node yet
    there.streams.getFirst().welcome(6).delta(1, at("s:10"), at("s:12"), List.of(), List.of());
    until("it goes on there", client, () -> position.equals(Optional.of(at("s:12"))));
    until("it left", client, () -> first.leftWithAWord);
    assertThat(client.trouble()).isEmpty();
    assertThat(counted("moved")).isEqualTo(1);
  }

  @Test
  void staysWhereNobodyIsThere() throws Exception {
    int nobody;
    try (var socket = new ServerSocket(0)) {
      nobody = socket.getLocalPort();
    }
    var a = replica();
    var client = client(a.address(), new HostPort("127.0.0.1", nobody));
    var here = settled(client, a).streams.getFirst();
    here.move("other", "127.0.0.1:" + nobody);
    until("it gave up", client, () -> counted("stayed") == 1);
    here.delta(2, at("s:10"), at("s:11"), List.of(), List.of());
    until("it goes on here", client, () -> position.equals(Optional.of(at("s:11"))));
    assertThat(here.over).isFalse();
    assertThat(a.greeted()).isEqualTo(1);
  }

  @Test
  void staysWhereTheOtherOneIsNotReachedInTime() throws Exception {
    // listens, takes the connection, says nothing: no HTTP/2, so nobody is there
    try (var silent = new ServerSocket(0, 1, java.net.InetAddress.ofLiteral("127.0.0.1"))) {
      var a = replica();
      var client = client(a.address(), new HostPort("127.0.0.1", silent.getLocalPort()));
      until(
          "a stream",
          client,
          () -> {
            time.advance(Duration.ofMillis(20)); // should it try the silent one first
            return !a.streams.isEmpty();
          });
      var here = a.streams.getLast();
      here.welcome(5, FakeReplica.LOG, 3).reset(1, at("s:10"), List.of());
      until("a frame", client, () -> position.isPresent());
      here.move("other", "127.0.0.1:" + silent.getLocalPort());
      until(
          "it gave up",
          client,
          () -> {
            time.advance(Duration.ofMillis(100));
            return counted("stayed") == 1;
          });
      assertThat(here.over).isFalse();
    }
  }

  @Test
  void anAgentWithOneAddressStays() throws Exception {
    var a = replica();
    var client = client(a.address());
    var here = settled(client, a).streams.getFirst();
    here.move("other", "192.0.2.1:7402");
    until("it stays", client, () -> counted("stayed") == 1);
    assertThat(here.over).isFalse();
  }

  @Test
  void goesBackWhereTheOtherOneDoesNotTakeIt() throws Exception {
    var a = replica();
    var b = replica();
    var client = client(a.address(), b.address());
    var here = settled(client, a, b);
    var there = here == a ? b : a;
    here.streams.getFirst().move("other", there.address().toString());
    until("it is there", client, () -> !there.streams.isEmpty());
    there.streams.getFirst().fail(Errors.shuttingDown());
    until("it is back", client, () -> here.streams.size() == 2);
    assertThat(here.streams.getLast().hello.orElseThrow().getPosition().getOffsets())
        .isEqualTo("s:10");
  }

  /** Of three: one that said Welcome before under the name that is asked for. */
  @Test
  void knowsReplicasByTheNamesThatTheySaid() throws Exception {
    var all = List.of(replica(), replica(), replica());
    var client = client(all.stream().map(FakeReplica::address).toArray(HostPort[]::new));
    var first = settled(client, all.toArray(FakeReplica[]::new));
    // it is sent round once, and each says its name
    first.streams.getFirst().fail(Errors.shuttingDown());
    var seen = new ArrayList<>(List.of(first));
    for (var name : List.of("second", "third")) {
      until(
          name,
          client,
          () -> {
            time.advance(Duration.ofMillis(200));
            return all.stream().anyMatch(r -> !seen.contains(r) && !r.streams.isEmpty());
          });
      var next =
          all.stream()
              .filter(r -> !seen.contains(r) && !r.streams.isEmpty())
              .findFirst()
              .orElseThrow();
      seen.add(next);
      next.streams.getLast().welcome(7, name);
      next.streams.getLast().delta(1, at("s:10"), at("s:10"), List.of(), List.of());
      until(name + " works", client, () -> client.trouble().isEmpty());
      if (name.equals("second")) {
        next.streams.getLast().fail(Errors.shuttingDown());
      }
    }
    seen.get(2).streams.getLast().move("second", "an-address-of-another-network:7402");
    until("it goes to the second", client, () -> seen.get(1).streams.size() == 2);
    assertThat(first.streams).hasSize(1);
  }
}
