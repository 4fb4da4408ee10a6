package io.fairlead.eventlog.load;

import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.log.EventLog;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Replays a log from its start, for those who compare. */
public final class LogReader {
  private LogReader() {}

  /**
   * The image of everything the log holds now, read from the start. Blocks.
   *
   * @throws GatewayException KNOWN_FAILED: the log cannot be reached or read, or not within {@code
   *     timeout}
   */
  public static Snapshot readAll(EventLog log, Duration timeout) {
    var ends = log.endOffsets(log.partitioning().all());
    // a fault also ends the wait below, with its words
    try (var loader =
        Loader.start(log, log.partitioning().all(), List.of(), (_, _) -> {}, Time.system())) {
      return loader.applied(ends).get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new GatewayException(
          Outcome.KNOWN_FAILED, "the log was not read within " + timeout.toMillis() + " ms", e);
    } catch (ExecutionException e) {
      var cause = e.getCause() == null ? e : e.getCause();
      throw new GatewayException(
          Outcome.KNOWN_FAILED, Optional.ofNullable(cause.getMessage()).orElse("failed"), cause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new GatewayException(Outcome.KNOWN_FAILED, "interrupted while reading the log", e);
    }
  }
}
