package io.fairlead.eventlog.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.eventlog.codec.RandomEvents;
import io.fairlead.eventlog.log.FollowListener.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every log does, the one over Kafka and the fake. Each test begins with an empty log. */
@Timeout(120)
abstract class EventLogContract {
  static final Partitioning PARTITIONING = new Partitioning(4);
  private static final LogPartition SERVICES = LogPartition.SERVICES;
  private static final List<LogPartition> JUST_SERVICES = List.of(SERVICES);

  private final RandomEvents random = new RandomEvents(1, PARTITIONING);
  private final List<AutoCloseable> opened = new ArrayList<>();

  /** A further client of the log. */
  abstract EventLog connect();

  /** A client of a log that keeps everything for longer than a test takes. */
  abstract EventLog connectWithLongWindow();

  /** Appends as the owner of the partition would, and neither commits nor aborts. */
  abstract void leaveOpen(EventLog log, LogPartition partition, List<LogEvent> events);

  /** The brokers die; what was acknowledged survives. */
  abstract void kill();

  abstract void restart();

  /** Every call hangs or fails until {@link #unpause}. */
  abstract void pause();

  abstract void unpause();

  abstract void recreate(Topic topic);

  abstract void deleteRecordsBefore(LogPartition partition, long offset);

  /**
   * Makes the log forget all but the latest record of each key.
   *
   * @param append writes once more: what was written last of all may be exempt
   */
  abstract void compact(LogPartition partition, Runnable append);

  @AfterEach
  void closeAll() throws Exception {
    for (var resource : opened.reversed()) {
      resource.close();
    }
  }

  @Test
  void deliversWhatWasAppendedInOrder() {
    var log = open();
    var events = services(120);
    var recorder = follow(log, JUST_SERVICES);
    var appender = appender(log, SERVICES);
    appender.append(events.subList(0, 1));
    appender.append(events.subList(1, 100));
    appender.append(events.subList(100, 120));

    recorder.awaitEntries(120);
    assertThat(recorder.events()).isEqualTo(events);
    assertThat(recorder.entries())
        .isSortedAccordingTo(Comparator.comparingLong(LogEntry::offset))
        .isSortedAccordingTo(Comparator.comparing(LogEntry::timestamp))
        .allMatch(e -> e.partition().equals(SERVICES));
    assertThat(recorder.entries().stream().map(LogEntry::offset)).doesNotHaveDuplicates();
  }

  @Test
  void movesThePositionPastEverythingThatWasAppended() {
    var log = open();
    var recorder = follow(log, JUST_SERVICES);
    assertThat(log.endOffsets(JUST_SERVICES)).containsEntry(SERVICES, 0L);

    appender(log, SERVICES).append(services(3));
    recorder.awaitEntries(3);

    // the marker of the transaction takes an offset too, and the end is behind it
    await().until(() -> end(log) > 3);
    recorder.awaitEnd(log, JUST_SERVICES);
    assertThat(log.unstable(JUST_SERVICES)).containsEntry(SERVICES, 0L);
  }

  @Test
  void warmingUpWritesNothingAndFencesNobody() {
    var log = open();
    var appender = appender(log, SERVICES);
    appender.append(services(1));
    log.warmUp();
    log.warmUp();
    appender.append(services(2));
    var recorder = follow(log, JUST_SERVICES);
    recorder.awaitEnd(log, JUST_SERVICES);
    assertThat(recorder.entries()).hasSize(3);
  }

  @Test
  void saysFromWhereOnItIsThere() {
    var log = open();
    appender(log, SERVICES).append(services(3));
    assertThat(log.startOffsets(PARTITIONING_PARTITIONS))
        .allSatisfy((_, start) -> assertThat(start).isZero());
    deleteRecordsBefore(SERVICES, 2);
    await()
        .untilAsserted(
            () -> assertThat(log.startOffsets(JUST_SERVICES)).containsEntry(SERVICES, 2L));
  }

