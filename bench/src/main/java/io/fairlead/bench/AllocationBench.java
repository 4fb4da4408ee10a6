package io.fairlead.bench;

import io.fairlead.bench.AllocationOptions.Part;
import io.fairlead.core.decide.PickLoad;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.SingleKeyTransactions;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.eventlog.log.KafkaEventLog;
import io.fairlead.eventlog.log.KafkaLogConfig;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What giving out addresses costs: creates next to single-key transactions of etcd at the same
 * concurrency, in turns; where a create's time goes; the same with few and many Services; the
 * memory of a Service; take-overs; a pick from a range that is almost full.
 */
final class AllocationBench implements Bench.Scenario {
  private static final int WARM_UP = 15_000;
  private static final int WARM_UPS = 2;
  private static final int PICKS = 200_000;
  private static final int SIZE_CLIENTS = 16;
  private static final int SIZE_CREATES = 4_000;
  private static final int SIZE_ROUNDS = 3;

  @Override
  public String options() {
    return AllocationOptions.HELP;
  }

  @Override
  public List<Figure> run(List<String> words, Bench.Progress progress) throws Exception {
    var options = AllocationOptions.parse(words);
    var figures = new ArrayList<Figure>();
    if (options.needsPlane()) {
      progress.say("starting Kafka, etcd and an allocator");
      try (var plane =
              AllocationPlane.start(
                  Files.createTempDirectory("fairlead-bench-allocation"), options.jvm());
          var load = new CreateLoad(plane.addresses().getFirst())) {
        measure(plane, load, options, figures, progress);
        figures.add(new Figure("allocation.retries", load.retries(), "count", 1));
      }
    }
    if (options.parts().contains(Part.PICK)) {
      pick(figures, progress);
    }
    return figures;
  }

  private static void measure(
      AllocationPlane plane,
      CreateLoad load,
      AllocationOptions options,
      List<Figure> figures,
      Bench.Progress progress)
      throws Exception {
    for (int turn = 1; turn <= WARM_UPS; turn++) { // many batches: what serves each warms up, too
      progress.say("warming up with %d creates, %d of %d".formatted(WARM_UP, turn, WARM_UPS));
      var _ = load.create("warm", 0, WARM_UP, SIZE_CLIENTS, new Samples());
      load.empty("warm", WARM_UP);
    }
    if (options.parts().contains(Part.CREATES)) {
      creates(plane, load, options, figures, progress);
    }
    if (!options.fills()) {
      return;
    }
    int there = 0;
    double[] heap = new double[2]; // bytes and Services at the smallest size
    for (int size : options.sizes()) {
      progress.say("filling up to " + size + " Services");
      load.fill("base", there, size);
      there = size;
      if (options.parts().contains(Part.SIZES)) {
        size(load, size, figures, progress);
      }
      if (options.parts().contains(Part.MEMORY) && heap[1] == 0) {
        heap = new double[] {plane.heapAfterCollection(), size};
      }
    }
    if (options.parts().contains(Part.MEMORY)) {
      progress.say("measuring memory");
      memory(plane, there, heap, figures);
    }
    if (options.parts().contains(Part.TAKEOVER)) {
      new TakeoverLoad(plane, there, options.takeovers(), progress).run(figures);
    }
  }

  // --- creates

  /** What the turns of one number of clients add up to. */
  private static final class Turns {
    private final Samples creates = new Samples();
    private final Samples transactions = new Samples();
    private Duration createTime = Duration.ZERO;
    private Duration transactionTime = Duration.ZERO;
    private final Map<String, AllocationPlane.Phase> phases = new LinkedHashMap<>();
    private final Map<String, Duration> cpu = new TreeMap<>();
    private Duration etcdCpu = Duration.ZERO;

    double createRate() {
      return creates.count() / seconds(createTime);
    }

    double transactionRate() {
      return transactions.count() / seconds(transactionTime);
    }
  }

