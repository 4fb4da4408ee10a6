package io.fairlead.cli;

import io.fairlead.api.PositionCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.replay.Moment;
import io.fairlead.core.replay.Replay;
import io.fairlead.core.replay.Replayed;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.codec.UnreadableRecordException;
import io.fairlead.eventlog.file.LogFileException;
import io.fairlead.eventlog.file.LogFileReader;
import io.fairlead.eventlog.file.RawEntry;
import io.fairlead.runtime.OptionType;
import io.fairlead.v1.LogEntry;
import io.fairlead.v1.ReadLogReply;
import io.fairlead.v1.ReadLogRequest;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.function.Consumer;

/** Replays the log, that of a plane or that of a file, to a moment. */
final class Rewind {
  private Rewind() {}

  /**
   * Of a time like {@code 2026-11-01T12:00:00Z}, a duration like {@code 5m} before now, or a
   * position like {@code s:13,p0:4}.
   */
  static Moment moment(String text, Instant now) {
    try {
      return new Moment.At(OffsetDateTime.parse(text).toInstant());
    } catch (DateTimeException _) {
      // one of the other forms
    }
    if (OptionType.duration(Duration.ZERO, Duration.ofDays(10_000)).check().apply(text)
        instanceof OptionType.Good<Duration>(var ago)) {
      return new Moment.At(now.minus(ago));
    }
    return offsets(text, new LogIdentity("", ""))
        .<Moment>map(position -> new Moment.Before(position.next()))
        .orElseThrow(() ->
            new UsageException(
                "error: --at="
                    + text
                    + " is not a time (2026-11-01T12:00:00Z), a duration before now (5m), or a position (s:13,p0:4)"));
  }

  /** A position as {@code log tail} shows it. */
  static Optional<Position> offsets(String text, LogIdentity log) {
    return text.isEmpty() ? Optional.empty() : Position.parse(log, text);
  }

  /** As its bytes. */
  static RawEntry raw(LogEntry entry) {
    return new RawEntry(
        LogPartition.parse(entry.getPartition())
            .orElseThrow(() ->
                new CliException(
                    "error: the server tells of a partition \"" + entry.getPartition() + "\"")),
        entry.getOffset(),
        Timestamps.model(entry.getAppended()),
        entry.getKey(),
        entry.hasRecord() ? Optional.of(entry.getRecord()) : Optional.empty());
  }

  /**
   * What the server says of a position.
   *
   * @throws CliException it cannot be read
   */
  static Position position(io.fairlead.v1.Position position) {
    return PositionCodec.model(position)
        .orElseThrow(() -> new CliException("error: the server's position cannot be read"));
  }

  /** The log that a plane retains. */
  static Replayed live(Moment moment, Session session) {
    var reading = new Live(moment, session.time());
    session.readLog(
        stub -> stub.read(ReadLogRequest.getDefaultInstance()), () -> {}, reading::take);
    return reading.result();
  }

  /** One stream; where it breaks, the next one begins anew. */
  private static final class Live {
    private final Moment moment;
    private final Time time;
    private Optional<Replay> replay = Optional.empty();
    private Instant retainedSince = Instant.MIN;
    private long begunNanos;

    Live(Moment moment, Time time) {
      this.moment = moment;
      this.time = time;
    }

    Then take(ReadLogReply reply) {
      switch (reply.getMessageCase()) {
        case BEGIN -> {
          var begun = new Replay(moment, position(reply.getBegin().getEnd()));
          replay = Optional.of(begun);
          retainedSince = Timestamps.model(reply.getBegin().getCompleteSince());
          begunNanos = time.nanoTime();
          return begun.behindTheEnd().isPresent() ? Then.ENOUGH : Then.MORE;
        }
        case ENTRY -> {
          try {
            var entry = raw(reply.getEntry()).decode();
            entry.ifPresent(decoded -> replay.ifPresent(r -> r.take(decoded)));
          } catch (UnreadableRecordException e) {
            throw new CliException("error: " + e.getMessage());
          }
        }
        case END, MESSAGE_NOT_SET -> {}
      }
      return Then.MORE; // it ends by itself
    }

    Replayed result() {
      // compaction went on while this was read
      var took = Duration.ofNanos(time.nanoTime() - begunNanos);
      return replay
          .map(r -> r.result(retainedSince.plus(took)))
          .orElseThrow(() -> new CliException("error: the server told nothing of its log"));
    }
  }

  /**
   * A file that {@code log export} wrote.
   *
   * @throws CliException it is none, or not whole, or begins in the middle of the log
   */
  static Replayed file(Moment moment, Path file) {
    return reading(
        file,
        reader -> {
          var replay = new Replay(moment, reader.header().until());
          decode(file, reader, replay::take);
          return replay.result(reader.completeSince());
        });
  }

  /** Makes something of a file. */
  @FunctionalInterface
  interface FileReading<R> {
    R read(LogFileReader reader) throws IOException;
  }

  /**
   * Reads a file that {@code log export} wrote.
   *
   * @throws CliException it is none, or not whole, or begins in the middle of the log
   */
  static <R> R reading(Path file, FileReading<R> reading) {
    try (var in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
      var reader = new LogFileReader(in);
      if (!reader.header().isFromTheBeginning()) {
        throw new CliException(
            "error: %s begins at %s: only a file from the log's beginning, written without --since, can be replayed"
                .formatted(file, reader.header().since().offsets()));
      }
      return reading.read(reader);
    } catch (LogFileException e) {
      throw new CliException("error: " + file + " is " + e.getMessage());
    } catch (NoSuchFileException _) {
      throw new CliException("error: the file " + file + " does not exist");
    } catch (IOException e) {
      throw new CliException("error: " + file + " cannot be read: " + e.getMessage());
    }
  }

  /**
   * All entries of a file, in order; that it is whole is known afterwards.
   *
   * @throws CliException one of them cannot be read, though the file is as it was written
   */
  static void decode(
      Path file, LogFileReader reader, Consumer<io.fairlead.core.record.LogEntry> taker)
      throws IOException {
    Optional<UnreadableRecordException> unreadable = Optional.empty();
    for (var entry = reader.next(); entry.isPresent(); entry = reader.next()) {
      try {
        if (unreadable.isEmpty()) {
          entry.get().decode().ifPresent(taker);
        }
      } catch (UnreadableRecordException e) {
        unreadable = Optional.of(e); // unless the file is damaged, which is known at its end
      }
    }
    unreadable.ifPresent(e -> {
      throw new CliException("error: " + file + ": " + e.getMessage());
    });
  }

  /**
   * What was then.
   *
   * @throws CliException nothing can be said of then
   */
  static Replayed.State state(Replayed replayed) {
    return switch (replayed) {
      case Replayed.State state -> state;
      case Replayed.NothingYet(var begin) ->
          throw new CliException("error: nothing of then is retained: the log begins at " + begin);
      case Replayed.Incomplete(var asked, var since) ->
          throw new CliException(
              "error: of %s not everything is retained: the log is complete since %s"
                  .formatted(asked, since));
      case Replayed.BehindTheEnd(var partition, var asked, var end) ->
          throw new CliException(
              "error: position %s:%d is behind the end of the log, %s:%d"
                  .formatted(partition, asked, partition, end));
    };
  }
}