  @Test
  void isCompleteSinceBeforeWhatItTookJustNow() {
    var log = connectWithLongWindow();
    opened.add(log);
    appender(log, SERVICES).append(services(1));
    var recorder = follow(log, JUST_SERVICES);
    recorder.awaitEntries(1);
    assertThat(recorder.entries().getFirst().timestamp()).isAfter(log.completeSince());
  }

  @Test
  void followsSeveralPartitionsEachInItsOrder() {
    var log = open();
    var partitions = PARTITIONING_PARTITIONS;
    var recorder = follow(log, partitions);
    var byPartition = partitions.stream().map(p -> List.of(header(p))).toList();
    for (int i = 0; i < partitions.size(); i++) {
      appender(log, partitions.get(i)).append(byPartition.get(i));
    }

    recorder.awaitEntries(partitions.size());
    recorder.awaitEnd(log, partitions);
    for (int i = 0; i < partitions.size(); i++) {
      var partition = partitions.get(i);
      assertThat(
              recorder.entries().stream()
                  .filter(e -> e.partition().equals(partition))
                  .map(LogEntry::event))
          .isEqualTo(byPartition.get(i));
    }
  }

  @Test
  void startsWhereItIsToldTo() {
    var log = open();
    var events = services(4);
    var appender = appender(log, SERVICES);
    appender.append(events);
    var first = follow(log, JUST_SERVICES);
    first.awaitEntries(4);

    var from = Position.start(log.identity()).with(SERVICES, first.entries().get(2).offset());
    var second = follow(log, JUST_SERVICES, from);
    second.awaitEntries(2);
    second.awaitEnd(log, JUST_SERVICES);
    assertThat(second.events()).isEqualTo(events.subList(2, 4));
  }

  @Test
  void deliversADeletionAndItsTombstone() {
    var log = open();
    var service = random.object(Kind.SERVICE);
    var deleted = new LogEvent.Deleted(service.key(), service.uid(), random.envelope());
    var events = List.of(stored(service), deleted, new LogEvent.Tombstone(service.key()));
    appender(log, SERVICES).append(events);

    var recorder = follow(log, JUST_SERVICES);
    recorder.awaitEntries(3);
    assertThat(recorder.events()).isEqualTo(events);
  }

  @Test
  void isTheSameLogForEveryClient() {
    var one = open();
    var other = open();
    assertThat(other.identity()).isEqualTo(one.identity());
    assertThat(other.partitioning()).isEqualTo(PARTITIONING);

    var recorder = follow(other, JUST_SERVICES);
    var events = services(2);
    appender(one, SERVICES).append(events);
    recorder.awaitEntries(2);
    assertThat(recorder.events()).isEqualTo(events);
  }

  @Test
  void fencesThePredecessor() {
    var log = open();
    var events = services(3);
    var predecessor = appender(log, SERVICES);
    predecessor.append(events.subList(0, 1));
    var successor = appender(open(), SERVICES);

    assertThatThrownBy(() -> predecessor.append(events.subList(1, 2)))
        .isInstanceOf(FencedException.class)
        .hasMessageContaining("fenced from partition s");
    successor.append(events.subList(2, 3));

    var recorder = follow(log, JUST_SERVICES);
    recorder.awaitEntries(2);
    recorder.awaitEnd(log, JUST_SERVICES);
    assertThat(recorder.events()).containsExactly(events.get(0), events.get(2));
  }

  @Test
  void hasOneWriterForEachPartitionApart() {
    var log = open();
    var services = appender(log, SERVICES);
    var nodes = appender(log, LogPartition.NODES);
    services.append(services(1));
    nodes.append(List.of(header(LogPartition.NODES)));
    services.append(services(1));

    var recorder = follow(log, List.of(SERVICES, LogPartition.NODES));
    recorder.awaitEntries(3);
  }

