package io.fairlead.testbed.compose;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A new connection again and again from a container, one at a time, by the curl that is in it; ends
 * when closed, and with the container. What fails is kept with curl's words.
 */
public final class ContainerLoad implements AutoCloseable {
  private static final int KEPT_FAILURES = 50;

  private final String container;
  private final String mark;
  private final Process process;
  private final Thread reader;
  private final AtomicLong succeeded = new AtomicLong();
  private final List<String> failures = Collections.synchronizedList(new ArrayList<>());

  /**
   * @param container whose network is used, with sh and curl 7.84 or newer in it
   * @param url such as {@code http://10.96.0.20/}
   */
  public ContainerLoad(String container, String url) {
    this.container = container;
    this.mark = "/tmp/load-" + System.nanoTime();
    // At most twenty a second: enough to meet a gap of a few packets' time, too few to slow others.
    var script =
        """
        while [ ! -e %s ]; do
          curl -s -o /dev/null --max-time 20 --rate 20/s -H 'Connection: close' \
            -w '%%{exitcode} %%{http_code} %%{errormsg}\\n' '%s?[1-20]'
        done\
        """
            .formatted(mark, url);
    try {
      this.process =
          new ProcessBuilder("docker", "exec", container, "sh", "-c", script)
              .redirectErrorStream(true)
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var lines = process.inputReader(UTF_8);
    this.reader = Thread.ofPlatform().daemon().name("load-" + url).start(() -> read(lines));
  }

  private void read(BufferedReader lines) {
    try (lines) {
      String line;
      while ((line = lines.readLine()) != null) {
        if (line.startsWith("0 200")) {
          succeeded.incrementAndGet();
        } else if (failures.size() < KEPT_FAILURES) {
          failures.add(Instant.now() + " " + line);
        }
      }
    } catch (IOException e) {
      failures.add(Instant.now() + " " + e);
    }
  }

  /** Connections that were answered so far. */
  public long succeeded() {
    return succeeded.get();
  }

  /** What failed so far, oldest first; at most fifty. */
  public List<String> failures() {
    return List.copyOf(failures);
  }

  /** Lets those that have begun end. */
  @Override
  public void close() {
    try {
      new ProcessBuilder("docker", "exec", container, "touch", mark)
          .redirectErrorStream(true)
          .start()
          .waitFor(30, TimeUnit.SECONDS);
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
      reader.join(Duration.ofSeconds(10));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
