package io.fairlead.bench;

import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.eventlog.log.FollowListener;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.v1.PodReadinessReport;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.ReportReadinessReply;
import io.fairlead.v1.ReportReadinessRequest;
import io.grpc.ManagedChannel;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One replica, 10,000 Services of 5 Pods, and very many agents that have all of it already: how
 * long one change takes to all of them, and how far they fall behind while many changes come and
 * some of them take nothing any more.
 */
final class FanOut implements AutoCloseable {
  private static final int SERVICES = 10_000;
  private static final int PODS = 5;
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** An agent further behind than that counts. */
  private static final Duration BEHIND = Duration.ofSeconds(2);

  private static final Duration LOOK = Duration.ofMillis(200);

  /** Nodes that wait for an answer to their reports. */
  private static final int REPORTS = 64;

  private final StreamsOptions options;
  private final Bench.Progress progress;
  private final StreamsPlane plane;
  private final StreamsLog log;
  private final Swarm swarm;
  private final ManagedChannel channel;
  private final ConcurrentSkipListMap<Long, Long> accepted = new ConcurrentSkipListMap<>();
  private final Map<Integer, Long> sequences = new HashMap<>();
  private final Map<ObjectName, Boolean> ready = new HashMap<>();
  private volatile Optional<Exception> failed = Optional.empty();

  private FanOut(StreamsOptions options, Bench.Progress progress) throws Exception {
    this.options = options;
    this.progress = progress;
    this.plane = StreamsPlane.start(Files.createTempDirectory("fairlead-bench-streams"), List.of());
    this.log = new StreamsLog(SERVICES, PODS, options.agents());
    this.swarm = new Swarm(plane.address(), StreamsLog.PODS);
    this.channel = GrpcChannels.of(List.of(plane.address()));
  }

  static void measure(StreamsOptions options, List<Figure> figures, Bench.Progress progress)
      throws Exception {
    try (var fanOut = new FanOut(options, progress)) {
      fanOut.run(figures);
    }
  }

  private void run(List<Figure> figures) throws Exception {
    progress.say("writing %d records".formatted(log.size()));
    try (var client = plane.log()) {
      log.append(client);
      progress.say("starting a replica of endpoints-service");
      long from = System.nanoTime();
      plane.replica().launch().awaitReady();
      figures.add(
          new Figure("streams.replica.ready", (System.nanoTime() - from) / 1e9, "s", log.size()));
      firstState(figures);
      var head =
          new Position(
              client.identity(), new TreeMap<>(client.endOffsets(client.partitioning().all())));
      progress.say("opening %d streams".formatted(options.agents()));
      swarm.open(1, options.agents(), Optional.of(head));
      figures.add(
          new Figure("streams.replica.rss.idle", plane.replica().residentBytes() / 1e6, "MB", 1));
      try (var _ =
          client.follow(
              List.of(StreamsLog.PODS),
              new Position(
                  client.identity(), new TreeMap<>(client.endOffsets(List.of(StreamsLog.PODS)))),
              new Acceptances())) {
        oneAtATime(figures);
        many(figures);
      }
    }
  }

  /** When each record of readiness was there to be read. */
  private final class Acceptances implements FollowListener {
    @Override
    public void onEntries(List<LogEntry> entries, Position applied) {
      long now = System.nanoTime();
      for (var entry : entries) {
        if (entry.event() instanceof LogEvent.Stored(PodReadiness _, _)) {
          accepted.put(entry.offset(), now);
        }
      }
    }

    @Override
    public void onConnection(Connection state) {}

    @Override
    public void onFault(Throwable cause) {
      System.err.println("the bench's reader of the log stopped: " + cause);
    }
  }

  // --- what a new agent gets

  private void firstState(List<Figure> figures) throws InterruptedException {
    progress.say("a first full state");
    long from = System.nanoTime();
    swarm.open(0, 1, Optional.empty());
    var agent = swarm.agents().getFirst();
    await("the first full state", () -> agent.wholeBytes() > 0);
    figures.add(new Figure("streams.first.seconds", (agent.frameNanos() - from) / 1e9, "s", 1));
    figures.add(new Figure("streams.first.bytes", agent.wholeBytes() / 1e6, "MB", 1));
  }

  // --- one change after another

