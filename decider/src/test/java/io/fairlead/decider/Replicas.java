package io.fairlead.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.core.record.FeatureLevels;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.decider.ShopCommand.Reply;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.FakeCoordination;
import io.fairlead.etcd.FakeEtcd;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.FakeEventLog;
import io.fairlead.eventlog.log.FakeKafka;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** Replicas of one small service over one fake log and one fake etcd. */
final class Replicas implements AutoCloseable {
  static final LogPartition S = LogPartition.SERVICES;
  static final String ACTOR = "user:alice";

  final FakeTime time = new FakeTime();
  final FakeKafka kafka = new FakeKafka(time);
  final FakeEtcd etcd = new FakeEtcd(time);
  final List<String> faults = new CopyOnWriteArrayList<>();
  private final List<Replica> replicas = new ArrayList<>();
  private List<LogPartition> partitions = List.of(S);
  private List<String> bootstrap = List.of();
  private int queue = 100;

  private FeatureLevels levels = FeatureLevels.CURRENT;

  Replicas withLevels(FeatureLevels supported) {
    levels = supported;
    return this;
  }

  Replicas withPartitions(List<LogPartition> all) {
    partitions = all;
    return this;
  }

  Replicas withBootstrap(String... names) {
    bootstrap = List.of(names);
    return this;
  }

  Replicas withQueue(int limit) {
    queue = limit;
    return this;
  }

  final class Replica {
    final String name;
    final FakeEventLog log = kafka.connect();
    final FakeCoordination coordination = etcd.client();
    final Feed feed = new Feed(log.identity());
    final PartitionOwners<ShopCommand, Reply> owners;
    private final Loader loader;

    Replica(String name, UnaryOperator<EventLog> around) {
      this.name = name;
      this.loader =
          Loader.start(
              log,
              partitions,
              List.of(feed),
              (what, cause) -> faults.add(what + ": " + cause),
              Time.system(),
              Optional.empty(),
              levels);
      var settings =
          new DeciderSettings(
              "shop",
              name,
              name + ":7401",
              "0.1",
              partitions,
              Duration.ofSeconds(5),
              queue,
              100,
              levels);
      this.owners =
          PartitionOwners.start(
              settings,
              around.apply(log),
              coordination,
              feed,
              loader::synced,
              new ShopLogic(bootstrap),
              (what, cause) -> faults.add(what + ": " + cause),
              FaultPoints.NONE,
              time,
              RandomSource.seeded(replicas.size() + 1));
    }

    boolean serves(LogPartition partition) {
      return owners.serving().contains(partition);
    }

    CompletableFuture<Answer<Reply>> submit(String id, ShopCommand command) {
      return owners.submit(S, Request.of(ACTOR, new RequestStamp(id, hash(command)), command));
    }

    Answer<Reply> ask(String id, ShopCommand command) {
      return get(submit(id, command));
    }

    /** The reply; fails where there is none. */
    Reply decided(String id, ShopCommand command) {
      return reply(ask(id, command));
    }

    /** As by kill -9: the process stops without a word to anybody. */
    void crash() {
      coordination.crash();
      kafka.cutOff(log);
    }
  }

  Replica start(String name) {
    return start(name, UnaryOperator.identity());
  }

  Replica start(String name, UnaryOperator<EventLog> around) {
    var replica = new Replica(name, around);
    replicas.add(replica);
    return replica;
  }

  /** A replica that leaves the services to {@code a} as long as that one is there. */
  Replica startModest(String prefix) {
    return start(
        named(prefix, n -> Rendezvous.owner("shop", S, List.of("a", n)).orElseThrow().equals("a")));
  }

  /** A replica that is to have the services also where {@code a} is there. */
  Replica startEager(String prefix) {
    return start(
        named(prefix, n -> Rendezvous.owner("shop", S, List.of("a", n)).orElseThrow().equals(n)));
  }

  private static String named(String prefix, Predicate<String> wanted) {
    return IntStream.range(0, 100)
        .mapToObj(i -> prefix + i)
        .filter(wanted)
        .findFirst()
        .orElseThrow();
  }

