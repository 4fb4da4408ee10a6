package io.fairlead.bench;

import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.runtime.GrpcChannels;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Owners of the services that are killed and that are stopped while a client makes Services one
 * after another.
 */
final class TakeoverLoad {
  private final AllocationPlane plane;
  private final int size;
  private final int times;
  private final Bench.Progress progress;

  TakeoverLoad(AllocationPlane plane, int size, int times, Bench.Progress progress) {
    this.plane = plane;
    this.size = size;
    this.times = times;
    this.progress = progress;
  }

  void run(List<Figure> figures) throws Exception {
    progress.say("starting the second allocator");
    plane.replica(1).launch();
    var killed = new Samples();
    for (int i = 1; i <= times; i++) {
      int owner = plane.awaitSettled();
      progress.say("killing the owner, %d of %d".formatted(i, times));
      killed.add(kill(owner, "k" + i));
      plane.replica(owner).launch();
    }
    figures.add(
        new Figure("allocation.takeover.killed.p50." + size, killed.millis(50), "ms", times));
    figures.add(
        new Figure("allocation.takeover.killed.max." + size, killed.millis(100), "ms", times)
            .atMost(3000));
    var stopped = new Samples();
    int failed = 0;
    for (int i = 1; i <= times; i++) {
      int owner = plane.awaitSettled();
      progress.say("stopping the owner, %d of %d".formatted(i, times));
      failed += stop(owner, "t" + i, stopped);
      plane.replica(owner).launch();
    }
    figures.add(
        new Figure("allocation.takeover.stopped.p50." + size, stopped.millis(50), "ms", times));
    figures.add(
        new Figure("allocation.takeover.stopped.max." + size, stopped.millis(100), "ms", times)
            .atMost(500));
    figures.add(
        new Figure("allocation.takeover.stopped.failed." + size, failed, "count", times).atMost(0));
  }

  /** From the moment the owner's key is gone to the first create that its successor answers. */
  private Duration kill(int owner, String prefix) throws Exception {
    var before = plane.owner().map(Owner::takeover);
    var leaseEnded = new CompletableFuture<Long>();
    try (var _ =
            plane
                .coordination()
                .watch(() -> {
                  long now = System.nanoTime();
                  if (!plane.owner().map(Owner::takeover).equals(before)) {
                    leaseEnded.complete(now);
                  }
                });
        var creates = new Creates(new CreateLoad(plane.addresses().get(1 - owner)), prefix)) {
      creates.awaitFirst();
      plane.replica(owner).kill();
      long ended = leaseEnded.get(60, TimeUnit.SECONDS);
      return Duration.ofNanos(creates.awaitAfter(ended) - ended);
    }
  }

  /**
   * Stops the owner in the middle of creates by a client that knows both replicas.
   *
   * @param gaps gets the longest time between two answers
   * @return how many requests failed
   */
  private int stop(int owner, String prefix, Samples gaps) throws Exception {
    var addresses = List.of(plane.addresses().get(owner), plane.addresses().get(1 - owner));
    var creates = new Creates(new CreateLoad(addresses, GrpcChannels.Spread.FIRST), prefix);
    try (creates) {
      creates.awaitFirst();
      LockSupport.parkNanos(1_000_000_000);
      plane.replica(owner).stop();
      var _ = creates.awaitAfter(System.nanoTime());
    }
    var answers = creates.answers();
    long longest = 0;
    for (int i = 1; i < answers.size(); i++) {
      longest = Math.max(longest, answers.get(i) - answers.get(i - 1));
    }
    gaps.add(Duration.ofNanos(longest));
    creates.failures().forEach(failure -> progress.say("failed: " + failure));
    return creates.failures().size();
  }

  /** Makes Services one after another, each tried once, and notes when each was answered. */
  private static final class Creates implements AutoCloseable {
    private final CreateLoad load;
    private final Thread thread;
    private final List<String> failures = Collections.synchronizedList(new ArrayList<>());
    private final List<Long> answers = Collections.synchronizedList(new ArrayList<>());
    private volatile boolean stopping;

    Creates(CreateLoad load, String prefix) {
      this.load = load;
      this.thread = Thread.ofVirtual().name("creates").start(() -> run(prefix));
    }

    private void run(String prefix) {
      for (int i = 0; !stopping; i++) {
        try {
          var _ = load.create(prefix + "-" + i);
          answers.add(System.nanoTime());
        } catch (StatusRuntimeException e) {
          failures.add(e.getStatus().toString());
          LockSupport.parkNanos(20_000_000);
        }
      }
    }

    void awaitFirst() {
      var _ = awaitAfter(System.nanoTime());
    }

    /** When the first one was answered after a moment. */
    long awaitAfter(long nanos) {
      long giveUp = System.nanoTime() + Duration.ofSeconds(60).toNanos();
      while (System.nanoTime() < giveUp) {
        var first = answers().stream().filter(at -> at - nanos > 0).findFirst();
        if (first.isPresent()) {
          return first.get();
        }
        LockSupport.parkNanos(2_000_000);
      }
      throw new IllegalStateException("no create was answered: " + failures());
    }

    /** Status of each request that failed. */
    List<String> failures() {
      synchronized (failures) {
        return List.copyOf(failures);
      }
    }

    /** When each was answered, rising. */
    List<Long> answers() {
      synchronized (answers) {
        return List.copyOf(answers);
      }
    }

    @Override
    public void close() {
      stopping = true;
      try {
        var _ = thread.join(Duration.ofSeconds(60));
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      } finally {
        load.close();
      }
    }
  }
}
