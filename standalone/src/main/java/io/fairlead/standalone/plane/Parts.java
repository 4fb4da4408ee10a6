package io.fairlead.standalone.plane;

import io.fairlead.standalone.plane.Progress.State;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Starts the parts of a plane side by side, each on a thread of its own that waits for the parts it
 * needs. Any thread.
 */
final class Parts {
  private final Progress progress;
  private final CompletableFuture<Void> firstFailure = new CompletableFuture<>();

  Parts(Progress progress) {
    this.progress = progress;
  }

  /** What a part is when it is ready, and how to say so. */
  record Ready<T>(T part, String text) {}

  /**
   * Starts a part.
   *
   * @param start may join the futures of others; returns when the part is ready
   */
  <T> CompletableFuture<T> start(String name, Callable<Ready<T>> start) {
    var future = new CompletableFuture<T>();
    progress.say(name, State.WAITING, "");
    // A platform thread: the broker's start holds monitors while it waits for its own threads.
    Thread.ofPlatform()
        .daemon()
        .name("start-" + name)
        .start(() -> {
          try {
            var ready = start.call();
            progress.say(name, State.READY, ready.text());
            future.complete(ready.part());
          } catch (Exception e) {
            future.completeExceptionally(e);
            // who only waited for another part has nothing of its own to say
            if (!(e instanceof CompletionException)) {
              progress.say(name, State.FAILED, words(e));
              firstFailure.completeExceptionally(e);
            }
          }
        });
    return future;
  }

  /** Says that a part that waited for others begins now. */
  void begins(String name) {
    progress.say(name, State.STARTING, "");
  }

  /**
   * Waits for all of them, or for the first that fails.
   *
   * @throws CompletionException with the cause of the first failure
   */
  void await(CompletableFuture<?>... futures) {
    CompletableFuture.anyOf(CompletableFuture.allOf(futures), firstFailure).join();
  }

  /** For people: what went wrong. */
  static String words(Throwable failure) {
    var message = failure.getMessage();
    return message == null || message.isBlank() ? failure.toString() : message;
  }

  /** As a number of seconds with one place. */
  static String seconds(Duration duration) {
    return "%.1f s".formatted(duration.toMillis() / 1000.0);
  }
}
