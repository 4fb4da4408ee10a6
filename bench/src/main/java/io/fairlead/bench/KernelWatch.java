package io.fairlead.bench;

import io.fairlead.agent.nft.KernelReader;
import io.fairlead.agent.ruleset.CommandText;
import io.fairlead.agent.ruleset.Elements;
import io.fairlead.agent.ruleset.Program;
import io.fairlead.core.model.Address;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.fabric.FabricNode;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.devkit.process.ChildProcess;
import io.fairlead.devkit.process.Command;
import io.fairlead.devkit.process.Stdout;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Watches one frontend in one node's kernel: which targets stand there since when, as the kernel
 * itself tells whoever listens ({@code nft monitor}) after it has taken a transaction. That costs
 * the same beside few Services and many, where reading the maps does not.
 */
final class KernelWatch implements AutoCloseable {
  private static final Pattern LINE =
      Pattern.compile("(add|delete) element ip (\\S+) (\\S+) \\{ (.*) \\}");

  /**
   * What stands there.
   *
   * @param seen when the last line of the kernel was read that made it so
   */
  record Sight(Set<Target> targets, Instant seen) {}

  private final FabricNode node;
  private final Frontend frontend;
  private final String service;
  private final ChildProcess monitor;

  /** By key, as {@code nft} spells it; of the thread that listens. */
  private final Map<String, Target> slots = new HashMap<>();

  /** Those of one frontend each, by number. */
  private final Map<Integer, Program> programs = new HashMap<>();

  private int effective;
  private volatile Optional<Sight> last = Optional.empty();
  private volatile Optional<Exception> failed = Optional.empty();
  private volatile boolean closing;

  /**
   * Listens from now on; what stands there already is not told.
   *
   * @param frontend of IPv4, without affinity
   * @param directory for what {@code nft} complains of
   */
  KernelWatch(FabricNode node, Frontend frontend, Path directory) {
    this.node = node;
    this.frontend = frontend;
    this.service = frontend.vip() + " . " + frontend.port();
    this.monitor =
        ChildProcess.start(
            Command.of(
                    "nft-monitor-" + node.name(),
                    List.of("nft", "monitor", "elements"),
                    directory.resolve("nft-monitor-" + node.name() + ".log"))
                .withStdout(Stdout.PIPE)
                .through(Fabric.prefix(node.namespace())));
    Thread.ofPlatform().daemon().name("kernel-watch-" + node.name()).start(this::listen);
  }

  private void listen() {
    try (var lines =
        new BufferedReader(
            new InputStreamReader(monitor.process().getInputStream(), StandardCharsets.UTF_8))) {
      for (var line = lines.readLine(); line != null; line = lines.readLine()) {
        var match = LINE.matcher(line);
        if (match.matches() && match.group(2).equals(CommandText.TABLE)) {
          take(match.group(1).equals("add"), match.group(3), match.group(4));
        }
      }
    } catch (IOException | RuntimeException e) {
      if (!closing) { // else the pipe of a process that was ended
        failed = Optional.of(e);
      }
    }
  }

  private void take(boolean add, String set, String elements) {
    if (set.equals(Elements.PROGRAMS) && add) {
      learn(elements);
    }
    if (!elements.contains(service)) {
      return;
    }
    for (var element : elements.split(", ", -1)) {
      var halves = element.split(" : ", 2);
      if (set.equals(Elements.services(frontend.protocol())) && halves[0].equals(service)) {
        effective = add ? slotsOf(halves[1]) : 0;
      } else if (set.equals(Elements.endpoints(frontend.protocol()))
          && halves[0].startsWith(service + " . ")
          && add) { // what goes is behind the slots that count
        slots.put(halves[0], target(halves[1]));
      }
    }
    var targets = new HashSet<Target>();
    for (int slot = 0; slot < effective; slot++) {
      var target = slots.get(service + " . " + slot);
      if (target == null) {
        return; // of before this began to listen
      }
      targets.add(target);
    }
    last = Optional.of(new Sight(Set.copyOf(targets), Instant.now()));
  }

  /** New programs come before the dispatch to them. */
  private void learn(String elements) {
    for (var element : elements.split(", ", -1)) {
      var halves = element.split(" : goto ", 2);
      Elements.parseNumber(halves[0])
          .ifPresent(number ->
              Program.parse(halves[1]).ifPresent(program -> programs.put(number, program)));
    }
  }

  /** How many slots the dispatch to a program uses; the random ones are there from the start. */
  private int slotsOf(String number) {
    int found = Elements.parseNumber(number).orElse(0);
    var random = new Program.Random(found & 0xffff);
    return random.number() == found
        ? random.slots()
        : Optional.ofNullable(programs.get(found)).map(Program::slots).orElse(0);
  }

  private static Target target(String text) {
    var halves = text.split(" \\. ", 2);
    return new Target(Address.of(halves[0]), Integer.parseInt(halves[1]));
  }

  /** Empty until the kernel told something of it. */
  Optional<Sight> last() {
    failed.ifPresent(e -> {
      throw new IllegalStateException("nobody listens to the kernel of " + node.name(), e);
    });
    return last;
  }

  /** What new connections are sent to, by reading the maps: a second opinion. */
  Set<Target> read() {
    return NetnsSockets.call(
        node.namespace(),
        () -> {
          try (var reader = KernelReader.open()) {
            return Optional.ofNullable(
                    reader.ports(frontend.vip().family(), frontend.protocol()).get(frontend))
                .map(state -> Set.copyOf(state.slots()))
                .orElse(Set.of());
          }
        });
  }

  @Override
  public String toString() {
    return node.name();
  }

  @Override
  public void close() {
    closing = true;
    monitor.close();
  }
}
