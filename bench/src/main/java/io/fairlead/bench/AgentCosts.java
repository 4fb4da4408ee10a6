package io.fairlead.bench;

import io.fairlead.agent.nft.KernelReader;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.fabric.FabricNode;
import io.fairlead.devkit.fabric.NetnsSockets;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The agent as a process: its memory and what that is made of, its restart, its start from nothing.
 */
final class AgentCosts {
  /** Of the JVM's own account, in KB. */
  private static final Pattern ACCOUNT =
      Pattern.compile("-\\s+([A-Za-z ]+) \\(reserved=\\d+KB, committed=(\\d+)KB");

  private static final Pattern RESIDENT = Pattern.compile("Rss:\\s+(\\d+) kB");
  private static final int STARTS = 3;

  /** Holds what 44,000 Services take, and a frame with all of them. */
  private static final int COLD_HEAP = 512;

  private AgentCosts() {}

  static void measure(
      Fabric fabric,
      DataplaneOptions options,
      Path directory,
      List<Figure> figures,
      Bench.Progress progress)
      throws IOException, InterruptedException {
    var node = fabric.node("node-a");
    for (var robin : List.of(0, options.roundRobin())) {
      var name = robin == 0 ? "random" : "robin";
      progress.say(
          "%s: an agent with %d Services of %d endpoints"
              .formatted(name, options.services(), options.endpoints()));
      var own = Files.createDirectory(directory.resolve("agent-" + name));
      try (var agent = new NodeAgent(fabric, node, own, options.heap())) {
        agent.start();
        if (robin == 0) {
          memory(agent, "idle", figures);
        }
        agent.tell(1, NodeAgent.entries(options.services(), options.endpoints(), robin));
        memory(agent, name + "." + options.services(), figures);
        restart(node, agent, name, options.services(), figures, progress);
      }
      uninstall(node);
    }
    cold(fabric, node, options, directory, figures, progress);
    uninstall(node);
  }

  private static void restart(
      FabricNode node,
      NodeAgent agent,
      String name,
      int services,
      List<Figure> figures,
      Bench.Progress progress) {
    var starts = new Samples();
    long before = generation(node);
    for (int i = 1; i <= STARTS; i++) {
      progress.say("%s: restarting the agent, %d of %d".formatted(name, i, STARTS));
      agent.part().kill();
      starts.add(agent.start());
      if (!agent.greeting().equals("s:1")) {
        throw new IllegalStateException(
            "the agent greeted with position '" + agent.greeting() + "' and not with that on disk");
      }
    }
    figures.add(
        new Figure(
                "dataplane.agent.restart.%s.%d".formatted(name, services),
                starts.millis(50) / 1e3,
                "s",
                STARTS)
            .atMost(2));
    figures.add(
        new Figure(
                "dataplane.agent.restart.transactions.%s.%d".formatted(name, services),
                generation(node) - before,
                "count",
                STARTS)
            .atMost(0));
    memory(agent, "restarted." + name + "." + services, figures);
  }

  /** From the start of the process until it says that the kernel has all it was told. */
  private static void cold(
      Fabric fabric,
      FabricNode node,
      DataplaneOptions options,
      Path directory,
      List<Figure> figures,
      Bench.Progress progress)
      throws IOException {
    progress.say("an agent from nothing to %d Services of 2 endpoints".formatted(options.cold()));
    var entries = NodeAgent.entries(options.cold(), 2, 0);
    var own = Files.createDirectory(directory.resolve("agent-cold"));
    try (var agent = new NodeAgent(fabric, node, own, COLD_HEAP)) {
      long from = System.nanoTime();
      agent.start();
      agent.tell(1, entries);
      figures.add(
          new Figure(
                  "dataplane.agent.cold." + options.cold(),
                  DataplaneBench.since(from).toNanos() / 1e9,
                  "s",
                  1)
              .atMost(10));
    }
  }

  static void uninstall(FabricNode node) {
    try (var plane = DataplaneBench.open(node)) {
      plane.uninstall();
    }
  }

  /** Moves with every transaction of anybody in the node's namespace. */
  private static long generation(FabricNode node) {
    return NetnsSockets.call(
            node.namespace(),
            () -> {
              try (var reader = KernelReader.open()) {
                return reader.generation();
              }
            })
        .orElseThrow(() -> new IllegalStateException("the kernel tells no generation"));
  }

  private static void memory(NodeAgent agent, String name, List<Figure> figures) {
    var prefix = "dataplane.agent.rss." + name;
    var total = new Figure(prefix, agent.part().residentBytes() / 1e6, "MB", 1);
    figures.add(name.equals("idle") ? total : total.atMost(150));
    parts(agent.part().pid())
        .forEach((part, kilobytes) ->
            figures.add(new Figure(prefix + "." + part, kilobytes * 1024 / 1e6, "MB", 1)));
  }

  /**
   * What the resident memory is made of, in KB: {@code files} are libraries and the archive of
   * classes, {@code malloc} is what libraries and the JVM itself allocated; the others are what the
   * JVM says it committed. They overlap a little and do not sum up: threads' stacks and the rest
   * are missing.
   */
  private static Map<String, Long> parts(long pid) {
    var parts = new TreeMap<String, Long>();
    try {
      for (var line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"))) {
        if (line.startsWith("RssFile:")) {
          parts.put("files", Long.parseLong(line.replaceAll("[^0-9]", "")));
        }
      }
      heapOfMalloc(pid).ifPresent(kilobytes -> parts.put("malloc", kilobytes));
      var account = ACCOUNT.matcher(jvm(pid));
      while (account.find()) {
        switch (account.group(1).strip()) {
          case "Java Heap" -> parts.put("java", Long.parseLong(account.group(2)));
          case "Code" -> parts.put("code", Long.parseLong(account.group(2)));
          case "Metaspace" -> parts.put("classes", Long.parseLong(account.group(2)));
          default -> {}
        }
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return parts;
  }

  private static OptionalLong heapOfMalloc(long pid) throws IOException {
    boolean inside = false;
    for (var line : Files.readAllLines(Path.of("/proc", Long.toString(pid), "smaps"))) {
      if (line.endsWith("[heap]")) {
        inside = true;
      } else if (inside) {
        var resident = RESIDENT.matcher(line);
        if (resident.find()) {
          return OptionalLong.of(Long.parseLong(resident.group(1)));
        }
      }
    }
    return OptionalLong.empty();
  }

  /** The account of its memory, or nothing where this Java has no {@code jcmd}. */
  private static String jvm(long pid) throws IOException {
    var jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
    if (!Files.isExecutable(jcmd)) {
      return "";
    }
    var words =
        new ArrayList<>(
            List.of(
                jcmd.toString(), Long.toString(pid), "VM.native_memory", "summary", "scale=KB"));
    var process = new ProcessBuilder(words).redirectErrorStream(true).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
