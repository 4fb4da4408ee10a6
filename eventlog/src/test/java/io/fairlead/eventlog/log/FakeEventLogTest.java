package io.fairlead.eventlog.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.eventlog.codec.RandomEvents;
import io.fairlead.eventlog.log.FakeEventLog.AppendFault;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FakeEventLogTest extends EventLogContract {
  private final FakeTime time = new FakeTime();
  private final FakeKafka kafka = new FakeKafka(time, PARTITIONING);
  private final RandomEvents random = new RandomEvents(2, PARTITIONING);

  @Override
  EventLog connect() {
    return kafka.connect();
  }

  @Override
  EventLog connectWithLongWindow() {
    return connect();
  }

  @Override
  void leaveOpen(EventLog log, LogPartition partition, List<LogEvent> events) {
    kafka.leaveOpen(partition, events);
  }

  @Override
  void kill() {
    kafka.stop();
  }

  @Override
  void restart() {
    kafka.start();
  }

  @Override
  void pause() {
    kafka.stop();
  }

  @Override
  void unpause() {
    kafka.start();
  }

  @Override
  void recreate(Topic topic) {
    kafka.recreate(topic);
  }

  @Override
  void deleteRecordsBefore(LogPartition partition, long offset) {
    kafka.deleteRecordsBefore(partition, offset);
  }

  @Override
  void compact(LogPartition partition, Runnable append) {
    append.run();
    kafka.compact(partition);
  }

  @ParameterizedTest
  @EnumSource
  void failsAnAppendOnRequest(AppendFault fault) {
    var client = kafka.connect();
    var appender = client.openAppender(LogPartition.SERVICES);
    var events = List.<LogEvent>of(stored());
    client.failNextAppend(fault);

    assertThatThrownBy(() -> appender.append(events))
        .isInstanceOf(GatewayException.class)
        .extracting(e -> ((GatewayException) e).outcome())
        .isEqualTo(fault == AppendFault.REFUSED ? Outcome.KNOWN_FAILED : Outcome.UNKNOWN);
    assertThat(kafka.committed(LogPartition.SERVICES))
        .hasSize(fault == AppendFault.UNKNOWN_WRITTEN ? 1 : 0);
    if (fault == AppendFault.REFUSED) {
      appender.append(events);
    } else {
      assertThatThrownBy(() -> appender.append(events)).isInstanceOf(IllegalStateException.class);
    }
    client.openAppender(LogPartition.SERVICES).append(events);
  }

  @Test
  void cutsOffOneClientOnly() {
    var one = kafka.connect();
    var other = kafka.connect();
    kafka.cutOff(one);
    assertThatThrownBy(() -> one.endOffsets(List.of(LogPartition.SERVICES)))
        .isInstanceOf(GatewayException.class);
    other.openAppender(LogPartition.SERVICES).append(List.of(stored()));
    kafka.rejoin(one);
    assertThat(one.endOffsets(List.of(LogPartition.SERVICES)))
        .containsEntry(LogPartition.SERVICES, 2L);
  }

  @Test
  void hidesCommitsOnRequest() {
    try (var log = kafka.connect()) {
      var recorder = new Recorder();
      log.follow(List.of(LogPartition.SERVICES), Position.start(log.identity()), recorder);
      kafka.hideCommits();
      var appender = log.openAppender(LogPartition.SERVICES);
      appender.append(List.of(stored()));
      appender.append(List.of(stored()));
      assertThat(log.endOffsets(List.of(LogPartition.SERVICES)))
          .containsEntry(LogPartition.SERVICES, 0L);
      assertThat(recorder.entries()).isEmpty();
      kafka.showCommits();
      recorder.awaitEntries(2);
      assertThat(recorder.entries()).allMatch(e -> e.timestamp().equals(FakeTime.START));
    }
  }

  @Test
  void holdsOnePartitionBackFromOneClient() {
    var pods = new LogPartition(Topic.PODS, 1);
    var both = List.of(LogPartition.SERVICES, pods);
    try (var held = kafka.connect();
        var other = kafka.connect()) {
      var behind = new Recorder();
      var current = new Recorder();
      held.holdBack(pods);
      held.follow(both, Position.start(held.identity()), behind);
      other.follow(both, Position.start(other.identity()), current);
      other.openAppender(pods).append(List.of(storedIn(pods)));
      held.openAppender(LogPartition.SERVICES).append(List.of(stored()));
      current.awaitEntries(2);
      behind.awaitEntries(1);
      assertThat(behind.entries())
          .extracting(LogEntry::partition)
          .containsExactly(LogPartition.SERVICES);
      assertThat(held.endOffsets(List.of(pods))).isEqualTo(other.endOffsets(List.of(pods)));
      held.release(pods);
      behind.awaitEntries(2);
    }
  }

  private LogEvent storedIn(LogPartition partition) {
    while (true) {
      var event = new LogEvent.Stored(random.object(Kind.POD), random.envelope());
      if (PARTITIONING.of(event.key()).equals(partition)) {
        return event;
      }
    }
  }

  private LogEvent stored() {
    return new LogEvent.Stored(random.object(Kind.SERVICE), random.envelope());
  }
}