  /** Waits until the others count on that one. */
  void awaitReady(Replica replica) {
    await(
        replica.name + " is ready",
        () ->
            Optional.ofNullable(replica.coordination.members("shop").get(replica.name))
                .filter(Coordination.Member::ready)
                .isPresent());
  }

  /** The first replica, serving. */
  Replica owner(String name) {
    var replica = start(name);
    await(name + " serves", () -> replica.serves(S));
    return replica;
  }

  /** The log keeps hexadecimal digits only. */
  static String hash(Object command) {
    return TestObjects.uid(command.toString()).toString().replace("-", "").repeat(2);
  }

  void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(20))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(10))
        .until(() -> {
          if (condition.call()) {
            return true;
          }
          time.advance(Duration.ofMillis(100));
          return false;
        });
  }

  /**
   * As {@link #await}, and what is awaited needs no more than that much time: more does not pass,
   * however slow the machine is.
   */
  void awaitWithin(Duration limit, String what, Callable<Boolean> condition) {
    var step = limit.dividedBy(40);
    for (int i = 0; i < 40; i++) {
      if (holdsSoon(condition)) {
        return;
      }
      time.advance(step);
    }
    awaitStill(what, condition);
  }

  /** Threads get some real time at each moment, so that they can use the moments they have. */
  private static boolean holdsSoon(Callable<Boolean> condition) {
    try {
      Awaitility.await()
          .atMost(Duration.ofMillis(100))
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(5))
          .until(condition);
      return true;
    } catch (ConditionTimeoutException _) {
      return false;
    }
  }

  /** Without moving time. */
  static void awaitStill(String what, Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(20))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(5))
        .until(condition);
  }

  static <T> T get(CompletableFuture<T> future) {
    try {
      return future.get(20, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  static Reply reply(Answer<Reply> answer) {
    assertThat(answer).isInstanceOf(Answer.Decided.class);
    return ((Answer.Decided<Reply>) answer).reply();
  }

  static Answer.Reason reason(Answer<?> answer) {
    assertThat(answer).isInstanceOf(Answer.Unavailable.class);
    return ((Answer.Unavailable<?>) answer).reason();
  }

  /** What was appended to the services after its header. */
  List<LogEvent> events() {
    return kafka.committed(S).stream().map(LogEntry::event).skip(1).toList();
  }

  /** Names of Services that were stored, in order of the log. */
  List<String> stored() {
    return events().stream()
        .filter(LogEvent.Stored.class::isInstance)
        .map(event -> event.key().name())
        .toList();
  }

  /** For whom addresses are claimed. */
  SortedMap<Address, String> claims() {
    var claims = new TreeMap<Address, String>();
    try (var client = etcd.client()) {
      client.claims().forEach((address, holder) -> claims.put(address, holder.service().name()));
    }
    return claims;
  }

  /** Puts a claim that no Service of the log has, as a crash between claim and append does. */
  void leaveClaim(String address, String service) {
    try (var client = etcd.client()) {
      var owner = client.owner(S).orElseThrow();
      var request =
          new Coordination.ClaimRequest(
              Address.of(address), RandomSource.seeded(99).uuid(), TestObjects.name(service));
      assertThat(client.claim(List.of(request), S, owner.takeover()))
          .isEqualTo(Map.of(request.address(), new Coordination.ClaimOutcome.Claimed()));
    }
  }

  /** As if somebody had deleted it by hand. */
  void loseClaim(String text) {
    var address = Address.of(text);
    try (var client = etcd.client()) {
      var owner = client.owner(S).orElseThrow();
      var holder = client.claimOn(address).orElseThrow();
      client.free(
          List.of(new Coordination.ClaimRequest(address, holder.uid(), holder.service())),
          S,
          owner.takeover());
    }
  }

  @Override
  public void close() {
    kafka.showCommits();
    for (var replica : replicas) {
      replica.owners.close();
      replica.loader.close();
      replica.log.close();
    }
    etcd.close();
  }
}
