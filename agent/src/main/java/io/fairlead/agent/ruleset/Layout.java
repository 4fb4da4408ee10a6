package io.fairlead.agent.ruleset;

import io.fairlead.agent.ruleset.Command.AddChain;
import io.fairlead.agent.ruleset.Command.AddElement;
import io.fairlead.agent.ruleset.Command.AddRule;
import io.fairlead.agent.ruleset.Command.AddSet;
import io.fairlead.agent.ruleset.Command.AddTable;
import io.fairlead.agent.ruleset.Command.SetKind;
import io.fairlead.agent.ruleset.Command.SetSpec;
import io.fairlead.agent.ruleset.Program.Choice;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Protocol;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The fixed program of one family's table: everything but elements. Elements never carry rules, so
 * the cost of a change does not depend on how much is loaded.
 *
 * <p>The number of a program travels in {@code meta priority}: a packet mark would disturb policy
 * routing of the first packet. It is set and used in one rule, as otherwise a process's own
 * SO_PRIORITY would select a chain; and reset on every way out.
 */
public final class Layout {
  /**
   * Chains for that many endpoints exist from the start; others are made a commit before their
   * first use.
   */
  public static final int READY_SLOTS = 64;

  /**
   * Clients that one frontend with affinity remembers at most; beyond it connections are balanced
   * without memory.
   */
  public static final int AFFINITY_SIZE = 65_535;

  private static final int HASH_SEED =
      0x00fa1ead; // the same on all nodes: a client meets the same endpoint everywhere

  private final Family family;
  private final String ip;
  private final String address;
  private final SequencedMap<String, SetSpec> sets = new LinkedHashMap<>();
  private final SequencedMap<String, FixedChain> chains = new LinkedHashMap<>();
  private final int format;
  private final int hooks;

  /** A chain that always exists. */
  public record FixedChain(String name, Optional<String> hook, List<Rule> rules) {
    public FixedChain {
      rules = List.copyOf(rules);
    }
  }

  private Layout(Family family) {
    this.family = family;
    this.ip =
        switch (family) {
          case IPV4 -> "ip";
          case IPV6 -> "ip6";
        };
    this.address =
        switch (family) {
          case IPV4 -> "ipv4_addr";
          case IPV6 -> "ipv6_addr";
        };
    declareSets();
    declareChains();
    this.format =
        fingerprint(
            sets.values().stream().map(SetSpec::toString).collect(Collectors.joining())
                + memory(0));
    this.hooks =
        fingerprint(
            chains.values().stream().map(c -> c.name() + c.hook()).collect(Collectors.joining()));
  }

  public static Layout of(Family family) {
    return new Layout(family);
  }

  public Family family() {
    return family;
  }

  /** nft's name of the family: {@code ip} or {@code ip6}. */
  public String nftFamily() {
    return ip;
  }

  /** The fixed sets and maps by name. */
  public SequencedMap<String, SetSpec> sets() {
    return sets;
  }

  /** The fixed chains by name, in an order in which they can be created. */
  public SequencedMap<String, FixedChain> chains() {
    return chains;
  }

  /** Programs that always exist. */
  public List<Program> fixedPrograms() {
    var programs =
        new ArrayList<Program>(
            List.of(new Program.Reject(), new Program.Drop(), new Program.Hash()));
    IntStream.rangeClosed(1, READY_SLOTS).mapToObj(Program.Random::new).forEach(programs::add);
    return programs;
  }

  /**
   * What changes when declarations of sets do: those cannot be altered in place, so a table of
   * another format is made anew. Kept in the table itself.
   */
  public int format() {
    return format;
  }

  /**
   * What changes when a chain is hooked in elsewhere, or at another priority: such chains are made
   * anew, while all elements stay. Kept in the table itself.
   */
  public int hooks() {
    return hooks;
  }

