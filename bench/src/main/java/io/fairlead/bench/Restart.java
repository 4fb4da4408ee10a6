package io.fairlead.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * How long a replica of endpoints-service takes from its start to its readiness: over the whole log
 * of 10,000 Services of 5 Pods whose readiness changed very often, and from the snapshot that it
 * left at an orderly end. With the start of its JVM.
 */
final class Restart {
  private static final int SERVICES = 10_000;
  private static final int PODS = 5;
  private static final int NODES = 500;
  private static final int STARTS = 3;

  private Restart() {}

  static void measure(int records, List<Figure> figures, Bench.Progress progress)
      throws IOException {
    var snapshots = Files.createTempDirectory("fairlead-bench-snapshots");
    var directory = Files.createTempDirectory("fairlead-bench-restart");
    try (var plane = StreamsPlane.start(directory, List.of("--snapshot-dir=" + snapshots))) {
      write(plane, records, progress);
      var whole = new Samples();
      var fromSnapshot = new Samples();
      long bytes = 0;
      for (int i = 1; i <= STARTS; i++) {
        progress.say("reading the whole log, %d of %d".formatted(i, STARTS));
        clear(snapshots);
        whole.add(start(plane));
        plane.replica().stop();
        bytes = bytes(snapshots);
        progress.say("from the snapshot, %d of %d".formatted(i, STARTS));
        fromSnapshot.add(start(plane));
        plane.replica().stop();
      }
      figures.add(seconds("streams.restart.log", whole, records));
      figures.add(seconds("streams.restart.snapshot", fromSnapshot, records));
      figures.add(new Figure("streams.restart.snapshot.bytes", bytes / 1e6, "MB", 1));
    } finally {
      clear(snapshots);
      Files.delete(snapshots);
    }
  }

  private static void write(StreamsPlane plane, int records, Bench.Progress progress) {
    var log = new StreamsLog(SERVICES, PODS, NODES);
    progress.say("writing %d records".formatted(records));
    try (var client = plane.log()) {
      log.append(client);
      int tenth = records / 10;
      log.appendFlips(
          client,
          records - log.size(),
          written -> {
            if (written / tenth > (written - StreamsLog.BATCH) / tenth) {
              progress.say("%d records written".formatted(log.size() + written));
            }
          });
    }
  }

  private static Duration start(StreamsPlane plane) {
    long from = System.nanoTime();
    plane.replica().launch().awaitReady();
    return Duration.ofNanos(System.nanoTime() - from);
  }

  /** The median start. */
  private static Figure seconds(String name, Samples starts, int records) {
    return new Figure(name + "." + records, starts.millis(50) / 1e3, "s", starts.count());
  }

  private static long bytes(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files.mapToLong(file -> file.toFile().length()).sum();
    }
  }

  private static void clear(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      for (var file : files.toList()) {
        Files.delete(file);
      }
    }
  }
}
