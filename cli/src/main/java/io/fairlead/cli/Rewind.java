package io.fairlead.cli;

import com.google.protobuf.ByteString;
import io.fairlead.api.PositionCodec;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.codec.UnreadableRecordException;
import io.fairlead.runtime.OptionType;
import io.fairlead.v1.ReadLogReply;
import io.fairlead.v1.ReadLogRequest;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What the log added up to at a moment, from its entries. Exact for as long back as the log keeps
 * every entry; of what compaction removed, later entries of the same key say nothing about then.
 */
final class Rewind {
  /** A moment of the log. */
  sealed interface Moment {
    /** Everything that the log had taken by then. */
    record At(Instant time) implements Moment {}

    /**
     * Everything before those offsets; of partitions that are not named, what the log had taken by
     * the time of the last of these entries.
     */
    record Before(SortedMap<LogPartition, Long> next) implements Moment {}

    /**
     * Of a time like {@code 2026-11-01T12:00:00Z}, a duration like {@code 5m} before now, or a
     * position like {@code s:13,p0:4}.
     */
    static Moment parse(String text, Instant now) {
      try {
        return new At(OffsetDateTime.parse(text).toInstant());
      } catch (DateTimeException _) {
        // one of the other forms
      }
      if (OptionType.duration(Duration.ZERO, Duration.ofDays(10_000)).check().apply(text)
          instanceof OptionType.Good<Duration>(var ago)) {
        return new At(now.minus(ago));
      }
      return positions(text)
          .<Moment>map(Before::new)
          .orElseThrow(() ->
              new CliException(
                  "error: --at="
                      + text
                      + " is not a time (2026-11-01T12:00:00Z), a duration before now (5m), or a position (s:13,p0:4)"));
    }

    private static Optional<SortedMap<LogPartition, Long>> positions(String text) {
      var any = new io.fairlead.core.model.LogIdentity("", "");
      return text.isEmpty() ? Optional.empty() : Position.parse(any, text).map(Position::next);
    }
  }

  /**
   * What was then.
   *
   * @param time of the last entry that counts; empty where none does
   * @param position behind the entries that count
   */
  record State(ClusterImage image, Optional<Instant> time, String position) {}

  private final Moment moment;
  private final List<LogEntry> counted = new ArrayList<>();

  /** Whether these count is known once the last of the named partitions is. */
  private final List<LogEntry> open = new ArrayList<>();

  private Optional<Instant> first = Optional.empty();

  private Rewind(Moment moment) {
    this.moment = moment;
  }

  static State to(Moment moment, Session session) {
    var holder = new Rewind[] {new Rewind(moment)};
    session.readLog(
        stub -> stub.read(ReadLogRequest.getDefaultInstance()),
        () -> holder[0] = new Rewind(moment), // from its beginning again
        reply -> holder[0].take(reply));
    return holder[0].result();
  }

  private Then take(ReadLogReply reply) {
    switch (reply.getMessageCase()) {
      case BEGIN -> checkEnd(reply);
      case ENTRY -> entry(reply.getEntry()).ifPresent(this::take);
      case END, MESSAGE_NOT_SET -> {}
    }
    return Then.MORE; // it ends by itself
  }

  private void checkEnd(ReadLogReply reply) {
    if (moment instanceof Moment.Before(var next)) {
      var end =
          PositionCodec.model(reply.getBegin().getEnd())
              .orElseThrow(() -> new CliException("error: the server's position cannot be read"));
      next.forEach((partition, offset) -> {
        if (offset > end.of(partition)) {
          throw new CliException(
              "error: position %s:%d is behind the end of the log, %s:%d"
                  .formatted(partition, offset, partition, end.of(partition)));
        }
      });
    }
  }

  /** Empty for one of a kind that may be passed over. */
  private static Optional<LogEntry> entry(io.fairlead.v1.LogEntry entry) {
    try {
      var record =
          entry.hasRecord() ? Optional.of(entry.getRecord()) : Optional.<ByteString>empty();
      return EventCodec.decode(
              entry.getKey().getBytes(StandardCharsets.UTF_8),
              record.map(ByteString::toByteArray).orElse(null))
          .map(event ->
              new LogEntry(
                  LogPartition.parse(entry.getPartition()).orElseThrow(),
                  entry.getOffset(),
                  LogRows.instant(entry.getAppended()),
                  event));
    } catch (UnreadableRecordException e) {
      throw new CliException(
          "error: entry %s:%d: %s"
              .formatted(entry.getPartition(), entry.getOffset(), e.getMessage()));
    }
  }

  private void take(LogEntry entry) {
    if (first.filter(time -> !entry.timestamp().isBefore(time)).isEmpty()) {
      first = Optional.of(entry.timestamp());
    }
    switch (moment) {
      case Moment.At(var time) -> {
        if (!entry.timestamp().isAfter(time)) {
          counted.add(entry);
        }
      }
      case Moment.Before(var next) -> {
        var end = next.get(entry.partition());
        if (end == null) {
          open.add(entry);
        } else if (entry.offset() < end) {
          counted.add(entry);
        }
      }
    }
  }

  private State result() {
    var last = last();
    last.ifPresent(
        time -> open.stream().filter(e -> !e.timestamp().isAfter(time)).forEach(counted::add));
    if (counted.isEmpty() && first.isPresent()) {
      throw new CliException(
          "error: nothing of then is retained: the log begins at " + first.get());
    }
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    var next = new TreeMap<LogPartition, Long>();
    for (var entry : counted) {
      delta.replay(entry);
      next.merge(entry.partition(), entry.offset() + 1, Math::max);
    }
    var position =
        next.entrySet().stream()
            .map(e -> e.getKey() + ":" + e.getValue())
            .collect(java.util.stream.Collectors.joining(","));
    return new State(delta.apply(), last(), position);
  }

  private Optional<Instant> last() {
    return counted.stream().map(LogEntry::timestamp).max(Instant::compareTo);
  }
}