  /** Everything from nothing, programs included, in one transaction. */
  public List<Command> create() {
    var commands = new ArrayList<Command>();
    commands.add(new AddTable());
    sets.values().forEach(set -> commands.add(new AddSet(set)));
    fixedPrograms().forEach(program -> commands.addAll(createProgram(program)));
    for (var chain : chains.values()) {
      commands.add(new AddChain(chain.name(), chain.hook()));
      chain.rules().forEach(rule -> commands.add(new AddRule(chain.name(), rule)));
    }
    fixedPrograms().forEach(program -> commands.add(dispatch(program)));
    return commands;
  }

  /**
   * Chain and rules of a program; for one with affinity also its memory, which may exist already.
   */
  public List<Command> createProgram(Program program) {
    var commands = new ArrayList<Command>();
    if (program instanceof Program.Sticky sticky) {
      commands.add(new AddSet(memory(sticky.memory())));
    }
    commands.add(new AddChain(program.chain(), Optional.empty()));
    rules(program).forEach(rule -> commands.add(new AddRule(program.chain(), rule)));
    return commands;
  }

  /** What turns the program's number into its chain. */
  public static Command dispatch(Program program) {
    return new AddElement(Elements.program(program), Optional.of(Elements.verdict(program)));
  }

  /**
   * The clients of one frontend. A map for each, as nft 1.0.6 has registers for 16 bytes only where
   * a rule updates a map: with (client, VIP, port) as the key it aborts for IPv6.
   */
  public SetSpec memory(int memory) {
    return new SetSpec(
        Elements.affinity(memory),
        SetKind.MAP,
        "typeof "
            + ip
            + " saddr : meta priority; size "
            + AFFINITY_SIZE
            + "; flags dynamic,timeout;");
  }

  /** The rules of a program's chain. */
  public List<Rule> rules(Program program) {
    var rules = new ArrayList<String>();
    switch (program) {
      case Program.Reject() -> {
        rules.add("meta priority set 0");
        rules.add("meta l4proto tcp reject with tcp reset");
        rules.add("reject");
      }
      case Program.Drop() -> rules.add("drop");
      case Program.Hash(), Program.Random(_) -> {
        rules.add("meta priority set 0");
        for (var protocol : Protocol.values()) {
          rules.add(dnat(protocol, selector(program), Elements.endpoints(protocol)));
        }
        rules.add(
            "drop"); // a slot that is missing: the client sends its SYN again, a reject would be
        // final
      }
      case Program.RoundRobin(_, Protocol protocol, _) -> {
        rules.add("meta priority set 0");
        rules.add(dnat(protocol, selector(program), Elements.endpoints(protocol)));
        rules.add("drop");
      }
      case Program.Sticky sticky -> sticky(sticky, rules);
    }
    return rules.stream().map(Rule::new).toList();
  }

  /** Remembered endpoint, else a new choice. Ids begin at 1, so that 0 never finds an endpoint. */
  private void sticky(Program.Sticky sticky, List<String> rules) {
    var memory = "@" + Elements.affinity(sticky.memory());
    var client = ip + " saddr";
    var remember =
        "update "
            + memory
            + " { "
            + client
            + " timeout "
            + sticky.timeoutSeconds()
            + "s : meta priority }";
    var toId = dnat(sticky.protocol(), "meta priority", Elements.ids(sticky.protocol()));
    rules.add("meta priority set 0");
    rules.add("meta priority set " + client + " map " + memory + " " + remember);
    rules.add(toId);
    rules.add(
        "meta priority set "
            + key(sticky.protocol())
            + " . "
            + selector(sticky)
            + " map @"
            + Elements.choices(sticky.protocol()));
    // update alone keeps the old value and only moves the deadline; in rules of their own, as both
    // may have nothing to do
    rules.add("delete " + memory + " { " + client + " : meta priority }");
    rules.add(remember);
    rules.add(toId);
    rules.add("drop");
  }

