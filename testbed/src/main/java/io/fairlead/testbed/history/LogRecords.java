package io.fairlead.testbed.history;

import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.log.FollowListener;
import io.fairlead.eventlog.log.KafkaEventLog;
import io.fairlead.eventlog.log.KafkaLogConfig;
import io.fairlead.testbed.cluster.Stores;
import io.fairlead.testbed.history.Operation.Seen;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What the log holds, by a reader of our own. */
public final class LogRecords {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private LogRecords() {}

  /** All records of the Services of a namespace, in the order of the log, without tombstones. */
  public static List<LoggedWrite> ofServices(Stores stores, String namespace) {
    return all(stores).stream().flatMap(entry -> write(entry, namespace).stream()).toList();
  }

  /** All entries of the partition of Services that are committed now, in its order. */
  public static List<LogEntry> all(Stores stores) {
    return all(stores, Topic.SERVICES);
  }

  /** All entries of a topic that are committed now, each partition's in its order. */
  public static List<LogEntry> all(Stores stores, Topic topic) {
    var config =
        KafkaLogConfig.of(stores.kafkaBootstrap(), "history")
            .withReplicationFactor(stores.copies());
    try (var log = KafkaEventLog.open(config, Time.system())) {
      var partitions = log.partitioning().all().stream().filter(p -> p.topic() == topic).toList();
      var reader = new Reader(log.endOffsets(partitions));
      try (var _ = log.follow(partitions, Position.start(log.identity()), reader)) {
        return reader.all.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException("the log cannot be read", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private static Optional<LoggedWrite> write(LogEntry entry, String namespace) {
    return switch (entry.event()) {
      case LogEvent.Stored(Service service, var envelope)
          when service.name().namespace().equals(namespace) ->
          Optional.of(
              new LoggedWrite(
                  entry.offset(),
                  id(envelope),
                  service.name().name(),
                  service.uid().toString(),
                  Optional.of(seen(entry.offset(), service))));
      case LogEvent.Deleted(var key, var uid, var envelope)
          when key.kind() == Kind.SERVICE && key.objectName().namespace().equals(namespace) ->
          Optional.of(
              new LoggedWrite(
                  entry.offset(),
                  id(envelope),
                  key.objectName().name(),
                  uid.toString(),
                  Optional.empty()));
      case LogEvent.Stored _, LogEvent.Deleted _, LogEvent.Tombstone _ -> Optional.empty();
    };
  }

  private static Optional<String> id(Envelope envelope) {
    return envelope.request().map(RequestStamp::id);
  }

  private static Seen seen(long offset, Service service) {
    return new Seen(
        service.name().name(),
        service.uid().toString(),
        Long.toString(offset),
        service.spec().clusterIps().getFirst().toString(),
        service.meta().annotations().getOrDefault(HistoryClient.WRITER, ""));
  }

  /** Gathers until the end. */
  private static final class Reader implements FollowListener {
    final CompletableFuture<List<LogEntry>> all = new CompletableFuture<>();
    private final Map<LogPartition, Long> ends;
    private final List<LogEntry> entries = new ArrayList<>();

    Reader(Map<LogPartition, Long> ends) {
      this.ends = ends;
    }

    @Override
    public void onEntries(List<LogEntry> more, Position applied) {
      entries.addAll(more);
      if (ends.entrySet().stream().allMatch(e -> applied.of(e.getKey()) >= e.getValue())) {
        all.complete(List.copyOf(entries));
      }
    }

    @Override
    public void onConnection(Connection state) {}

    @Override
    public void onFault(Throwable cause) {
      all.completeExceptionally(cause);
    }
  }
}
