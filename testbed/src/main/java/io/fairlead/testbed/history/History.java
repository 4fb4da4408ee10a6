package io.fairlead.testbed.history;

import io.fairlead.testbed.history.Linearizability.Call;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/** What all clients asked and were answered, while they do. Thread-safe. */
public final class History {
  /** Guards the list. */
  private final ReentrantLock lock = new ReentrantLock();

  private final List<Call<Operation>> calls = new ArrayList<>();

  /** Notes a call that has ended: answered, or given up. */
  public void add(Call<Operation> call) {
    lock.lock();
    try {
      calls.add(call);
    } finally {
      lock.unlock();
    }
  }

  /** Those that have ended, in the order of their ends. */
  public List<Call<Operation>> calls() {
    lock.lock();
    try {
      return List.copyOf(calls);
    } finally {
      lock.unlock();
    }
  }
}
