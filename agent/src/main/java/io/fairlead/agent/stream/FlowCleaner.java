package io.fairlead.agent.stream;

import io.fairlead.agent.nft.FlowGateway;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeView;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has flows ended whose endpoint is gone, as rules see only the first packet of a flow: all over
 * UDP, over TCP those of Services that ask for it. The loop says after a commit which frontends may
 * be concerned, and is never waited for; a thread of its own makes the passes, each of which reads
 * the kernel's table once for all frontends that are due. Soft: a restarted agent looks at all of
 * its frontends once. Bounded by the number of such frontends.
 */
final class FlowCleaner implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FlowCleaner.class);

  /**
   * A packet that the old rules had translated when they were replaced may become a flow after the
   * pass: so each frontend is looked at once more.
   */
  private static final int PASSES = 2;

  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  /** Reading may take that part of the time, on hosts with millions of flows. */
  private static final int SHARE = 10;

  private final FlowGateway flows;
  private final FlowMetrics metrics;
  private final Time time;
  private final Thread thread;

  /** Guards the two maps. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition work = lock.newCondition();

  /** By frontend: whose flows go on as of the last commit. */
  private final Map<Frontend, Set<Target>> serving = new HashMap<>();

  /** What passes are due, also while one is made; frontends that are gone are only here. */
  private final Map<Frontend, Due> due = new HashMap<>();

  private long commits;

  // of the thread
  private int failures;
  private String words = "";

  /**
   * Passes that are due.
   *
   * @param commit the last one that asked for them
   */
  private record Due(int passes, long commit) {}

  FlowCleaner(FlowGateway flows, FlowMetrics metrics, Time time) {
    this.flows = flows;
    this.metrics = metrics;
    this.time = time;
    this.thread = Thread.ofVirtual().name("flows").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /**
   * The kernel has the rules of that view. Returns at once.
   *
   * @param touched frontends whose endpoints may have changed since the last call
   */
  void committed(Set<Frontend> touched, NodeView view) {
    if (touched.isEmpty()) {
      return;
    }
    lock.lock();
    try {
      commits++;
      for (var frontend : touched) {
        if (!view.endsFlows(frontend)) { // any more
          serving.remove(frontend);
          due.remove(frontend);
          continue;
        }
        var before = Optional.ofNullable(serving.get(frontend));
        var now = view.kept(frontend);
        now.ifPresentOrElse(
            targets -> serving.put(frontend, targets), () -> serving.remove(frontend));
        if (mayLeaveStaleFlows(before, now)) {
          due.put(frontend, new Due(PASSES, commits));
        }
      }
      metrics.pending.set(due.size());
      if (!due.isEmpty()) {
        work.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Not where endpoints only came: flows stay with theirs. */
  private static boolean mayLeaveStaleFlows(
      Optional<Set<Target>> before, Optional<Set<Target>> now) {
    return before.isEmpty()
        ? now.isPresent() // older flows were not translated
        : before.get().isEmpty() || !now.orElse(Set.of()).containsAll(before.get());
  }

  /** How many frontends are due. */
  int pending() {
    lock.lock();
    try {
      return due.size();
    } finally {
      lock.unlock();
    }
  }

  private void run() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        time.sleep(pass(take()));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for frontends that are due. */
  private Map<Frontend, Due> take() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (due.isEmpty()) {
        work.await();
      }
      return Map.copyOf(due);
    } finally {
      lock.unlock();
    }
  }

  /** Looks at those frontends once; how long to leave the kernel alone then. */
  private Duration pass(Map<Frontend, Due> taken) {
    try {
      var cleaned = flows.clean(servingNow(taken.keySet()));
      metrics.seconds.observe(cleaned.took().toNanos() / 1e9);
      metrics.deleted.inc(cleaned.deleted());
      metrics.read.inc(cleaned.read());
      if (cleaned.deleted() > 0) {
        LOG.atDebug()
            .addKeyValue("deleted", cleaned.deleted())
            .addKeyValue("read", cleaned.read())
            .log("Ended flows whose endpoint is gone");
      }
      words = "";
      if (cleaned.complete()) {
        failures = 0;
        done(taken);
      } else {
        failures++;
      }
      return longer(backOff(), cleaned.took().multipliedBy(SHARE));
    } catch (RuntimeException e) { // nothing a pass meets may end the thread
      metrics.errors.inc();
      failures++;
      if (!words.equals(String.valueOf(e.getMessage()))) { // the same once
        words = String.valueOf(e.getMessage());
        LOG.atWarn()
            .addKeyValue("event", "flows.failed")
            .addKeyValue("words", e.toString())
            .log("Flows to endpoints that are gone may go on; trying again");
      }
      return backOff();
    }
  }

  private Map<Frontend, Set<Target>> servingNow(Set<Frontend> frontends) {
    lock.lock();
    try {
      var now = new HashMap<Frontend, Set<Target>>();
      frontends.forEach(f -> now.put(f, serving.getOrDefault(f, Set.of())));
      return now;
    } finally {
      lock.unlock();
    }
  }

  /** One pass less, unless a commit asked anew meanwhile. */
  private void done(Map<Frontend, Due> taken) {
    lock.lock();
    try {
      taken.forEach((frontend, was) -> {
        if (was.passes() > 1) {
          var _ = due.replace(frontend, was, new Due(was.passes() - 1, was.commit()));
        } else {
          var _ = due.remove(frontend, was);
        }
      });
      metrics.pending.set(due.size());
    } finally {
      lock.unlock();
    }
  }

  private Duration backOff() {
    return shorter(PAUSE.multipliedBy(1L << Math.min(failures, 5)), LONGEST_PAUSE);
  }

  private static Duration longer(Duration a, Duration b) {
    return a.compareTo(b) >= 0 ? a : b;
  }

  private static Duration shorter(Duration a, Duration b) {
    return a.compareTo(b) <= 0 ? a : b;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
