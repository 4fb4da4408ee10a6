package io.fairlead.runtime;

import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of one process or of one service within a JVM: what it opened, in order, and whether it
 * is to end. Thread-safe; the lock guards the stack of what is open.
 */
public final class Shutdown implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Shutdown.class);

  private record Opened(String what, AutoCloseable resource) {}

  private final CountDownLatch stopped = new CountDownLatch(1);
  private final ReentrantLock lock = new ReentrantLock();
  private final Deque<Opened> open = new ArrayDeque<>();

  /** Remembers what was opened; {@link #close} closes the last one first. */
  public <T extends AutoCloseable> T opened(String what, T resource) {
    lock.lock();
    try {
      open.push(new Opened(what, resource));
    } finally {
      lock.unlock();
    }
    return resource;
  }

  /** As {@link #opened}, for something to do at that moment, such as turning not ready. */
  public void onClose(String what, AutoCloseable action) {
    opened(what, action);
  }

  /** Ends {@link #awaitStopped}. */
  public void stop() {
    stopped.countDown();
  }

  public boolean isStopping() {
    return stopped.getCount() == 0;
  }

  /**
   * Waits for SIGTERM, SIGINT or {@link #stop}. From then on a second signal ends the process at
   * once. Only for {@code main}: it takes the process' signals.
   */
  public void awaitStopped() throws InterruptedException {
    handleSignals();
    stopped.await();
  }

  /** What {@link #awaitStopped} begins with, for those who can be told to end before they wait. */
  public void handleSignals() {
    onSignal("TERM", 143);
    onSignal("INT", 130);
  }

  /**
   * By reflection, because the compiler warns of each mention of {@code sun.misc.Signal} and
   * warnings are errors here. Runtime hooks cannot do this: the JVM ignores a second signal while
   * they run, and a hook that waits for {@code main} deadlocks where {@code main} itself exits.
   */
  private void onSignal(String name, int exitCode) {
    try {
      var signalClass = Class.forName("sun.misc.Signal");
      var handlerClass = Class.forName("sun.misc.SignalHandler");
      var handler =
          Proxy.newProxyInstance(
              Shutdown.class.getClassLoader(),
              new Class<?>[] {handlerClass},
              (_, method, _) -> {
                if (method.getName().equals("handle")) {
                  signalled(name, exitCode);
                }
                return null;
              });
      signalClass
          .getMethod("handle", signalClass, handlerClass)
          .invoke(null, signalClass.getConstructor(String.class).newInstance(name), handler);
    } catch (
        ReflectiveOperationException
            e) { // e.g. -Xrs: then the signal ends the process without a drain
      LOG.atWarn().setCause(e).addKeyValue("signal", name).log("Signal cannot be handled");
    }
  }

  private void signalled(String name, int exitCode) {
    if (isStopping()) {
      LOG.atWarn().addKeyValue("signal", name).log("Second signal, ending at once");
      Runtime.getRuntime().halt(exitCode);
    }
    LOG.atInfo()
        .addKeyValue("event", "process.stopping")
        .addKeyValue("signal", name)
        .log("Signal, shutting down");
    stop();
  }

  /** Closes what was opened, last first; what fails is logged and does not keep the rest open. */
  @Override
  public void close() {
    stop();
    while (true) {
      Opened next;
      lock.lock();
      try {
        next = open.poll();
      } finally {
        lock.unlock();
      }
      if (next == null) {
        return;
      }
      try {
        next.resource().close();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      } catch (Exception e) {
        LOG.atWarn().setCause(e).addKeyValue("what", next.what()).log("Close failed");
      }
    }
  }
}
