package io.fairlead.agent.nft;

import io.fairlead.agent.nft.Foreign.CallFailed;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A platform thread that does what it is given in order, and on which its giver waits: sockets and
 * libraries that belong to one thread, and to its network namespace, live there.
 */
final class Worker implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Worker.class);
  private static final Duration CLOSE = Duration.ofSeconds(10);

  private final LinkedBlockingQueue<FutureTask<?>> tasks = new LinkedBlockingQueue<>();
  private final Thread thread;
  private final String what;
  private volatile Runnable last = () -> {};
  private volatile boolean closed;

  private Worker(String name, String what) {
    this.what = what;
    this.thread = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
  }

  /**
   * Starts one.
   *
   * @param what it serves, for the words of a refusal
   */
  static Worker start(String name, String what) {
    var worker = new Worker(name, what);
    worker.thread.start();
    return worker;
  }

  /** Moves the calling thread into the network namespace of that file. */
  static void enter(Foreign foreign, Path namespace) {
    try {
      int fd = foreign.open(namespace.toString());
      try {
        foreign.enterNetworkNamespace(fd);
      } finally {
        foreign.close(fd);
      }
    } catch (CallFailed e) {
      throw new GatewayException(
          Outcome.KNOWN_FAILED,
          "network namespace "
              + namespace
              + " cannot be entered; does it exist, and is this root? "
              + e.getMessage(),
          e);
    }
  }

  /**
   * Does the work on the thread and waits for it.
   *
   * @throws GatewayException UNKNOWN where the wait was interrupted; the work is done all the same
   * @throws IllegalStateException after {@link #close}
   */
  <T> T call(Callable<T> work) {
    if (closed) {
      throw new IllegalStateException(what + " is closed");
    }
    var task = new FutureTask<>(work);
    tasks.add(task);
    if (closed) {
      task.cancel(false); // the thread may have ended without seeing it
    }
    try {
      return task.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new GatewayException(
          Outcome.UNKNOWN, "interrupted while " + what + " worked; it may still be done", e);
    } catch (CancellationException e) {
      throw new IllegalStateException(what + " was closed meanwhile", e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  boolean closed() {
    return closed;
  }

  private void run() {
    try {
      while (!closed) {
        tasks.take().run();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    for (var task = tasks.poll(); task != null; task = tasks.poll()) {
      task.cancel(false);
    }
    last.run();
  }

  /** Ends the thread after what it is doing; work that waits is not done. */
  @Override
  public void close() {
    close(() -> {});
  }

  /**
   * The same, and does something last: after it nothing is done any more, so that it may free what
   * all work uses. Waits for it, though not for ever.
   */
  void close(Runnable then) {
    if (closed) {
      return;
    }
    last = then;
    closed = true;
    tasks.add(new FutureTask<>(() -> true)); // wakes the thread, which then sees that it is over
    try {
      if (!thread.join(CLOSE)) {
        LOG.atWarn()
            .addKeyValue("thread", thread.getName())
            .log("Still works while it is closed; it ends after that");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