  private void oneAtATime(List<Figure> figures) {
    var samples = new Samples();
    var last = new Samples();
    int warmUp = Math.max(1, options.changes() / 5);
    long received = 0;
    long sent = 0;
    var replicaCpu = Duration.ZERO;
    var ownCpu = Duration.ZERO;
    for (int i = 0; i < warmUp + options.changes(); i++) {
      if (i == warmUp) {
        received = swarm.receivedBytes();
        sent = swarm.sentBytes();
        replicaCpu = plane.replicaCpu();
        ownCpu = StreamsPlane.ownCpu();
      }
      if (i % 20 == 0) {
        progress.say("%d of %d changes".formatted(i, warmUp + options.changes()));
      }
      int node = 100 + i % (options.agents() - 100);
      long before = System.nanoTime();
      flip(node, log.podsOn(node).subList(0, 1));
      await(
          "the record",
          () -> !accepted.tailMap(-1L).isEmpty() && accepted.lastEntry().getValue() - before > 0);
      long offset = accepted.lastKey();
      await("all agents", () -> swarm.agents().stream().allMatch(a -> a.offset() > offset));
      if (i >= warmUp) {
        long latest = 0;
        for (var agent : swarm.agents()) {
          long took = Math.max(0, agent.frameNanos() - before);
          samples.add(Duration.ofNanos(took));
          latest = Math.max(latest, took);
        }
        last.add(Duration.ofNanos(latest));
      }
    }
    long pairs = (long) options.changes() * options.agents();
    figures.add(new Figure("streams.fanout.p50", samples.millis(50), "ms", samples.count()));
    figures.add(
        new Figure("streams.fanout.p99", samples.millis(99), "ms", samples.count()).atMost(500));
    figures.add(new Figure("streams.fanout.last.p50", last.millis(50), "ms", last.count()));
    figures.add(new Figure("streams.fanout.last.max", last.millis(100), "ms", last.count()));
    figures.add(
        new Figure(
                "streams.fanout.bytes.down",
                (swarm.receivedBytes() - received) / (double) pairs,
                "B",
                pairs)
            .atMost(200));
    figures.add(
        new Figure(
            "streams.fanout.bytes.up", (swarm.sentBytes() - sent) / (double) pairs, "B", pairs));
    figures.add(
        new Figure(
            "streams.fanout.cpu.replica",
            plane.replicaCpu().minus(replicaCpu).toNanos() / 1e3 / pairs,
            "us",
            pairs));
    figures.add(
        new Figure(
            "streams.fanout.cpu.agents",
            StreamsPlane.ownCpu().minus(ownCpu).toNanos() / 1e3 / pairs,
            "us",
            pairs));
  }

  // --- many changes, and some who take nothing

