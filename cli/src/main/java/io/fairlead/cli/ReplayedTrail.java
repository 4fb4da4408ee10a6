package io.fairlead.cli;

import io.fairlead.api.Timestamps;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Digest;
import io.fairlead.core.image.DigestMarks;
import io.fairlead.core.image.DigestTrail;
import io.fairlead.core.image.PartitionObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.codec.UnreadableRecordException;
import io.fairlead.v1.ReadLogReply;
import io.fairlead.v1.ReadLogRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * What a log adds up to at every thousandth offset of the last million of each partition, and at
 * its end, replayed from its beginning.
 *
 * @param images at the end, of each partition alone
 */
record ReplayedTrail(
    Position position,
    SortedMap<LogPartition, DigestMarks> marks,
    SortedMap<LogPartition, ClusterImage> images) {
  /** More than clocks differ by, when it counts what compaction may have removed. */
  private static final Duration SKEW = Duration.ofHours(1);

  /** The digest of a partition at the end. */
  Digest digest(LogPartition partition) {
    return image(partition).digest(partition);
  }

  /** The objects of a partition at the end. */
  PartitionObjects objects(LogPartition partition) {
    return PartitionObjects.at(position.of(partition), PartitionObjects.of(image(partition)));
  }

  private ClusterImage image(LogPartition partition) {
    return images.getOrDefault(partition, ClusterImage.EMPTY);
  }

  /** Takes all entries, within each partition in order. */
  private static final class Reading {
    private final DigestTrail trail;
    private final Map<LogPartition, ClusterDelta> deltas = new TreeMap<>();

    Reading(Supplier<Instant> completeSince) {
      // no replica has more to compare them with
      trail = new DigestTrail(DigestTrail.KEPT, () -> completeSince.get().plus(SKEW));
    }

    void take(LogEntry entry) {
      trail.replay(
          entry,
          deltas.computeIfAbsent(entry.partition(), _ -> new ClusterDelta(ClusterImage.EMPTY)));
    }

    ReplayedTrail result(Position end) {
      var images = new TreeMap<LogPartition, ClusterImage>();
      deltas.forEach((partition, delta) -> {
        images.put(partition, delta.apply());
        trail.reached(Position.start(end.log()).with(partition, end.of(partition)), delta.apply());
      });
      return new ReplayedTrail(end, trail.marks(), images);
    }
  }

  /**
   * A file that {@code log export} wrote, which is read twice: what is missing in it stands at its
   * end.
   *
   * @throws CliException as {@link Rewind#reading}
   */
  static ReplayedTrail file(Path file) {
    var completeSince = Rewind.reading(file, reader -> completeSince(file, reader));
    return Rewind.reading(
        file,
        reader -> {
          var reading = new Reading(() -> completeSince);
          Rewind.decode(file, reader, reading::take);
          return reading.result(reader.header().until());
        });
  }

  private static Instant completeSince(Path file, io.fairlead.eventlog.file.LogFileReader reader)
      throws IOException {
    Rewind.decode(file, reader, _ -> {});
    return reader.completeSince();
  }

  /** The log that a plane retains. */
  static ReplayedTrail live(Session session) {
    var live = new Live(session.time());
    session.readLog(stub -> stub.read(ReadLogRequest.getDefaultInstance()), () -> {}, live::take);
    return live.result();
  }

  /** One stream; where it breaks, the next one begins anew. */
  private static final class Live {
    private final Time time;
    private Optional<Reading> reading = Optional.empty();
    private Optional<Position> end = Optional.empty();

    Live(Time time) {
      this.time = time;
    }

    Then take(ReadLogReply reply) {
      switch (reply.getMessageCase()) {
        case BEGIN -> {
          var since = Timestamps.model(reply.getBegin().getCompleteSince());
          long begunNanos = time.nanoTime();
          end = Optional.of(Rewind.position(reply.getBegin().getEnd()));
          // compaction goes on while this is read
          reading =
              Optional.of(
                  new Reading(() -> since.plus(Duration.ofNanos(time.nanoTime() - begunNanos))));
        }
        case ENTRY -> {
          try {
            var entry = Rewind.raw(reply.getEntry()).decode();
            entry.ifPresent(decoded -> reading.ifPresent(r -> r.take(decoded)));
          } catch (UnreadableRecordException e) {
            throw new CliException("error: " + e.getMessage());
          }
        }
        case END, MESSAGE_NOT_SET -> {}
      }
      return Then.MORE; // it ends by itself
    }

    ReplayedTrail result() {
      return reading
          .map(r -> r.result(end.orElseThrow()))
          .orElseThrow(() -> new CliException("error: the server told nothing of its log"));
    }
  }
}
