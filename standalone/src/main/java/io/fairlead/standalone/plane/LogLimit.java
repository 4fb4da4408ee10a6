package io.fairlead.standalone.plane;

import io.fairlead.core.run.Time;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bounds the logs of a plane's processes. They are written by whoever inherited them as standard
 * output, which appends, and cannot be told of another file: so a log that is full is copied to the
 * one before it ({@code .1}) and emptied. What is printed between the two, a few lines at most, is
 * lost. Owns one virtual thread.
 */
final class LogLimit implements AutoCloseable {
  /** Of each file; there are two of each log. */
  static final long FILE_LIMIT = 16L << 20;

  private static final Logger LOG = LoggerFactory.getLogger(LogLimit.class);
  private static final Duration LOOK = Duration.ofSeconds(5);

  private final Thread thread;

  private LogLimit(Thread thread) {
    this.thread = thread;
  }

  /** Looks after these from now on; those that are not there yet, too. */
  static LogLimit start(List<Path> logs, Time time) {
    var all = List.copyOf(logs);
    return new LogLimit(
        Thread.ofVirtual()
            .name("log-limit")
            .start(() -> {
              try {
                while (true) {
                  time.sleep(LOOK);
                  all.forEach(log -> look(log, FILE_LIMIT));
                }
              } catch (InterruptedException _) {
                // it is over
              }
            }));
  }

  /** Makes room where a log is full. What cannot be kept is lost: the disk matters more. */
  static void look(Path log, long limit) {
    try {
      if (Files.size(log) < limit) {
        return;
      }
      var older = log.resolveSibling(log.getFileName() + ".1");
      try {
        Files.deleteIfExists(older); // first: the disk may be full
        Files.copy(log, older, StandardCopyOption.REPLACE_EXISTING);
      } catch (IOException e) {
        LOG.atWarn().setCause(e).addKeyValue("file", log).log("A full log cannot be kept");
      }
      FileChannel.open(log, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING).close();
    } catch (NoSuchFileException _) {
      // nobody has written it yet
    } catch (IOException e) {
      LOG.atWarn().setCause(e).addKeyValue("file", log).log("A log cannot be kept small");
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
