package io.fairlead.runtime;

import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.Time;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fault points that a directory arms, for tests. A file there that has the name of a point says
 * what the process does that comes to it: {@code kill} (it dies as by SIGKILL), {@code hold} (the
 * thread waits until the file {@code NAME.reached} is gone) or {@code pass} (nothing), each with a
 * number for the n-th time, counted in each process from when the file is there. Who obeys renames
 * the file to {@code NAME.reached} before: so of several processes one obeys, and a test sees that
 * the point was reached. Files are to be moved into the directory complete.
 */
public final class FaultPointDirectory implements FaultPoints {
  private static final Logger log = LoggerFactory.getLogger(FaultPointDirectory.class);

  /** The exit status that shells give a process that SIGKILL ended. */
  public static final int EXIT_CODE = 137;

  private static final Duration LOOK = Duration.ofMillis(5);
  private static final Pattern ORDER =
      Pattern.compile("(kill|hold|pass)(?: ([1-9][0-9]{0,5}))?\\s*");
  private static final String REACHED = ".reached";

  private final Path directory;
  private final Time time;
  private final Runnable death;
  private final Map<FaultPoint, Integer> seen = new ConcurrentHashMap<>();

  FaultPointDirectory(Path directory, Time time, Runnable death) {
    this.directory = directory;
    this.time = time;
    this.death = death;
  }

  /** Armed by a directory, or not at all. */
  public static FaultPoints of(Optional<Path> directory, Time time) {
    if (directory.isEmpty()) {
      return FaultPoints.NONE;
    }
    log.atWarn()
        .addKeyValue("event", "fault-points.armed")
        .addKeyValue("directory", directory.get())
        .log("Files in a directory can kill this process: for tests only");
    return new FaultPointDirectory(
        directory.get(), time, () -> Runtime.getRuntime().halt(EXIT_CODE));
  }

  /**
   * The value of {@code --fault-points}.
   *
   * @throws IllegalArgumentException says what is wrong with it
   */
  public static Optional<Path> configured(ConfigValues values) {
    var directory = values.find(CommonOptions.FAULT_POINTS);
    directory
        .flatMap(FaultPointDirectory::refusal)
        .ifPresent(why -> {
          throw new IllegalArgumentException("--fault-points: " + why);
        });
    return directory;
  }

  /** What is wrong with a directory as the value of {@code --fault-points}; empty = nothing. */
  public static Optional<String> refusal(Path directory) {
    if (!Files.isDirectory(directory)) {
      return Optional.of(directory + " is not a directory");
    }
    try (var files = Files.list(directory)) {
      return files
          .map(file -> String.valueOf(file.getFileName()))
          .filter(name -> !name.startsWith("."))
          .filter(name -> FaultPoint.parse(withoutEnding(name)).isEmpty())
          .sorted()
          .findFirst()
          .map(name ->
              "\"%s\" in %s is no fault point; there are %s".formatted(name, directory, names()));
    } catch (IOException e) {
      return Optional.of(directory + " cannot be read: " + e.getMessage());
    }
  }

  private static String withoutEnding(String name) {
    return name.endsWith(REACHED) ? name.substring(0, name.length() - REACHED.length()) : name;
  }

  private static String names() {
    return Arrays.stream(FaultPoint.values())
        .map(FaultPoint::toString)
        .collect(Collectors.joining(", "));
  }

  @Override
  public void reached(FaultPoint point) {
    var file = directory.resolve(point.toString());
    if (!Files.exists(file)) {
      return;
    }
    try {
      obey(point, file, directory.resolve(point + REACHED));
    } catch (
        NoSuchFileException e) { // another process was faster, or the test thought better of it
      log.atDebug().setCause(e).log("fault point taken by somebody else");
    } catch (IOException e) {
      throw new UncheckedIOException("fault point " + file, e);
    }
  }

  private void obey(FaultPoint point, Path file, Path taken) throws IOException {
    var order = ORDER.matcher(Files.readString(file));
    if (!order.matches()) {
      log.atError()
          .addKeyValue("event", "fault-point.refused")
          .addKeyValue("file", file)
          .log("Not \"kill\", \"hold\" or \"pass\" with or without a number; ignored");
      return;
    }
    int wanted = order.group(2) == null ? 1 : Integer.parseInt(order.group(2));
    if (seen.merge(point, 1, Integer::sum) < wanted) {
      return;
    }
    Files.move(file, taken, StandardCopyOption.ATOMIC_MOVE);
    seen.remove(point);
    log.atWarn()
        .addKeyValue("event", "fault-point.reached")
        .addKeyValue("point", point)
        .addKeyValue("order", order.group(1))
        .log("Fault point reached");
    switch (order.group(1)) {
      case "kill" -> death.run();
      case "hold" -> hold(taken);
      default -> {} // it was seen
    }
  }

  private void hold(Path taken) {
    try {
      while (Files.exists(taken)) {
        time.sleep(LOOK);
      }
    } catch (InterruptedException _) { // the process ends in good order
      Thread.currentThread().interrupt();
    }
  }
}