  private void many(List<Figure> figures) {
    int stopped = Math.max(1, options.agents() / 100);
    for (int i = 0; i < stopped; i++) {
      swarm.agents().get(1 + i).stop();
    }
    var healthy = swarm.agents().stream().filter(agent -> !agent.isStopped()).toList();
    long rssBefore = plane.replica().residentBytes();
    long framesBefore = swarm.frames();
    var replicaCpu = plane.replicaCpu();
    var ownCpu = StreamsPlane.ownCpu();
    long begin = System.nanoTime();
    long end = begin + TimeUnit.SECONDS.toNanos(options.seconds());
    long nextLook = begin + BEHIND.toNanos();
    long rssMost = rssBefore;
    double worst = 0;
    long changes = 0;
    int node = 100;
    int looks = 0;
    var permits = new Semaphore(REPORTS);
    while (System.nanoTime() - end < 0) {
      long due = (long) ((System.nanoTime() - begin) / 1e9 * options.rate());
      if (failed.isPresent()) {
        throw new IllegalStateException("a report failed", failed.get());
      }
      if (changes < due && permits.tryAcquire()) {
        var pods = log.podsOn(node);
        flipSoon(node, pods, permits);
        changes += pods.size();
        node = node + 1 < options.agents() ? node + 1 : 100;
      } else {
        LockSupport.parkNanos(1_000_000);
      }
      if (System.nanoTime() - nextLook >= 0) {
        nextLook += LOOK.toNanos();
        worst = Math.max(worst, behind(healthy));
        rssMost = Math.max(rssMost, plane.replica().residentBytes());
        if (++looks % 50 == 0) {
          progress.say("%d changes, worst share behind %.4f".formatted(changes, worst));
        }
      }
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    figures.add(new Figure("streams.many.rate", changes / seconds, "1/s", changes));
    figures.add(new Figure("streams.many.behind.worst", worst, "ratio", looks).atMost(0.01));
    figures.add(
        new Figure(
            "streams.many.frames",
            (swarm.frames() - framesBefore) / seconds / healthy.size(),
            "1/s",
            swarm.frames() - framesBefore));
    figures.add(new Figure("streams.replica.rss.most", rssMost / 1e6, "MB", looks).atMost(2000));
    figures.add(
        new Figure(
            "streams.many.cpu.replica",
            plane.replicaCpu().minus(replicaCpu).toNanos() / 1e9 / seconds,
            "ratio",
            1));
    figures.add(
        new Figure(
            "streams.many.cpu.agents",
            StreamsPlane.ownCpu().minus(ownCpu).toNanos() / 1e9 / seconds,
            "ratio",
            1));
  }

  /** The share of those that lack something which is older than the limit. */
  private double behind(List<Swarm.Agent> healthy) {
    long limit = System.nanoTime() - BEHIND.toNanos();
    long old = -1;
    for (var record : accepted.descendingMap().entrySet()) {
      if (record.getValue() - limit <= 0) {
        old = record.getKey();
        break;
      }
    }
    long lacking = old;
    accepted.headMap(old).clear(); // nobody asks for older ones
    return healthy.stream().filter(agent -> agent.offset() <= lacking).count()
        / (double) healthy.size();
  }

  // ---

  /** The other readiness than before, said by the node. */
  private void flip(int node, List<Pod> pods) {
    check(
        PodsGrpc.newBlockingStub(channel)
            .withDeadlineAfter(LIMIT.toSeconds(), TimeUnit.SECONDS)
            .reportReadiness(flipped(node, pods)));
  }

  /** Likewise, without waiting; gives the permit back when it is in the log. */
  private void flipSoon(int node, List<Pod> pods, Semaphore permits) {
    var answer =
        PodsGrpc.newFutureStub(channel)
            .withDeadlineAfter(LIMIT.toSeconds(), TimeUnit.SECONDS)
            .reportReadiness(flipped(node, pods));
    answer.addListener(
        () -> {
          try {
            check(answer.get());
          } catch (ExecutionException | RuntimeException e) {
            failed = Optional.of(e);
          } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
          } finally {
            permits.release();
          }
        },
        Runnable::run);
  }

  private ReportReadinessRequest flipped(int node, List<Pod> pods) {
    var request =
        ReportReadinessRequest.newBuilder()
            .setRequestId(UUID.randomUUID().toString())
            .setNamespace(ObjectName.DEFAULT_NAMESPACE)
            .setNode("node-" + node)
            .setSession(swarm.agents().get(node).session())
            .setSequence(sequences.merge(node, 1L, Long::sum));
    for (var pod : pods) {
      boolean now = !ready.getOrDefault(pod.name(), true);
      ready.put(pod.name(), now);
      request.addReports(
          PodReadinessReport.newBuilder()
              .setName(pod.name().name())
              .setPodUid(pod.uid().toString())
              .setReady(now)
              .setReason(now ? "ok" : "refused"));
    }
    return request.build();
  }

  private static void check(ReportReadinessReply reply) {
    if (reply.getDroppedCount() > 0) {
      throw new IllegalStateException("dropped: " + reply.getDroppedList());
    }
  }

  @FunctionalInterface
  private interface Condition {
    boolean holds();
  }

  private void await(String what, Condition condition) {
    long giveUp = System.nanoTime() + LIMIT.toNanos();
    while (!condition.holds()) {
      if (swarm.broken().isPresent()) {
        throw new IllegalStateException("a stream broke", swarm.broken().get());
      }
      if (System.nanoTime() - giveUp > 0) {
        throw new IllegalStateException("waited in vain for " + what);
      }
      LockSupport.parkNanos(500_000);
    }
  }

  @Override
  public void close() {
    swarm.close();
    channel.shutdownNow();
    plane.close();
  }
}
