package io.fairlead.endpoints.stream;

import io.fairlead.core.run.Time;
import java.util.LinkedHashSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How many nodes are sent everything at once: so many places, in the order in which they came. When
 * a replica starts, all nodes may lack everything, and to encode it for all of them at once would
 * take its memory, and the time of those who are nearly done. Thread-safe. Soft.
 */
public final class ResetTurns {
  private final int places;
  private final Time time;

  /** Guards what is below. */
  private final ReentrantLock lock = new ReentrantLock();

  private final LinkedHashSet<Turn> waiting = new LinkedHashSet<>();
  private final LinkedHashSet<Turn> sending = new LinkedHashSet<>();

  public ResetTurns(int places, Time time) {
    if (places < 1) {
      throw new IllegalArgumentException("places must be positive, not " + places);
    }
    this.places = places;
    this.time = time;
  }

  /** One stream that has everything to send, from the first word to the last. */
  final class Turn implements AutoCloseable {
    private final Runnable wake;
    private volatile boolean come;
    private volatile long sinceNanos;

    private Turn(Runnable wake) {
      this.wake = wake;
    }

    /** Whether it may send. */
    boolean hasCome() {
      return come;
    }

    /** Since when, by the monotonic clock; only where it may. */
    long sinceNanos() {
      return sinceNanos;
    }

    /** Waits in line, if it does not yet and may not send. */
    void queue() {
      lock.lock();
      try {
        if (!come) {
          waiting.add(this);
          fill();
        }
        if (!come) {
          sending.forEach(turn -> turn.wake.run()); // who is over its time has to go now
        }
      } finally {
        lock.unlock();
      }
    }

    /** Gives up its place, for now or for good. */
    void leave() {
      lock.lock();
      try {
        waiting.remove(this);
        sending.remove(this);
        come = false;
        fill();
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void close() {
      leave();
    }
  }

  /**
   * A turn that waits in line, or has come at once.
   *
   * @param wake run when its turn has come, and when others wait for it to end, by their threads:
   *     must be quick
   */
  Turn queue(Runnable wake) {
    var turn = new Turn(wake);
    turn.queue();
    return turn;
  }

  private void fill() {
    while (sending.size() < places && !waiting.isEmpty()) {
      var next = waiting.removeFirst();
      sending.add(next);
      next.sinceNanos = time.nanoTime();
      next.come = true;
      next.wake.run();
    }
  }

  /** How many nodes are sent everything now. */
  public int sending() {
    lock.lock();
    try {
      return sending.size();
    } finally {
      lock.unlock();
    }
  }

  /** How many wait for that. */
  public int waiting() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }
}
