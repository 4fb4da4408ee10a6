package io.fairlead.standalone.pods.run;

import io.fairlead.core.model.Pod;
import io.fairlead.core.run.GatewayException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the API how one Pod is, on a thread of its own: only the newest report waits, and it waits
 * as long as nobody answers. Soft: what was not told when this process ends is told anew by the
 * next one. The lock guards the report.
 */
final class StatusReporter {
  private static final Logger LOG = LoggerFactory.getLogger(StatusReporter.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  private final PodApi api;
  private final Pod pod;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Thread thread;
  private Optional<PodReport> waiting = Optional.empty();
  private Optional<PodReport> newest = Optional.empty();

  StatusReporter(PodApi api, Pod pod) {
    this.api = api;
    this.pod = pod;
    this.thread = Thread.ofVirtual().name("report-" + pod.name()).unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** Tells it, soon. */
  void offer(PodReport report) {
    lock.lock();
    try {
      if (!newest.equals(Optional.of(report))) {
        newest = Optional.of(report);
        waiting = newest;
        changed.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Tells the newest report again: the API may have lost it. */
  void again() {
    lock.lock();
    try {
      waiting = newest;
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Tells nothing any more; returns when nothing is under way. */
  void close() throws InterruptedException {
    thread.interrupt();
    thread.join();
  }

  private void run() {
    var pause = FIRST_PAUSE;
    try {
      while (true) {
        var report = take();
        try {
          api.report(pod, report);
          pause = FIRST_PAUSE;
        } catch (RuntimeException e) {
          if (!(e instanceof GatewayException)) {
            LOG.atError()
                .setCause(e)
                .addKeyValue("object", "Pod/" + pod.name())
                .log("Cannot tell a Pod's status");
          }
          giveBack(report);
          Thread.sleep(pause);
          pause = longer(pause);
        }
      }
    } catch (InterruptedException _) {
      // closed
    }
  }

  static Duration longer(Duration pause) {
    var doubled = pause.multipliedBy(2);
    return doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
  }

  private PodReport take() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      @Nullable PodReport report = null;
      while (report == null) {
        report = waiting.orElse(null);
        if (report == null) {
          changed.await();
        }
      }
      waiting = Optional.empty();
      return report;
    } finally {
      lock.unlock();
    }
  }

  private void giveBack(PodReport report) {
    lock.lock();
    try {
      if (waiting.isEmpty()) {
        waiting = Optional.of(report);
      }
    } finally {
      lock.unlock();
    }
  }
}
