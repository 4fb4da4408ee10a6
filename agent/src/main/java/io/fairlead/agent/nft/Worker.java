package io.fairlead.agent.nft;

import io.fairlead.agent.nft.Foreign.CallFailed;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * A platform thread that does what it is given in order, and on which its giver waits: sockets and
 * libraries that belong to one thread, and to its network namespace, live there.
 */
final class Worker implements AutoCloseable {
  private final LinkedBlockingQueue<FutureTask<?>> tasks = new LinkedBlockingQueue<>();
  private final Thread thread;
  private final String what;
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
  }

  /** Ends the thread after what it is doing. */
  @Override
  public void close() {
    closed = true;
    tasks.add(new FutureTask<>(() -> true)); // wakes the thread, which then sees that it is over
  }
}
