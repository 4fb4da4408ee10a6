package io.fairlead.decider;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/**
 * A bounded queue whose one reader can also be woken without an element. Time-outs are the business
 * of whoever wakes it: so that time can be a test's.
 */
final class Mailbox<T> {
  /** Guards the fields below. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition signalled = lock.newCondition();
  private final ArrayDeque<T> queue = new ArrayDeque<>();
  private final int capacity;
  private boolean woken;

  /** The reader sleeps on with fewer. */
  private int enough = 1;

  Mailbox(int capacity) {
    this.capacity = capacity;
  }

  /**
   * False when it is full.
   *
   * @param idle elements that nobody misses: they make room where it is needed
   */
  boolean offer(T element, Predicate<T> idle) {
    lock.lock();
    try {
      if (queue.size() >= capacity && !queue.removeIf(idle)) {
        return false;
      }
      queue.add(element);
      if (queue.size() >= enough) {
        signalled.signal();
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  void wake() {
    lock.lock();
    try {
      woken = true;
      signalled.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until so many are there, nobody came for a while, or it was woken; takes nothing. Returns
   * at once where all of them are there.
   *
   * @param pause within such a time somebody must come
   */
  void gather(int wanted, Duration pause, Duration limit) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      enough = wanted;
      long leftNanos = limit.toNanos();
      int before = -1;
      while (queue.size() < wanted && queue.size() > before && !woken && leftNanos > 0) {
        before = queue.size();
        long waitNanos = Math.min(pause.toNanos(), leftNanos);
        leftNanos -= waitNanos;
        while (queue.size() < wanted && !woken && waitNanos > 0) {
          waitNanos = signalled.awaitNanos(waitNanos);
        }
      }
    } finally {
      enough = 1;
      lock.unlock();
    }
  }

  /** Waits for an element or a wake-up; takes up to {@code max} elements, none where only woken. */
  List<T> take(int max) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (queue.isEmpty() && !woken) {
        signalled.await();
      }
      woken = false;
      var taken = new ArrayList<T>(Math.min(max, queue.size()));
      while (taken.size() < max && !queue.isEmpty()) {
        taken.add(queue.poll());
      }
      return taken;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a wake-up only. */
  void awaitWake() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!woken) {
        signalled.await();
      }
      woken = false;
    } finally {
      lock.unlock();
    }
  }

  List<T> drain() {
    lock.lock();
    try {
      var all = List.copyOf(queue);
      queue.clear();
      return all;
    } finally {
      lock.unlock();
    }
  }

  int size() {
    lock.lock();
    try {
      return queue.size();
    } finally {
      lock.unlock();
    }
  }
}