  private static void creates(
      AllocationPlane plane,
      CreateLoad load,
      AllocationOptions options,
      List<Figure> figures,
      Bench.Progress progress)
      throws Exception {
    var value = new byte[load.sizeOfOne()];
    new Random(1).nextBytes(value);
    var turns = new LinkedHashMap<Integer, Turns>();
    options.clients().forEach(clients -> turns.put(clients, new Turns()));
    try (var etcd = SingleKeyTransactions.connect(plane.etcdUrl())) {
      transactions(etcd, 64, 10_000, value, new Samples());
      for (int round = 1; round <= options.rounds(); round++) {
        for (var entry : turns.entrySet()) {
          int clients = entry.getKey();
          var turn = entry.getValue();
          progress.say("%d clients, turn %d of %d".formatted(clients, round, options.rounds()));
          int calls = calls(clients);
          var before = plane.cpu();
          turn.transactionTime =
              turn.transactionTime.plus(
                  transactions(etcd, clients, calls, value, turn.transactions));
          turn.etcdCpu = turn.etcdCpu.plus(used(plane.cpu(), before, "client"));
          turn.etcdCpu = turn.etcdCpu.plus(used(plane.cpu(), before, "etcd"));
          var prefix = "c" + clients + "-" + round;
          var phases = plane.phases();
          before = plane.cpu();
          turn.createTime =
              turn.createTime.plus(load.create(prefix, 0, calls, clients, turn.creates));
          var after = plane.cpu();
          for (var role : after.keySet()) {
            turn.cpu.merge(role, used(after, before, role), Duration::plus);
          }
          plane
              .phases()
              .forEach((name, phase) ->
                  turn.phases.merge(
                      name,
                      phase.since(phases.getOrDefault(name, new AllocationPlane.Phase(0, 0))),
                      AllocationPlane.Phase::plus));
          load.empty(prefix, calls);
        }
      }
    }
    turns.forEach((clients, turn) -> report(clients, turn, figures));
  }

  private static int calls(int clients) {
    return Math.clamp(clients * 600L, 1_000, 20_000);
  }

  private static Duration used(
      Map<String, Duration> after, Map<String, Duration> before, String role) {
    return after.getOrDefault(role, Duration.ZERO).minus(before.getOrDefault(role, Duration.ZERO));
  }

  private static Duration transactions(
      SingleKeyTransactions etcd, int clients, int calls, byte[] value, Samples samples)
      throws Exception {
    var run = UUID.randomUUID();
    return Clients.run(
        clients,
        calls,
        samples,
        i -> {
          if (!etcd.putIfAbsent("/bench/" + run + "/" + i, value)) {
            throw new IllegalStateException("a new key exists");
          }
        });
  }

  private static void report(int clients, Turns turn, List<Figure> figures) {
    long calls = turn.creates.count();
    var rate = new Figure("allocation.create.rate." + clients, turn.createRate(), "1/s", calls);
    var p99 = new Figure("allocation.create.p99." + clients, turn.creates.millis(99), "ms", calls);
    var ratio =
        new Figure(
            "allocation.ratio." + clients,
            turn.createRate() / turn.transactionRate(),
            "ratio",
            calls);
    figures.add(rate);
    figures.add(
        new Figure("allocation.create.p50." + clients, turn.creates.millis(50), "ms", calls));
    figures.add(clients == 16 ? p99.atMost(50) : p99);
    figures.add(
        new Figure("allocation.etcd.rate." + clients, turn.transactionRate(), "1/s", calls));
    figures.add(
        new Figure("allocation.etcd.p50." + clients, turn.transactions.millis(50), "ms", calls));
    figures.add(
        new Figure("allocation.etcd.p99." + clients, turn.transactions.millis(99), "ms", calls));
    figures.add(clients == 64 ? ratio.atLeast(1) : ratio);
    var batches = turn.phases.getOrDefault("append", new AllocationPlane.Phase(0, 0)).count();
    figures.add(
        new Figure("allocation.batch.size." + clients, calls / batches, "count", (long) batches));
    double rest = 1000.0 * seconds(turn.createTime) * clients / calls;
    for (var phase : turn.phases.entrySet()) {
      var all = phase.getValue();
      if (all.count() == 0) {
        continue;
      }
      // those of a batch keep all its requests waiting; where not every batch has one, on average
      double share = phase.getKey().equals("queue") ? all.count() : batches;
      double millis = 1000 * all.seconds() / share;
      rest -= millis;
      figures.add(
          new Figure(
              "allocation.phase." + phase.getKey() + "." + clients,
              millis,
              "ms",
              (long) all.count()));
    }
    figures.add(new Figure("allocation.phase.rest." + clients, rest, "ms", calls));
    turn.cpu.forEach((role, used) ->
        figures.add(
            new Figure(
                "allocation.cpu." + role + "." + clients,
                1e6 * seconds(used) / calls,
                "us",
                calls)));
    figures.add(
        new Figure(
            "allocation.cpu.single-key." + clients,
            1e6 * seconds(turn.etcdCpu) / calls,
            "us",
            calls));
  }

