package io.fairlead.standalone.plane;

import io.fairlead.core.run.Time;
import io.fairlead.standalone.plane.Progress.State;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A child process that is started again when it ends by itself, after a pause that doubles from one
 * to thirty seconds. The lock guards the child and whether all is over. Owns one virtual thread.
 */
final class Supervised implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Supervised.class);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  /** A running program. */
  interface Child {
    long pid();

    boolean isAlive();

    /** Ends it and waits for that. */
    void stop();
  }

  /** Starts the program. */
  interface Starter {
    Child start();
  }

  private final String part;
  private final Starter starter;
  private final Progress progress;
  private final Time time;
  private final ReentrantLock lock = new ReentrantLock();
  private Child child;
  private boolean over;

  private Supervised(String part, Starter starter, Child child, Progress progress, Time time) {
    this.part = part;
    this.starter = starter;
    this.child = child;
    this.progress = progress;
    this.time = time;
  }

  /** Starts it for the first time, which may fail, and watches it from then on. */
  static Supervised start(String part, Starter starter, Progress progress, Time time) {
    var supervised = new Supervised(part, starter, starter.start(), progress, time);
    Thread.ofVirtual().name("watch-" + part).start(supervised::watch);
    return supervised;
  }

  boolean isAlive() {
    lock.lock();
    try {
      return child.isAlive();
    } finally {
      lock.unlock();
    }
  }

  private void watch() {
    var pause = FIRST_PAUSE;
    try {
      while (true) {
        long pid = pid();
        var before = time.nanoTime();
        ProcessHandle.of(pid).ifPresent(handle -> handle.onExit().join());
        if (isOver()) {
          return;
        }
        LOG.atWarn()
            .addKeyValue("event", "part.ended")
            .addKeyValue("part", part)
            .addKeyValue("pid", pid)
            .log("Part ended by itself, is started again");
        progress.say(part, State.RESTARTING, "ended by itself");
        if (time.nanoTime() - before > LONGEST_PAUSE.toNanos()) {
          pause = FIRST_PAUSE;
        }
        time.sleep(pause);
        pause = longer(pause);
        startAgain();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private static Duration longer(Duration pause) {
    var doubled = pause.multipliedBy(2);
    return doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
  }

  private void startAgain() {
    lock.lock();
    try {
      if (over) {
        return;
      }
      child = starter.start();
      progress.say(part, State.READY, "started again, pid " + child.pid());
    } catch (RuntimeException e) { // the next round tries again: the dead child ended long ago
      LOG.atWarn().setCause(e).addKeyValue("part", part).log("Part cannot be started again");
    } finally {
      lock.unlock();
    }
  }

  private long pid() {
    lock.lock();
    try {
      return child.pid();
    } finally {
      lock.unlock();
    }
  }

  private boolean isOver() {
    lock.lock();
    try {
      return over;
    } finally {
      lock.unlock();
    }
  }

  /** Ends it for good. */
  @Override
  public void close() {
    lock.lock();
    try {
      over = true;
    } finally {
      lock.unlock();
    }
    child.stop();
  }
}
