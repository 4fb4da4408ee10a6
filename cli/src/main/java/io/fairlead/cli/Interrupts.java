package io.fairlead.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/** Commands that go on until they are interrupted: that is how they end, hence no error. */
final class Interrupts {
  /** For what was printed and is not written yet; a pipe that nobody reads takes nothing. */
  private static final Duration FLUSH = Duration.ofSeconds(1);

  private Interrupts() {}

  /** Runs it; when the process is told to end meanwhile, it ends with exit code 0. */
  static void endingWell(Console console, Runnable body) {
    var _ =
        endingWith(
            console,
            () -> {
              body.run();
              return 0;
            },
            () -> 0);
  }

  /**
   * Runs it, and returns its exit code; when the process is told to end meanwhile, what has to be
   * done then is done, and its exit code is that of the process.
   */
  static int endingWith(Console console, IntSupplier body, IntSupplier ending) {
    var hook =
        Thread.ofPlatform()
            .name("ending")
            .unstarted(() -> {
              int code = ending.getAsInt();
              flush(console);
              Runtime.getRuntime().halt(code); // instead of 128 + the signal's number
            });
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return body.getAsInt();
    } finally {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException _) {
        // the process is ending: the hook does what is left
      }
    }
  }

  /** On a thread of its own: whoever writes now may hold the stream for ever. */
  private static void flush(Console console) {
    var flushed = new CountDownLatch(1);
    Thread.ofPlatform()
        .daemon()
        .name("flush")
        .start(() -> {
          console.out().flush();
          flushed.countDown();
        });
    try {
      var _ = flushed.await(FLUSH.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException _) {
      // then it ends at once
    }
  }
}