  @Test
  void keepsReadersBeforeAnOpenTransactionUntilASuccessorAbortsIt() {
    var log = open();
    var events = services(3);
    var recorder = follow(log, JUST_SERVICES);
    appender(log, SERVICES).append(events.subList(0, 1));
    recorder.awaitEntries(1);
    recorder.awaitEnd(log, JUST_SERVICES);
    leaveOpen(log, SERVICES, events.subList(1, 2));
    await().until(() -> log.unstable(JUST_SERVICES).getOrDefault(SERVICES, 0L) > 0);
    long end = end(log);
    assertThat(recorder.covers(log.endOffsets(JUST_SERVICES))).isTrue();

    var successor = appender(log, SERVICES);
    await().until(() -> end(log) > end);
    successor.append(events.subList(2, 3));

    recorder.awaitEntries(2);
    recorder.awaitEnd(log, JUST_SERVICES);
    assertThat(recorder.events()).containsExactly(events.get(0), events.get(2));
    assertThat(log.unstable(JUST_SERVICES)).containsEntry(SERVICES, 0L);
  }

  @Test
  void holdsWhatItSaidOfAnAppendThatFailed() {
    var log = open();
    var events = services(3);
    var appender = appender(log, SERVICES);
    appender.append(events.subList(0, 1));
    pause();
    Optional<Outcome> outcome = Optional.empty();
    try {
      appender.append(events.subList(1, 2));
    } catch (GatewayException e) {
      outcome = Optional.of(e.outcome());
    }
    assertThat(outcome).isPresent();
    assertThatThrownBy(() -> log.endOffsets(JUST_SERVICES))
        .isInstanceOf(GatewayException.class)
        .extracting(e -> ((GatewayException) e).outcome())
        .isEqualTo(Outcome.KNOWN_FAILED);
    unpause();
    if (outcome.get() == Outcome.KNOWN_FAILED) {
      // it may be used again, as soon as the log is reached
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> {
            try {
              appender.append(events.subList(2, 3));
              return true;
            } catch (GatewayException e) {
              if (e.outcome() == Outcome.UNKNOWN) {
                throw e;
              }
              return false;
            }
          });
    } else {
      appender.close();
      openAppender(log, SERVICES).append(events.subList(2, 3));
    }

