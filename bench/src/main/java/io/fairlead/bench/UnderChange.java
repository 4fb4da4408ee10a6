package io.fairlead.bench;

import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.devkit.fabric.Fabric;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Whether a new connection fails, or its first packet is lost, while the agent is killed and
 * started again, and while the rule that leads it changes very often.
 */
final class UnderChange {
  private static final int SERVICES = 1_000;
  private static final int CLIENTS = 2;
  private static final int RESTARTS = 5;

  /** Which of the servers are endpoints, one set after the other: more, fewer, others. */
  private static final List<List<Integer>> SETS =
      List.of(List.of(0, 1, 2), List.of(1), List.of(1, 2), List.of(0, 2), List.of(0));

  private UnderChange() {}

  static void measure(
      Fabric fabric,
      DataplaneOptions options,
      Path directory,
      List<Figure> figures,
      Bench.Progress progress)
      throws IOException, InterruptedException {
    var open = new ArrayDeque<AutoCloseable>();
    var node = fabric.node("node-a");
    try {
      var site = ConnectCosts.Site.of(node, "f", open);
      var frontend = MadeUpRules.frontend(SERVICES);
      var to =
          new InetSocketAddress(InetAddress.ofLiteral(frontend.vip().toString()), frontend.port());
      for (var balancing : List.of(Balancing.RANDOM, Balancing.ROUND_ROBIN)) {
        var name = balancing == Balancing.ROUND_ROBIN ? "robin" : "random";
        restarts(
            fabric, site, balancing, to, directory.resolve("faults-" + name), figures, progress);
        changes(site, balancing, to, options.changes(), figures, progress);
        AgentCosts.uninstall(node);
      }
    } finally {
      open.forEach(ConnectCosts::close);
    }
  }

  private static void restarts(
      Fabric fabric,
      ConnectCosts.Site site,
      Balancing balancing,
      InetSocketAddress to,
      Path directory,
      List<Figure> figures,
      Bench.Progress progress)
      throws IOException, InterruptedException {
    var name = balancing == Balancing.ROUND_ROBIN ? "robin" : "random";
    progress.say("%s: connecting while the agent restarts".formatted(name));
    Files.createDirectory(directory);
    try (var agent = new NodeAgent(fabric, site.node(), directory, 64)) {
      agent.start();
      var entries = NodeAgent.entries(SERVICES, 3, 0);
      entries.addAll(NodeAgent.service(SERVICES, balancing, site.servers()));
      agent.tell(1, entries);
      try (var load = new Connections.Constant(site.client(), to, CLIENTS, new AtomicLong())) {
        for (int i = 0; i < RESTARTS; i++) {
          if (i % 2 == 0) {
            agent.part().kill();
          } else {
            agent.part().stop();
          }
          agent.start();
        }
        load.end();
        failed("restart", name, load, figures);
      }
    }
  }

  private static void changes(
      ConnectCosts.Site site,
      Balancing balancing,
      InetSocketAddress to,
      int changes,
      List<Figure> figures,
      Bench.Progress progress)
      throws InterruptedException {
    var name = balancing == Balancing.ROUND_ROBIN ? "robin" : "random";
    progress.say("%s: connecting while %d rules change".formatted(name, changes));
    var frontend = MadeUpRules.frontend(SERVICES);
    try (var plane = DataplaneBench.open(site.node());
        var load = new Connections.Constant(site.client(), to, CLIENTS, new AtomicLong())) {
      var view = MadeUpRules.view(SERVICES, 3, 0);
      view =
          MadeUpRules.with(view, frontend, MadeUpRules.rule(balancing, of(site, SETS.getFirst())));
      DataplaneBench.require(plane.apply(view, MadeUpRules.at(2)));
      for (int i = 1; i <= changes; i++) {
        var targets = of(site, SETS.get(i % SETS.size()));
        view = MadeUpRules.with(view, frontend, MadeUpRules.rule(balancing, targets));
        DataplaneBench.require(plane.apply(view, Set.of(frontend), MadeUpRules.at(2 + i)));
      }
      load.end();
      failed("changes", name, load, figures);
    }
  }

  private static List<Target> of(ConnectCosts.Site site, List<Integer> numbers) {
    var targets = new ArrayList<Target>();
    numbers.forEach(number -> targets.add(site.servers().get(number)));
    return targets;
  }

  private static void failed(
      String what, String balancing, Connections.Constant load, List<Figure> figures) {
    figures.add(
        new Figure(
                "dataplane.failed.%s.%s".formatted(what, balancing),
                load.failures().size(),
                "count",
                load.made())
            .atMost(0));
    load.failures().stream()
        .limit(3)
        .forEach(failure -> System.err.println("... a connection failed: " + failure));
  }
}
