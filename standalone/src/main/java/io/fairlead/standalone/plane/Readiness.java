package io.fairlead.standalone.plane;

import io.fairlead.devkit.process.LaunchException;
import io.fairlead.runtime.HostPort;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/** Asks a part's /readyz. Stateless. */
final class Readiness {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final Duration PAUSE = Duration.ofMillis(50);
  private static final int ANSWER_MILLIS = 2_000;

  private Readiness() {}

  /**
   * Returns when the part says that it is ready.
   *
   * @param gone whether it ended, and waiting has no use
   * @throws LaunchException it is gone, or is not ready in time; with what it says itself
   */
  static void await(String part, HostPort http, BooleanSupplier gone) {
    var end = System.nanoTime() + LIMIT.toNanos();
    while (true) {
      var trouble = trouble(http);
      if (trouble.isEmpty()) {
        return;
      }
      if (gone.getAsBoolean()) {
        throw new LaunchException(part + " ended before it was ready");
      }
      if (System.nanoTime() - end > 0) {
        throw new LaunchException(
            "%s was not ready within %d s: %s".formatted(part, LIMIT.toSeconds(), trouble.get()));
      }
      Pause.of(PAUSE);
    }
  }

  /** Why it is not ready; empty = it is. */
  static Optional<String> trouble(HostPort http) {
    try {
      var connection =
          (HttpURLConnection)
              URI.create("http://" + http + "/readyz").toURL().openConnection(Proxy.NO_PROXY);
      connection.setConnectTimeout(ANSWER_MILLIS);
      connection.setReadTimeout(ANSWER_MILLIS);
      try {
        if (connection.getResponseCode() == HttpURLConnection.HTTP_OK) {
          return Optional.empty();
        }
        var body = connection.getErrorStream();
        var text = body == null ? "" : new String(body.readAllBytes(), StandardCharsets.UTF_8);
        return Optional.of(
            text.lines()
                .filter(line -> line.startsWith("[-]"))
                .map(line -> line.substring(3))
                .collect(Collectors.joining(", ")));
      } finally {
        connection.disconnect();
      }
    } catch (IOException e) {
      return Optional.of(http + " does not answer: " + e.getMessage());
    }
  }
}
