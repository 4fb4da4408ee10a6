package io.fairlead.bench;

import io.fairlead.agent.nft.ApplyResult;
import io.fairlead.agent.nft.ApplyResult.FamilyResult;
import io.fairlead.agent.nft.DataPlane;
import io.fairlead.agent.nft.DataPlaneConfig;
import io.fairlead.bench.DataplaneOptions.Part;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.fabric.FabricNode;
import io.fairlead.devkit.fabric.FabricSpec;
import io.fairlead.devkit.posix.Libc;
import io.fairlead.devkit.process.Executables;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A node's rules: what it costs to load them and to change one, beside few Services and many; what
 * a connection pays for them, next to a chain for each Service and endpoint; the memory of the
 * agent; and whether a connection fails while rules change and the agent restarts.
 */
final class DataplaneBench implements Bench.Scenario {
  /** Of its namespaces: what an earlier run that was killed left is cleared first. */
  static final String FABRIC = "benchd";

  private static final int LOADS = 3;
  private static final int WARM_UP = 100;
  private static final int BATCH = 1_000;
  private static final int BATCHES = 10;

  @Override
  public String options() {
    return DataplaneOptions.HELP;
  }

  @Override
  public List<Figure> run(List<String> words, Bench.Progress progress) throws Exception {
    var options = DataplaneOptions.parse(words);
    requireAll();
    var figures = new ArrayList<Figure>();
    var directory = Files.createTempDirectory("fairlead-bench-dataplane");
    progress.say("making the namespaces fl-" + FABRIC + "-*");
    try (var fabric = Fabric.create(FabricSpec.of(FABRIC, List.of("node-a", "node-b", "node-c")))) {
      var node = fabric.node("node-a");
      for (var balancing : List.of(Balancing.RANDOM, Balancing.ROUND_ROBIN)) {
        new Changes(node, options, balancing, figures, progress).measure();
      }
      if (options.parts().contains(Part.CONNECT)) {
        ConnectCosts.measure(fabric, options, directory, figures, progress);
      }
      if (options.parts().contains(Part.AGENT)) {
        AgentCosts.measure(fabric, options, directory, figures, progress);
      }
      if (options.parts().contains(Part.FAULTS)) {
        UnderChange.measure(fabric, options, directory, figures, progress);
      }
    }
    try (var files = Files.walk(directory)) {
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
    return figures;
  }

  private static void requireAll() {
    if (Libc.effectiveUserId() != 0) {
      throw new Bench.UnableException(
          "network namespaces and nftables need root: run it with sudo");
    }
    for (var program : List.of("nft", "ip")) {
      if (Executables.find(program).isEmpty()) {
        throw new Bench.UnableException(
            "the program '%s' is not there: install %s"
                .formatted(program, program.equals("ip") ? "iproute2" : "nftables"));
      }
    }
  }

  /** What the data plane in this process costs; of one kind of balancing. */
  private static final class Changes {
    private final FabricNode node;
    private final DataplaneOptions options;
    private final Balancing balancing;
    private final String name;
    private final int roundRobin;
    private final List<Figure> figures;
    private final Bench.Progress progress;
    private long offset;

    Changes(
        FabricNode node,
        DataplaneOptions options,
        Balancing balancing,
        List<Figure> figures,
        Bench.Progress progress) {
      this.node = node;
      this.options = options;
      this.balancing = balancing;
      this.name = nameOf(balancing);
      this.roundRobin = balancing == Balancing.ROUND_ROBIN ? options.roundRobin() : 0;
      this.figures = figures;
      this.progress = progress;
    }

    void measure() {
      if (has(Part.LOAD)) {
        load();
      }
      if (has(Part.CHANGE)) {
        options.sizes().forEach(this::change);
      }
      if (has(Part.BATCH)) {
        batch();
      }
      if (has(Part.LARGE)) {
        large();
      }
      if (has(Part.COLD)) {
        cold();
      }
    }

    private boolean has(Part part) {
      return options.parts().contains(part);
    }

    private static String nameOf(Balancing balancing) {
      return balancing == Balancing.ROUND_ROBIN ? "robin" : "random";
    }

    private Figure figure(String what, double value, String unit, long samples) {
      return new Figure("dataplane." + what, value, unit, samples);
    }

    /** From nothing; then taken over by another data plane, as after a restart. */
    private void load() {
      int services = options.services();
      var view = MadeUpRules.view(services, options.endpoints(), roundRobin);
      var loads = new Samples();
      var restarts = new Samples();
      int written = 0;
      for (int i = 1; i <= LOADS; i++) {
        progress.say("%s: loading %d Services, %d of %d".formatted(name, services, i, LOADS));
        var position = MadeUpRules.at(++offset);
        long from = System.nanoTime();
        try (var plane = open(node)) {
          require(plane.apply(view, position));
          loads.add(since(from));
        }
        from = System.nanoTime();
        try (var plane = open(node)) {
          var result = plane.apply(view, position);
          require(result);
          restarts.add(since(from));
          written += commands(result);
          plane.uninstall();
        }
      }
      figures.add(seconds("load", loads, services).atMost(2));
      figures.add(seconds("restart", restarts, services).atMost(2));
      figures.add(
          figure("restart.elements.%s.%d".formatted(name, services), written, "count", LOADS)
              .atMost(0));
    }

    private Figure seconds(String what, Samples samples, int services) {
      return figure(
          "%s.%s.%d".formatted(what, name, services),
          samples.millis(50) / 1e3,
          "s",
          samples.count());
    }

    /** One Service changes beside so many: a Pod replaced, one more, one less. */
    private void change(int services) {
      progress.say("%s: one change beside %d Services".formatted(name, services));
      var frontend = MadeUpRules.frontend(0);
      int n = options.endpoints();
      int spare = services * n;
      try (var plane = open(node)) {
        var view = MadeUpRules.view(services, n, roundRobin);
        require(plane.apply(view, MadeUpRules.at(++offset)));
        var replaced = new Samples();
        var more = new Samples();
        var less = new Samples();
        for (int i = -WARM_UP; i < options.samples(); i++) {
          // of a Pod that was never there before, as in life
          var targets = new ArrayList<>(MadeUpRules.targets(0, n - 1));
          targets.add(MadeUpRules.target(spare + Math.floorMod(2 * i, 1 << 18)));
          view = one(plane, view, frontend, targets, i < 0 ? new Samples() : replaced);
          targets.add(MadeUpRules.target(spare + Math.floorMod(2 * i + 1, 1 << 18)));
          view = one(plane, view, frontend, targets, i < 0 ? new Samples() : more);
          targets.removeLast();
          view = one(plane, view, frontend, targets, i < 0 ? new Samples() : less);
        }
        plane.uninstall();
        change("replaced", replaced, services);
        change("more", more, services);
        change("less", less, services);
      }
    }

    private void change(String what, Samples samples, int services) {
      for (var percentile : List.of(50, 99)) {
        var figure =
            figure(
                "change.%s.%s.p%d.%d".formatted(what, name, percentile, services),
                samples.millis(percentile),
                "ms",
                samples.count());
        figures.add(percentile == 50 ? figure.atMost(0.3) : figure);
      }
    }

    private NodeRules one(
        DataPlane plane, NodeRules view, Frontend frontend, List<Target> targets, Samples samples) {
      var next = MadeUpRules.with(view, frontend, MadeUpRules.rule(balancing, targets));
      var position = MadeUpRules.at(++offset);
      long from = System.nanoTime();
      var result = plane.apply(next, Set.of(frontend), position);
      samples.add(since(from));
      require(result);
      return next;
    }

    /** A thousand Services change at once, a Pod of each replaced. */
    private void batch() {
      int services = Math.max(BATCH, options.services());
      int n = options.endpoints();
      progress.say("%s: %d changes in one batch".formatted(name, BATCH));
      var samples = new Samples();
      try (var plane = open(node)) {
        var view = MadeUpRules.view(services, n, roundRobin);
        require(plane.apply(view, MadeUpRules.at(++offset)));
        for (int i = 0; i < 2 * BATCHES; i++) {
          var ports = view.ports();
          var changed = new HashSet<Frontend>();
          for (int service = 0; service < BATCH; service++) {
            var targets = new ArrayList<>(MadeUpRules.targets(service * n, n - 1));
            targets.add(MadeUpRules.target(services * n + (i % 2) * BATCH + service));
            var frontend = MadeUpRules.frontend(service);
            ports =
                ports.plus(
                    frontend,
                    MadeUpRules.rule(
                        service < roundRobin ? Balancing.ROUND_ROBIN : Balancing.RANDOM, targets));
            changed.add(frontend);
          }
          view = MadeUpRules.view(ports);
          var position = MadeUpRules.at(++offset);
          long from = System.nanoTime();
          var result = plane.apply(view, changed, position);
          if (i >= BATCHES) {
            samples.add(since(from));
          }
          require(result);
        }
        plane.uninstall();
      }
      figures.add(
          figure(
                  "batch.%s.p50.%d".formatted(name, services),
                  samples.millis(50),
                  "ms",
                  samples.count())
              .atMost(50));
    }

    /** One of very many endpoints leaves, and comes back. */
    private void large() {
      int n = options.large();
      progress.say("%s: one of %d endpoints leaves".formatted(name, n));
      var frontend = MadeUpRules.frontend(0);
      var leaves = new Samples();
      int written = 0;
      int samples = Math.min(options.samples(), 30);
      try (var plane = open(node)) {
        var view = MadeUpRules.view(1, n, roundRobin);
        require(plane.apply(view, MadeUpRules.at(++offset)));
        for (int i = 0; i < samples; i++) {
          var targets = new ArrayList<>(MadeUpRules.targets(0, n));
          targets.remove(i % n);
          var less = MadeUpRules.with(view, frontend, MadeUpRules.rule(balancing, targets));
          var position = MadeUpRules.at(++offset);
          long from = System.nanoTime();
          var result = plane.apply(less, Set.of(frontend), position);
          leaves.add(since(from));
          require(result);
          written = Math.max(written, commands(result));
          require(plane.apply(view, Set.of(frontend), MadeUpRules.at(++offset)));
        }
        plane.uninstall();
      }
      figures.add(
          figure("large.%s.p50.%d".formatted(name, n), leaves.millis(50), "ms", leaves.count()));
      figures.add(figure("large.%s.written.%d".formatted(name, n), written, "count", samples));
    }

    private void cold() {
      int services = options.cold();
      progress.say("%s: %d Services of two endpoints from nothing".formatted(name, services));
      var view = MadeUpRules.view(services, 2, roundRobin);
      var samples = new Samples();
      try (var plane = open(node)) {
        plane.uninstall();
      }
      long from = System.nanoTime();
      try (var plane = open(node)) {
        require(plane.apply(view, MadeUpRules.at(++offset)));
        samples.add(since(from));
        plane.uninstall();
      }
      figures.add(seconds("cold", samples, services).atMost(10));
    }
  }

  /** A data plane in a node's namespace; another one's tables are taken over. */
  static DataPlane open(FabricNode node) {
    return DataPlane.open(
        DataPlaneConfig.of(node.name()).in(Path.of("/run/netns", node.namespace())));
  }

  static Duration since(long fromNanos) {
    return Duration.ofNanos(System.nanoTime() - fromNanos);
  }

  static void require(ApplyResult result) {
    for (var family : result.families().values()) {
      if (!(family instanceof FamilyResult.Committed(_, _, _, var refused, _))
          || !refused.isEmpty()) {
        throw new IllegalStateException("the kernel did not take the rules: " + result);
      }
    }
  }

  /** Elements, chains and rules that were added or deleted, the position's among them. */
  static int commands(ApplyResult result) {
    return result.families().values().stream()
        .mapToInt(family -> family instanceof FamilyResult.Committed done ? done.commands() : 0)
        .sum();
  }
}
