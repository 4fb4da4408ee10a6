package io.fairlead.bench;

import io.fairlead.agent.nft.DataPlane;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.fabric.FabricNode;
import io.fairlead.devkit.fabric.FabricPod;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * What a new connection pays: to a Pod without any rules, through a ClusterIP of ours, and through
 * one of a chain for each Service and endpoint. Each on a node of its own with a client and three
 * Pods that answer, in turns.
 */
final class ConnectCosts {
  private static final int PORT = 8080;
  private static final int PODS = 3;
  private static final int ROUNDS = 3;
  private static final int CONNECTS = 3_000;
  private static final int REPLACED = 15;

  private final DataplaneOptions options;
  private final List<Figure> figures;
  private final Bench.Progress progress;
  private long offset;

  private ConnectCosts(DataplaneOptions options, List<Figure> figures, Bench.Progress progress) {
    this.options = options;
    this.figures = figures;
    this.progress = progress;
  }

  /** A node's Pods. */
  record Site(FabricNode node, FabricPod client, List<Target> servers) {
    /** With servers, which are closed with what they are put on. */
    static Site of(FabricNode node, String prefix, Deque<AutoCloseable> open) throws IOException {
      var servers = new ArrayList<Target>();
      var client = node.addPod(prefix + "client");
      for (int i = 0; i < PODS; i++) {
        var pod = node.addPod(prefix + "server" + i);
        open.push(Connections.serve(pod, PORT));
        servers.add(new Target(Address.of(pod.address()), PORT));
      }
      return new Site(node, client, servers);
    }
  }

  /** One way, and what came of it. */
  private static final class Way {
    private final String name;
    private final FabricPod client;
    private final InetSocketAddress to;
    private final Histogram nanos = new Histogram(Duration.ofSeconds(10).toNanos(), 3);
    private final List<Double> rates = new ArrayList<>();

    Way(String name, FabricPod client, InetSocketAddress to) {
      this.name = name;
      this.client = client;
      this.to = to;
    }
  }

  static void measure(
      Fabric fabric,
      DataplaneOptions options,
      Path directory,
      List<Figure> figures,
      Bench.Progress progress)
      throws IOException, InterruptedException {
    var open = new ArrayDeque<AutoCloseable>();
    try {
      var ours = Site.of(fabric.node("node-a"), "c", open);
      // of its own: ports of a client that two VIPs of one Pod share have to be told apart
      var robin = Site.of(fabric.node("node-a"), "r", open);
      var chains = Site.of(fabric.node("node-b"), "c", open);
      var none = Site.of(fabric.node("node-c"), "c", open);
      new ConnectCosts(options, figures, progress).measure(ours, robin, chains, none, directory);
    } finally {
      for (var resource : open) {
        close(resource);
      }
      for (var node : List.of("node-a", "node-b", "node-c")) {
        removePods(fabric.node(node), "c");
      }
      removePods(fabric.node("node-a"), "r");
    }
  }

  static void close(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception e) {
      System.err.println("closing " + resource + ": " + e);
    }
  }

  private static void removePods(FabricNode node, String prefix) {
    node.removePod(prefix + "client");
    for (int i = 0; i < PODS; i++) {
      node.removePod(prefix + "server" + i);
    }
  }

  private void measure(Site ours, Site robins, Site chains, Site none, Path directory)
      throws IOException, InterruptedException {
    int n = options.endpoints();
    // The Services that are connected to come behind all others.
    int measured = options.connectSizes().getLast();
    var ruleset = new ChainRuleset(chains.node(), directory);
    ruleset.add(measured, chains.servers());
    try (var plane = DataplaneBench.open(ours.node())) {
      int loaded = 0;
      var loading = Duration.ZERO;
      for (int size : options.connectSizes()) {
        load(plane, MadeUpRules.view(size, n, 0), measured, ours.servers(), robins.servers());
        progress.say("loading chains of %d Services".formatted(size));
        long from = System.nanoTime();
        ruleset.load(loaded, size, n, progress);
        loading = loading.plus(DataplaneBench.since(from));
        loaded = size;
        figures.add(new Figure("dataplane.chains.load." + size, loading.toNanos() / 1e9, "s", 1));
        replaced(ruleset, size, n);
        connect(
            size,
            List.of(
                new Way("direct", none.client(), address(none.servers().getFirst())),
                new Way("random", ours.client(), vip(measured)),
                new Way("robin", robins.client(), vip(measured + 1)),
                new Way("chains", chains.client(), vip(measured))));
      }
      plane.uninstall();
    }
  }

  /** Behind all others, one Service that is random, and one that is round-robin. */
  private void load(
      DataPlane plane, NodeRules others, int measured, List<Target> random, List<Target> robin) {
    var view =
        MadeUpRules.with(
            others, MadeUpRules.frontend(measured), MadeUpRules.rule(Balancing.RANDOM, random));
    view =
        MadeUpRules.with(
            view,
            MadeUpRules.frontend(measured + 1),
            MadeUpRules.rule(Balancing.ROUND_ROBIN, robin));
    DataplaneBench.require(plane.apply(view, MadeUpRules.at(++offset)));
  }

  /** One endpoint of the first Service, again and again. */
  private void replaced(ChainRuleset ruleset, int size, int endpoints)
      throws IOException, InterruptedException {
    progress.say("one change of the chains beside %d Services".formatted(size));
    var samples = new Samples();
    for (int i = 0; i < REPLACED; i++) {
      samples.add(
          ruleset.replaceLast(
              0, endpoints, MadeUpRules.target(options.connectSizes().getLast() * endpoints + i)));
    }
    figures.add(
        new Figure(
            "dataplane.chains.change.p50." + size, samples.millis(50), "ms", samples.count()));
  }

  private void connect(int size, List<Way> ways) throws IOException, InterruptedException {
    int clients = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    for (int round = 1; round <= ROUNDS; round++) {
      progress.say("connecting beside %d Services, %d of %d".formatted(size, round, ROUNDS));
      for (var way : ways) {
        way.nanos.add(Connections.latency(way.client, way.to, CONNECTS));
        way.rates.add(
            Connections.rate(way.client, way.to, clients, Duration.ofSeconds(options.seconds())));
      }
    }
    for (var way : ways) {
      var name = "dataplane.connect.";
      for (int percentile : List.of(50, 99)) {
        figures.add(
            new Figure(
                name + way.name + ".p" + percentile + "." + size,
                way.nanos.getValueAtPercentile(percentile) / 1e3,
                "us",
                way.nanos.getTotalCount()));
      }
      var rates = way.rates.stream().sorted().toList();
      figures.add(
          new Figure(
              name + way.name + ".rate." + size, rates.get(rates.size() / 2), "1/s", rates.size()));
    }
  }

  private static InetSocketAddress vip(int service) {
    var frontend = MadeUpRules.frontend(service);
    return new InetSocketAddress(InetAddress.ofLiteral(frontend.vip().toString()), frontend.port());
  }

  static InetSocketAddress address(Target target) {
    return new InetSocketAddress(InetAddress.ofLiteral(target.address().toString()), target.port());
  }
}