  // --- the number of Services

  private static void size(CreateLoad load, int size, List<Figure> figures, Bench.Progress progress)
      throws Exception {
    progress.say("creating beside " + size + " Services");
    var samples = new Samples();
    var time = Duration.ZERO;
    for (int round = 1; round <= SIZE_ROUNDS; round++) {
      var prefix = "s" + size + "-" + round;
      time = time.plus(load.create(prefix, 0, SIZE_CREATES, SIZE_CLIENTS, samples));
      load.empty(prefix, SIZE_CREATES);
    }
    long calls = samples.count();
    figures.add(new Figure("allocation.beside.rate." + size, calls / seconds(time), "1/s", calls));
    figures.add(new Figure("allocation.beside.p50." + size, samples.millis(50), "ms", calls));
    figures.add(new Figure("allocation.beside.p99." + size, samples.millis(99), "ms", calls));
  }

  // --- memory

  private static void memory(
      AllocationPlane plane, int size, double[] smallest, List<Figure> figures) {
    if (smallest[1] < size) {
      figures.add(
          new Figure(
              "allocation.memory.allocator.per-service",
              (plane.heapAfterCollection() - smallest[0]) / (size - smallest[1]),
              "B",
              (long) (size - smallest[1])));
    }
    figures.add(
        new Figure(
            "allocation.memory.allocator.rss", plane.replica(0).residentBytes() / 1e6, "MB", 1));
    long before = Heap.afterCollection();
    var snapshot = image(plane);
    long after = Heap.afterCollection();
    int services = snapshot.image().services().byName().size();
    figures.add(
        new Figure(
            "allocation.memory.image.per-service",
            (double) (after - before) / services,
            "B",
            services));
  }

  /** Read by a loader of our own, which is closed again: only the image stays. */
  private static Snapshot image(AllocationPlane plane) {
    try (var log =
            KafkaEventLog.open(
                KafkaLogConfig.of(plane.kafkaBootstrap(), "bench").withReplicationFactor(1),
                Time.system());
        var loader =
            Loader.start(
                log,
                List.of(LogPartition.SERVICES),
                List.of(),
                (what, cause) -> System.err.println(what + ": " + cause),
                Time.system())) {
      return loader.barrier(Duration.ofMinutes(1));
    }
  }

  // --- a pick

  private static void pick(List<Figure> figures, Bench.Progress progress) {
    for (int perMille : List.of(500, 999)) {
      progress.say("using up %.1f %% of a /12".formatted(perMille / 10.0));
      var load = new PickLoad(Cidr.of("10.96.0.0/12"), perMille, 1);
      int hash = 0;
      long nanos = 0;
      for (int i = 0; i < 2; i++) { // the first time warms up
        long from = System.nanoTime();
        for (int n = 0; n < PICKS; n++) {
          hash ^= load.pick().hashCode();
        }
        nanos = System.nanoTime() - from;
      }
      if (hash == 42) {
        progress.say("as good as any"); // so that the picks are needed
      }
      figures.add(
          new Figure("allocation.pick.used-" + perMille, (double) nanos / PICKS, "ns", PICKS));
    }
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }
}