    var recorder = follow(log, JUST_SERVICES);
    recorder.awaitEnd(log, JUST_SERVICES);
    if (outcome.get() == Outcome.KNOWN_FAILED) {
      assertThat(recorder.events()).containsExactly(events.get(0), events.get(2));
    } else {
      assertThat(recorder.events()).startsWith(events.get(0)).endsWith(events.get(2));
    }
  }

  @Test
  void goesOnAfterTheBrokersDied() {
    var log = open();
    var events = services(3);
    var recorder = follow(log, JUST_SERVICES);
    appender(log, SERVICES).append(events.subList(0, 2));
    recorder.awaitEntries(2);
    recorder.awaitConnection(Connection.CONNECTED);

    kill();
    recorder.awaitConnection(Connection.LOST);
    restart();
    recorder.awaitConnection(Connection.CONNECTED);
    openAppender(log, SERVICES).append(events.subList(2, 3));

    recorder.awaitEntries(3);
    recorder.awaitEnd(log, JUST_SERVICES);
    assertThat(recorder.events()).isEqualTo(events);
    // a slow machine may lose and find the log once more
    assertThat(recorder.connections())
        .startsWith(Connection.CONNECTED, Connection.LOST)
        .endsWith(Connection.CONNECTED);
  }

  @Test
  void noticesATopicThatWasMadeAnew() {
    var log = open();
    var recorder = follow(log, JUST_SERVICES);
    var appender = appender(log, SERVICES);
    appender.append(services(2));
    recorder.awaitEntries(2);
    recreate(Topic.SERVICES);

    assertThat(recorder.awaitFault())
        .isInstanceOf(ForeignLogException.class)
        .hasMessageContaining("made anew")
        .hasMessageContaining(log.identity().toString());
    assertThatThrownBy(() -> log.endOffsets(JUST_SERVICES)).isInstanceOf(ForeignLogException.class);
    assertThatThrownBy(() -> log.openAppender(SERVICES)).isInstanceOf(ForeignLogException.class);
    assertThatThrownBy(() -> appender.append(services(1))).isInstanceOf(ForeignLogException.class);
    assertThat(open().identity()).isNotEqualTo(log.identity());
  }

  @Test
  void refusesAPositionOfAnotherLog() {
    var log = open();
    var foreign = Position.start(new LogIdentity("other", "log"));
    assertThatThrownBy(() -> log.follow(JUST_SERVICES, foreign, new Recorder()))
        .isInstanceOf(ForeignLogException.class)
        .hasMessageContaining("other.log");
  }

  @Test
  void faultsWhereARecordIsMissing() {
    var log = open();
    appender(log, SERVICES).append(services(5));
    var before = follow(log, JUST_SERVICES);
    before.awaitEntries(5);
    deleteRecordsBefore(SERVICES, 3);

    var recorder = follow(log, JUST_SERVICES);
    assertThat(recorder.awaitFault())
        .isInstanceOf(MissingOffsetException.class)
        .hasMessageContaining("offset 0 of partition s");
    assertThat(recorder.entries()).isEmpty();
  }

  @Test
  void faultsWhereThePositionIsBeyondTheEnd() {
    var log = open();
    appender(log, SERVICES).append(services(1));
    var from = Position.start(log.identity()).with(SERVICES, 1000);
    var recorder = follow(log, JUST_SERVICES, from);
    assertThat(recorder.awaitFault())
        .isInstanceOf(MissingOffsetException.class)
        .hasMessageContaining("offset 1000 of partition s");
  }

  @Test
  void readsOnThroughTheHolesOfCompaction() {
    var log = open();
    var service = random.object(Kind.SERVICE);
    var appender = appender(log, SERVICES);
    for (int i = 0; i < 20; i++) {
      appender.append(List.of(stored(service)));
    }
    var last = stored(random.object(Kind.SERVICE_CIDR));
    compact(SERVICES, () -> appender.append(List.of(last)));

    var recorder = follow(log, JUST_SERVICES);
    recorder.awaitEnd(log, JUST_SERVICES);
    assertThat(recorder.events()).hasSizeLessThan(21).endsWith(last);
    assertThat(recorder.events().getFirst().key()).isEqualTo(service.key());
  }

  @Test
  void refusesToWriteWhatBelongsElsewhere() {
    var log = open();
    var appender = appender(log, SERVICES);
    var both = List.of(services(1).getFirst(), stored(random.object(Kind.POD)));
    assertThatThrownBy(() -> appender.append(both))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("belongs into partition p");
    assertThatThrownBy(() -> appender.append(List.of()))
        .isInstanceOf(IllegalArgumentException.class);

    var events = services(1);
    appender.append(events);
    var recorder = follow(log, JUST_SERVICES);
    recorder.awaitEntries(1);
    recorder.awaitEnd(log, JUST_SERVICES);
    assertThat(recorder.events()).isEqualTo(events);
  }

  @Test
  void faultsWhereTheHeaderSpeaksOfAnotherLayout() {
    var log = open();
    var odd = new PartitionHeader(LogPartition.NODES, 16, Partitioning.HASH, UUID.randomUUID());
    appender(log, LogPartition.NODES).append(List.of(stored(odd)));

    var recorder = follow(log, List.of(LogPartition.NODES));
    assertThat(recorder.awaitFault())
        .isInstanceOf(ForeignLogException.class)
        .hasMessageContaining("laid out for 16 partitions");
    assertThat(recorder.entries()).isEmpty();
  }

  @Test
  void stopsWhenTheListenerThrows() {
    var log = open();
    var recorder = new Recorder();
    var follower =
        log.follow(
            JUST_SERVICES,
            Position.start(log.identity()),
            new FollowListener() {
              @Override
              public void onEntries(List<LogEntry> entries, Position applied) {
                recorder.onEntries(entries, applied);
                throw new IllegalStateException("on purpose");
              }

              @Override
              public void onConnection(Connection state) {}

              @Override
              public void onFault(Throwable cause) {
                recorder.onFault(cause);
              }
            });
    opened.add(follower);
    var appender = appender(log, SERVICES);
    appender.append(services(1));
    assertThat(recorder.awaitFault()).hasMessage("on purpose");
    int delivered = recorder.entries().size();
    appender.append(services(1));

    var after = follow(log, JUST_SERVICES);
    after.awaitEntries(2);
    assertThat(recorder.entries()).hasSize(delivered);
  }

  @Test
  void tellsAListenerNothingAfterItsFollowerWasClosed() {
    var log = open();
    var closed = new Recorder();
    var follower = log.follow(JUST_SERVICES, Position.start(log.identity()), closed);
    closed.awaitConnection(Connection.CONNECTED);
    follower.close();
    follower.close();
    appender(log, SERVICES).append(services(1));

    var recorder = follow(log, JUST_SERVICES);
    recorder.awaitEntries(1);
    assertThat(closed.entries()).isEmpty();
    assertThat(closed.fault()).isEmpty();
  }

  @Test
  void mayBeClosedByItsOwnListener() throws Exception {
    var log = open();
    var follower = new CompletableFuture<Follower>();
    var done = new CompletableFuture<Boolean>();
    follower.complete(
        log.follow(
            JUST_SERVICES,
            Position.start(log.identity()),
            new FollowListener() {
              @Override
              public void onEntries(List<LogEntry> entries, Position applied) {
                follower.join().close();
                done.complete(true);
              }

              @Override
              public void onConnection(Connection state) {}

              @Override
              public void onFault(Throwable cause) {
                done.completeExceptionally(cause);
              }
            }));
    appender(log, SERVICES).append(services(1));
    assertThat(done.get(30, TimeUnit.SECONDS)).isTrue();
  }

  private static final List<LogPartition> PARTITIONING_PARTITIONS =
      List.of(
          SERVICES,
          LogPartition.NODES,
          new LogPartition(Topic.PODS, 1),
          new LogPartition(Topic.PODS, 2),
          new LogPartition(Topic.PODS, 3));

  final EventLog open() {
    var log = connect();
    opened.add(log);
    return log;
  }

  private PartitionAppender appender(EventLog log, LogPartition partition) {
    var appender = log.openAppender(partition);
    opened.add(appender);
    return appender;
  }

  /** After a fault the first tries may fail. */
  private PartitionAppender openAppender(EventLog log, LogPartition partition) {
    return await()
        .atMost(Duration.ofSeconds(60))
        .ignoreException(GatewayException.class)
        .until(() -> appender(log, partition), _ -> true);
  }

  private Recorder follow(EventLog log, List<LogPartition> partitions) {
    return follow(log, partitions, Position.start(log.identity()));
  }

  private Recorder follow(EventLog log, List<LogPartition> partitions, Position from) {
    var recorder = new Recorder();
    opened.add(log.follow(partitions, from, recorder));
    return recorder;
  }

  private static long end(EventLog log) {
    return log.endOffsets(JUST_SERVICES).getOrDefault(SERVICES, 0L);
  }

  private List<LogEvent> services(int count) {
    var events = new ArrayList<LogEvent>();
    for (int i = 0; i < count; i++) {
      events.add(stored(random.object(Kind.SERVICE)));
    }
    return events;
  }

  private LogEvent header(LogPartition partition) {
    return stored(
        new PartitionHeader(
            partition,
            PARTITIONING.partitions(partition.topic()),
            Partitioning.HASH,
            UUID.randomUUID()));
  }

  private LogEvent stored(io.fairlead.core.model.DomainObject object) {
    Envelope envelope = random.envelope();
    return new LogEvent.Stored(object, envelope);
  }
}
