package io.fairlead.decider;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

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

  Mailbox(int capacity) {
    this.capacity = capacity;
  }

  /** False when it is full. */
  boolean offer(T element) {
    lock.lock();
    try {
      if (queue.size() >= capacity) {
        return false;
      }
      queue.add(element);
      signalled.signal();
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