  private String selector(Program program) {
    var choice =
        switch (program) {
          case Program.Sticky sticky -> sticky.choice();
          case Program.RoundRobin _ -> Choice.ROUND_ROBIN;
          case Program.Hash() -> Choice.HASH;
          case Program.Random(_), Program.Reject(), Program.Drop() -> Choice.RANDOM;
        };
    return switch (choice) {
      case RANDOM -> "numgen random mod " + program.slots();
      case ROUND_ROBIN -> "numgen inc mod " + program.slots();
      case HASH -> "jhash " + ip + " saddr mod " + Maglev.SIZE + " seed " + HASH_SEED;
    };
  }

  private String key(Protocol protocol) {
    return ip + " daddr . " + Elements.lower(protocol) + " dport";
  }

  private String dnat(Protocol protocol, String selector, String map) {
    return "dnat " + ip + " to " + key(protocol) + " . " + selector + " map @" + map;
  }

  private void declareSets() {
    declare(Elements.POSITION, SetKind.MAP, "type mark : mark;");
    declare(Elements.VIPS, SetKind.SET, "type " + address + ";");
    declare(Elements.SERVICE_CIDRS, SetKind.SET, "type " + address + "; flags interval;");
    declare(Elements.CLUSTER_CIDRS, SetKind.SET, "type " + address + "; flags interval;");
    declare(Elements.HAIRPIN, SetKind.SET, "type " + address + " . " + address + ";");
    declare(Elements.PROGRAMS, SetKind.MAP, "typeof meta priority : verdict;");
    for (var protocol :
        Protocol.values()) { // one of each: a generic key is refused with "conflicting protocols"
      var key = key(protocol);
      declare(Elements.services(protocol), SetKind.MAP, "typeof " + key + " : meta priority;");
      declare(
          Elements.endpoints(protocol),
          SetKind.MAP,
          "typeof " + key + " . numgen random mod 2 : " + key + ";");
      declare(
          Elements.choices(protocol),
          SetKind.MAP,
          "typeof " + key + " . numgen random mod 2 : meta priority;");
      declare(
          Elements.ids(protocol), SetKind.MAP, "typeof " + key + " . meta priority : " + key + ";");
    }
  }

  private void declare(String name, SetKind kind, String declaration) {
    sets.put(name, new SetSpec(name, kind, declaration));
  }

  /** Nat chains: only the first packet of a flow comes here, and in state new. */
  private void declareChains() {
    var services =
        new ArrayList<>(
            java.util.Arrays.stream(Protocol.values())
                .map(p ->
                    "meta priority set "
                        + key(p)
                        + " map @"
                        + Elements.services(p)
                        + " meta priority vmap @"
                        + Elements.PROGRAMS)
                .toList());
    // In this hook a reject needs no route for the range, and what was translated never comes here.
    services.add(ip + " daddr @" + Elements.VIPS + " meta l4proto tcp reject with tcp reset");
    services.add(ip + " daddr @" + Elements.VIPS + " reject");
    services.add(ip + " daddr @" + Elements.SERVICE_CIDRS + " drop");
    chain("services", Optional.empty(), services);
    chain(
        "leaving",
        Optional.empty(),
        List.of(
            "meta priority set 0",
            ip + " saddr . " + ip + " daddr @" + Elements.HAIRPIN + " masquerade fully-random",
            ip + " saddr != @" + Elements.CLUSTER_CIDRS + " masquerade fully-random"));
    // -100 as a number: nft 1.0.6 does not know the name dstnat in an output chain
    chain(
        "prerouting",
        Optional.of("type nat hook prerouting priority -100;"),
        List.of("goto services"));
    chain("output", Optional.of("type nat hook output priority -100;"), List.of("goto services"));
    // by conntrack's memory of the original destination: no mark that could survive on the packet
    chain(
        "postrouting",
        Optional.of("type nat hook postrouting priority 100;"),
        List.of(
            "ct status & dnat == dnat ct original "
                + ip
                + " daddr @"
                + Elements.VIPS
                + " goto leaving"));
  }

  private void chain(String name, Optional<String> hook, List<String> rules) {
    chains.put(name, new FixedChain(name, hook, rules.stream().map(Rule::new).toList()));
  }

  private static int fingerprint(String text) {
    return ByteBuffer.wrap(Rule.sha256(text)).getInt();
  }
}
