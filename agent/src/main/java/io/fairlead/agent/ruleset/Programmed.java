package io.fairlead.agent.ruleset;

import io.fairlead.agent.ruleset.Command.AddChain;
import io.fairlead.agent.ruleset.Command.AddElement;
import io.fairlead.agent.ruleset.Command.AddRule;
import io.fairlead.agent.ruleset.Command.AddSet;
import io.fairlead.agent.ruleset.Command.DeleteChain;
import io.fairlead.agent.ruleset.Command.DeleteElement;
import io.fairlead.agent.ruleset.Command.DeleteSet;
import io.fairlead.agent.ruleset.Command.DeleteTable;
import io.fairlead.agent.ruleset.Command.ElementKey;
import io.fairlead.agent.ruleset.Command.FlushChain;
import io.fairlead.agent.ruleset.Program.Choice;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Position;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeRules.Treatment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What one family's table is known to hold, and what has to be done to change it. Owned by the
 * thread of the data plane. Soft: read from the kernel at start and whenever a transaction left
 * doubt.
 *
 * <p>{@link #plan} only looks (and takes ids that the next table reading gives back); what a
 * committed transaction did is told to {@link #grown}, {@link #flipped} and {@link #shrunk}.
 */
public final class Programmed {
  private final Layout layout;
  private final String nodeName;
  private final Map<Frontend, PortState> ports;
  private final Map<Frontend, Map<ElementKey, Optional<String>>> deviating;
  private final Set<Address> vips; // in the set of the kernel
  private final Map<Address, Integer> vipUses = new HashMap<>();
  private final Set<Address> hairpins; // in the set of the kernel
  private final Map<Address, Integer> targetUses = new HashMap<>();
  private final Set<Program> programs; // in the kernel
  private final Set<Integer> memories; // in the kernel
  private final BitSet takenIds = new BitSet(); // of programs: in the kernel, or planned
  private final BitSet takenMemories = new BitSet();
  private final Set<ElementKey> missing = new LinkedHashSet<>(); // that somebody else took away
  private final Set<Address> idleVips = new HashSet<>(); // in the kernel without use
  private final Set<Address> idleHairpins = new HashSet<>();
  private final Set<Program> idlePrograms = new LinkedHashSet<>();
  private final Set<Integer> idleMemories = new LinkedHashSet<>();
  private Set<Cidr> serviceCidrs;
  private Set<Cidr> clusterCidrs;
  private final SortedMap<Long, Long> words;
  private int nextId;

  private Programmed(Layout layout, FamilyState state, String nodeName) {
    this.layout = layout;
    this.nodeName = nodeName;
    this.ports = new HashMap<>(state.ports());
    this.deviating = new HashMap<>(state.deviating());
    this.vips = new HashSet<>(state.vips());
    this.hairpins = new HashSet<>(state.hairpins());
    this.programs = new HashSet<>(state.programs().values());
    this.memories = new HashSet<>(state.memories());
    this.serviceCidrs = state.serviceCidrs();
    this.clusterCidrs = state.clusterCidrs();
    this.words = new TreeMap<>(state.words());
    int next = state.words().getOrDefault(PositionCodec.NEXT_ID, 1L).intValue();
    for (var port : ports.values()) { // an id may have been used before the word was written
      for (int id : port.ids().values()) {
        next = Integer.compareUnsigned(id, next) >= 0 ? following(id) : next;
      }
    }
    this.nextId = next;
    idleVips.addAll(vips);
    idleHairpins.addAll(hairpins);
    idleMemories.addAll(memories);
    programs.stream().filter(Program::own).forEach(idlePrograms::add);
    ports.forEach((frontend, port) -> use(frontend, port, 1));
    idlePrograms.forEach(p -> takenIds.set(id(p)));
    for (var port : ports.values()) {
      idlePrograms.remove(port.program());
      if (port.program() instanceof Program.Sticky sticky) {
        idleMemories.remove(sticky.memory());
      }
    }
    memories.forEach(takenMemories::set);
    vipUses.keySet().stream()
        .filter(vip -> !vips.contains(vip))
        .forEach(vip -> missing.add(Elements.vip(vip)));
    targetUses.keySet().stream()
        .filter(a -> !hairpins.contains(a))
        .forEach(a -> missing.add(Elements.hairpin(a)));
    vips.addAll(
        vipUses.keySet()); // from here on as if they were there: the next globals bring them
    hairpins.addAll(targetUses.keySet());
  }

  /** From a table whose chains are right ({@link #repair} has nothing to do). */
  public static Programmed of(Layout layout, TableContents contents, String nodeName) {
    return new Programmed(layout, FamilyState.of(layout, contents), nodeName);
  }

  /**
   * What makes the fixed part of a table right, in one transaction; empty where nothing is wrong. A
   * table of another format is made anew: its elements come with the next changes.
   */
  public static List<Command> repair(Layout layout, Optional<TableContents> contents) {
    if (contents.isEmpty()) {
      return created(layout);
    }
    var words = contents.get().elements(Elements.POSITION);
    var format = words.getOrDefault(Long.toString(PositionCodec.FORMAT), Optional.empty());
    if (!format.equals(Optional.of(formatText(layout)))) {
      var commands = new ArrayList<Command>(List.of(new DeleteTable()));
      commands.addAll(created(layout));
      return commands;
    }
    var sets = new ArrayList<Command>();
    var rules = new ArrayList<Command>();
    var deletions = new ArrayList<Command>();
    var dispatch = new ArrayList<Command>();
    layout
        .sets()
        .forEach((name, spec) ->
            addIf(!contents.get().sets().containsKey(name), sets, new AddSet(spec)));
    var programs = new LinkedHashMap<Integer, Program>();
    layout.fixedPrograms().forEach(p -> programs.put(p.number(), p));
    var dispatched = contents.get().elements(Elements.PROGRAMS);
    var good = new HashSet<String>();
    dispatched.forEach((number, verdict) -> {
      var program =
          verdict
              .filter(v -> v.startsWith("goto "))
              .flatMap(v -> Program.parse(v.substring("goto ".length())));
      var expected = program.map(p -> Elements.number(p.number()));
      if (expected.equals(Optional.of(number))) {
        programs.put(program.get().number(), program.get());
        good.add(number);
      } else {
        deletions.add(new DeleteElement(new ElementKey(Elements.PROGRAMS, number)));
      }
    });
    programs
        .values()
        .forEach(program -> {
          if (program instanceof Program.Sticky sticky) {
            var memory = layout.memory(sticky.memory());
            addIf(!contents.get().sets().containsKey(memory.name()), sets, new AddSet(memory));
          }
          rules.addAll(
              repairChain(
                  program.chain(), Optional.empty(), layout.rules(program), contents.get()));
          addIf(
              !good.contains(Elements.number(program.number())),
              dispatch,
              Layout.dispatch(program));
        });
    var hooks = words.getOrDefault(Long.toString(PositionCodec.HOOKS), Optional.empty());
    boolean hooked = hooks.equals(Optional.of(hooksText(layout)));
    for (var chain : layout.chains().values()) {
      boolean elsewhere =
          !hooked && chain.hook().isPresent() && contents.get().chains().containsKey(chain.name());
      if (elsewhere) { // the priority of a chain is for good
        rules.add(new DeleteChain(chain.name()));
        rules.addAll(created(chain.name(), chain.hook(), chain.rules()));
      } else {
        rules.addAll(repairChain(chain.name(), chain.hook(), chain.rules(), contents.get()));
      }
    }
    if (!hooked) {
      hooks.ifPresent(_ -> rules.add(new DeleteElement(word(PositionCodec.HOOKS))));
      rules.add(new AddElement(word(PositionCodec.HOOKS), Optional.of(hooksText(layout))));
    }
    var commands = new ArrayList<>(sets);
    commands.addAll(rules);
    commands.addAll(deletions);
    commands.addAll(dispatch);
    return commands;
  }

  private static List<Command> repairChain(
      String name, Optional<String> hook, List<Rule> rules, TableContents contents) {
    var found = Optional.ofNullable(contents.chains().get(name));
    if (found.equals(Optional.of(rules.stream().map(Rule::fingerprint).toList()))) {
      return List.of();
    }
    var commands = created(name, hook, rules);
    if (found.isPresent()) {
      commands.set(0, new FlushChain(name));
    }
    return commands;
  }

  private static List<Command> created(String name, Optional<String> hook, List<Rule> rules) {
    var commands = new ArrayList<Command>();
    commands.add(new AddChain(name, hook));
    rules.forEach(rule -> commands.add(new AddRule(name, rule)));
    return commands;
  }

  private static List<Command> created(Layout layout) {
    var commands = new ArrayList<>(layout.create());
    commands.add(new AddElement(word(PositionCodec.FORMAT), Optional.of(formatText(layout))));
    commands.add(new AddElement(word(PositionCodec.HOOKS), Optional.of(hooksText(layout))));
    return commands;
  }

  private static String hooksText(Layout layout) {
    return Integer.toUnsignedString(layout.hooks());
  }

  private static String formatText(Layout layout) {
    return Integer.toUnsignedString(layout.format());
  }

  private static <T> void addIf(boolean condition, Collection<? super T> to, T what) {
    if (condition) {
      to.add(what);
    }
  }

  public Layout layout() {
    return layout;
  }

  /** The position that the table is at, or empty where none was written yet. */
  public Optional<Position> position() {
    return PositionCodec.decode(words);
  }

  /** All frontends that the table has something of. */
  public Set<Frontend> frontends() {
    var all = new HashSet<>(ports.keySet());
    all.addAll(deviating.keySet());
    return all;
  }

  /** Number of frontends that are dispatched. */
  public int size() {
    return ports.size();
  }

  /** Why no kernel could do that, in words; empty where it can be tried. */
  public Optional<String> impossible(Frontend frontend, PortRule rule) {
    return Wanted.impossible(frontend, rule);
  }

  /**
   * What that frontend needs; empty where the table is as wanted.
   *
   * @param rule empty where the frontend is to be gone
   */
  public Optional<Unit> plan(Frontend frontend, Optional<PortRule> rule) {
    var current = Optional.ofNullable(ports.get(frontend));
    boolean known = !deviating.containsKey(frontend);
    if (known && current.isEmpty() && rule.isEmpty()) {
      return Optional.empty();
    }
    if (known
        && current.isPresent()
        && rule.isPresent()
        && Wanted.satisfies(current.get(), rule.get())) {
      return Optional.empty();
    }
    var next = rule.map(r -> next(frontend, r, current));
    var before =
        Optional.ofNullable(deviating.get(frontend))
            .or(() -> current.map(c -> c.elements(frontend)))
            .orElse(Map.of());
    Map<ElementKey, Optional<String>> after =
        next.<Map<ElementKey, Optional<String>>>map(n -> n.elements(frontend)).orElse(Map.of());
    var grow = new ArrayList<Command>();
    var flip = new ArrayList<Command>();
    var shrink = new ArrayList<Command>();
    next.ifPresent(n -> prerequisites(frontend, n, grow, flip));
    var effective = Elements.service(frontend);
    var ids = Elements.ids(frontend.protocol());
    before.forEach((element, value) -> {
      var replacement = after.get(element);
      if (replacement == null) {
        // clients stick to an id as long as it leads somewhere: it goes when the change takes
        // effect
        (element.equals(effective) || element.set().equals(ids) ? flip : shrink)
            .add(new DeleteElement(element));
      } else if (!replacement.equals(value)) {
        flip.add(new DeleteElement(element));
        flip.add(new AddElement(element, replacement));
      }
    });
    after.forEach((element, value) -> {
      if (!before.containsKey(element)) {
        (element.equals(effective) ? flip : grow).add(new AddElement(element, value));
      }
    });
    return Optional.of(new Unit(frontend, rule, next, grow, flip, shrink));
  }

  private void prerequisites(
      Frontend frontend, PortState next, List<Command> grow, List<Command> flip) {
    var program = next.program();
    if (program.own() && !programs.contains(program)) {
      grow.addAll(layout.createProgram(program));
      grow.add(Layout.dispatch(program));
    }
    var seen = new HashSet<Address>();
    for (var target : next.slots()) {
      if (!hairpins.contains(target.address()) && seen.add(target.address())) {
        grow.add(new AddElement(Elements.hairpin(target.address()), Optional.empty()));
      }
    }
    if (!vips.contains(frontend.vip())) {
      flip.add(new AddElement(Elements.vip(frontend.vip()), Optional.empty()));
    }
  }

  /** The state to come, as close to the current one as possible. */
  private PortState next(Frontend frontend, PortRule rule, Optional<PortState> current) {
    var targets = Slots.distinct(rule.targets());
    var kept = current.map(PortState::program).filter(p -> Wanted.fits(p, rule, targets.size()));
    var program = kept.orElseGet(() -> program(frontend, rule, targets.size(), current));
    if (rule.treatment() != Treatment.BALANCE) {
      return new PortState(program, List.of(), Map.of());
    }
    var slots =
        program.slots() == Maglev.SIZE && Wanted.choice(rule, targets.size()) == Choice.HASH
            ? Maglev.table(targets)
            : Slots.assign(currentSlots(current), targets, rotation(frontend));
    return new PortState(
        program, slots, program instanceof Program.Sticky ? ids(slots, current) : Map.of());
  }

  /** A table of hashes is no order of targets to keep. */
  private static List<Target> currentSlots(Optional<PortState> current) {
    return current
        .map(PortState::slots)
        .filter(slots -> new HashSet<>(slots).size() == slots.size())
        .orElse(List.of());
  }

  private Program program(
      Frontend frontend, PortRule rule, int targets, Optional<PortState> current) {
    if (rule.treatment() != Treatment.BALANCE) {
      return rule.treatment() == Treatment.REJECT ? new Program.Reject() : new Program.Drop();
    }
    var choice = Wanted.choice(rule, targets);
    int slots = choice == Choice.HASH ? Maglev.SIZE : targets;
    if (rule.affinity().isPresent()) {
      int memory =
          current.map(PortState::program).filter(Program.Sticky.class::isInstance).isPresent()
              ? ((Program.Sticky) current.get().program()).memory()
              : take(takenMemories);
      return new Program.Sticky(
          choice, slots, Wanted.timeoutSeconds(rule), frontend.protocol(), memory, take(takenIds));
    }
    return switch (choice) {
      case RANDOM -> new Program.Random(slots);
      case HASH -> new Program.Hash();
      case ROUND_ROBIN -> new Program.RoundRobin(slots, frontend.protocol(), take(takenIds));
    };
  }

  private static int take(BitSet taken) {
    int id = taken.nextClearBit(1);
    if (id > Program.MAX_OWN) {
      throw new IllegalStateException(
          "more than " + Program.MAX_OWN + " frontends with a program of their own");
    }
    taken.set(id);
    return id;
  }

  /**
   * Who stays keeps its id. New ids were never used before, so no client is remembered for them.
   */
  private Map<Target, Integer> ids(List<Target> slots, Optional<PortState> current) {
    var ids = new HashMap<Target, Integer>();
    for (var target : new LinkedHashSet<>(slots)) {
      var kept = current.flatMap(c -> Optional.ofNullable(c.ids().get(target)));
      ids.put(target, kept.orElseGet(this::nextEndpointId));
    }
    return ids;
  }

  private int nextEndpointId() {
    int id = nextId;
    nextId = following(id);
    return id;
  }

  private static int following(int id) {
    return id == -2 ? 1 : id + 1; // -1 and 0 have names of their own in nft
  }

  private static int id(Program program) {
    return program.number() & 0xffff;
  }

  private int rotation(Frontend frontend) {
    return (nodeName + "|" + frontend.vip() + "|" + frontend.protocol() + "|" + frontend.port())
            .hashCode()
        >>> 1;
  }

  /**
   * Programs that those units share and the table lacks; to be committed before anything else of
   * them.
   */
  public List<Command> sharedPrograms(Collection<Unit> units) {
    var missing = new LinkedHashSet<Program>();
    for (var unit : units) {
      unit.next()
          .map(PortState::program)
          .filter(p -> !p.own() && !programs.contains(p))
          .ifPresent(missing::add);
    }
    var commands = new ArrayList<Command>();
    missing.forEach(program -> commands.addAll(layout.createProgram(program)));
    missing.forEach(program -> commands.add(Layout.dispatch(program)));
    return commands;
  }

  /**
   * The blocks of addresses where they changed: before the units take effect, and by themselves, as
   * intervals are the one kind of elements that is costly. Told to {@link #flipped} with the
   * globals.
   */
  public List<Command> blocks(NodeRules view) {
    var commands = new ArrayList<Command>();
    cidrs(Elements.SERVICE_CIDRS, serviceCidrs, wantedServiceCidrs(view), commands);
    cidrs(Elements.CLUSTER_CIDRS, clusterCidrs, wantedClusterCidrs(view), commands);
    return ordered(commands);
  }

  /** What takes effect with the last of the units: the position. */
  public List<Command> globals(Optional<Position> position) {
    var commands = new ArrayList<Command>();
    missing.forEach(element -> commands.add(new AddElement(element, Optional.empty())));
    var wanted = wantedWords(position);
    wanted.forEach((key, value) -> word(key, Optional.of(value), commands));
    words.keySet().stream()
        .filter(key ->
            position.isPresent() && PositionCodec.isPosition(key) && !wanted.containsKey(key))
        .forEach(key -> word(key, Optional.empty(), commands));
    return commands;
  }

  private Set<Cidr> wantedServiceCidrs(NodeRules view) {
    return Wanted.cidrs(view.serviceCidrs(), layout.family());
  }

  private Set<Cidr> wantedClusterCidrs(NodeRules view) {
    return Wanted.clusterCidrs(view, layout.family());
  }

  private SortedMap<Long, Long> wantedWords(Optional<Position> position) {
    SortedMap<Long, Long> wanted = position.map(PositionCodec::encode).orElseGet(TreeMap::new);
    if (nextId != 1) {
      wanted.put(PositionCodec.NEXT_ID, Integer.toUnsignedLong(nextId));
    }
    return wanted;
  }

  private static void cidrs(String set, Set<Cidr> before, Set<Cidr> after, List<Command> commands) {
    before.stream()
        .filter(c -> !after.contains(c))
        .forEach(c -> commands.add(new DeleteElement(Elements.cidr(set, c))));
    after.stream()
        .filter(c -> !before.contains(c))
        .forEach(c -> commands.add(new AddElement(Elements.cidr(set, c), Optional.empty())));
  }

  private void word(long key, Optional<Long> value, List<Command> commands) {
    var before = Optional.ofNullable(words.get(key));
    if (!before.equals(value)) {
      before.ifPresent(_ -> commands.add(new DeleteElement(word(key))));
      value.ifPresent(v -> commands.add(new AddElement(word(key), Optional.of(Long.toString(v)))));
    }
  }

  private static ElementKey word(long key) {
    return new ElementKey(Elements.POSITION, Long.toString(key));
  }

  /**
   * A transaction that changes nothing, to tell a table that is out of order from an element that
   * is.
   */
  public List<Command> nothing() {
    return List.of(new AddElement(word(PositionCodec.FORMAT), Optional.of(formatText(layout))));
  }

  /** The growth of those units was committed, with their shared programs. */
  public void grown(Collection<Unit> units) {
    for (var unit : units) {
      unit.next()
          .ifPresent(next -> {
            programs.add(next.program());
            if (next.program() instanceof Program.Sticky sticky) {
              memories.add(sticky.memory());
            }
            next.slots().forEach(target -> hairpins.add(target.address()));
          });
    }
  }

  /** Those units took effect. */
  public void flipped(Collection<Unit> units) {
    for (var unit : units) {
      var frontend = unit.frontend();
      var before = Optional.ofNullable(ports.remove(frontend));
      before.ifPresent(b -> use(frontend, b, -1));
      unit.next()
          .ifPresent(next -> {
            ports.put(frontend, next);
            use(frontend, next, 1);
            vips.add(frontend.vip());
          });
      before.ifPresent(b -> retire(b.program(), unit.next().map(PortState::program)));
      deviating.remove(frontend);
    }
  }

  /** The globals were committed. */
  public void flipped(NodeRules view, Optional<Position> position) {
    missing.clear();
    serviceCidrs = wantedServiceCidrs(view);
    clusterCidrs = wantedClusterCidrs(view);
    if (position.isPresent()) {
      words.keySet().removeIf(PositionCodec::isPosition);
    }
    words.putAll(wantedWords(position));
  }

  private void use(Frontend frontend, PortState state, int by) {
    count(vipUses, idleVips, frontend.vip(), by);
    var addresses = new HashSet<Address>();
    state.slots().forEach(target -> addresses.add(target.address()));
    addresses.forEach(address -> count(targetUses, idleHairpins, address, by));
  }

  private static void count(
      Map<Address, Integer> uses, Set<Address> idle, Address address, int by) {
    int now = uses.getOrDefault(address, 0) + by;
    if (now == 0) {
      uses.remove(address);
      idle.add(address);
    } else {
      uses.put(address, now);
      idle.remove(address);
    }
  }

  private void retire(Program before, Optional<Program> after) {
    if (before.own() && !after.equals(Optional.of(before))) {
      idlePrograms.add(before);
    }
    if (before instanceof Program.Sticky sticky
        && !(after.isPresent()
            && after.get() instanceof Program.Sticky next
            && next.memory() == sticky.memory())) {
      idleMemories.add(sticky.memory());
    }
  }

  /** The growth of that unit was refused: what it would have taken is free again. */
  public void abandoned(Unit unit) {
    var program = unit.next().map(PortState::program).filter(p -> p.own() && !programs.contains(p));
    program.ifPresent(p -> {
      takenIds.clear(id(p));
      if (p instanceof Program.Sticky sticky && !memories.contains(sticky.memory())) {
        takenMemories.clear(sticky.memory());
      }
    });
  }

  /** What nothing refers to any more after those units took effect; then tell {@link #shrunk}. */
  public List<Command> shrink(Collection<Unit> units) {
    var commands = new ArrayList<Command>();
    units.forEach(unit -> commands.addAll(unit.shrink()));
    idleVips.stream()
        .filter(vips::contains)
        .forEach(vip -> commands.add(new DeleteElement(Elements.vip(vip))));
    idleHairpins.stream()
        .filter(hairpins::contains)
        .forEach(address -> commands.add(new DeleteElement(Elements.hairpin(address))));
    return commands;
  }

  /** The shrinking was committed. */
  public void shrunk() {
    vips.removeAll(idleVips);
    idleVips.clear();
    hairpins.removeAll(idleHairpins);
    idleHairpins.clear();
  }

  /**
   * Own chains that nothing goes to any more, and memories that no chain uses. They are deleted in
   * a transaction after the one that took away what led there: a packet may be on its way. Then
   * tell {@link #cleaned}.
   */
  public Leftovers leftovers() {
    return new Leftovers(List.copyOf(idlePrograms), List.copyOf(idleMemories));
  }

  /** What can go. */
  public record Leftovers(List<Program> programs, List<Integer> memories) {
    /** How to delete it. */
    public List<Command> commands() {
      var commands = new ArrayList<Command>();
      for (var program : programs) {
        commands.add(new DeleteElement(Elements.program(program)));
        commands.add(new DeleteChain(program.chain()));
      }
      memories.forEach(memory -> commands.add(new DeleteSet(Elements.affinity(memory))));
      return commands;
    }
  }

  /** Those were deleted. */
  public void cleaned(Leftovers leftovers) {
    for (var program : leftovers.programs()) {
      programs.remove(program);
      idlePrograms.remove(program);
      takenIds.clear(id(program));
    }
    for (var memory : leftovers.memories()) {
      memories.remove(memory);
      idleMemories.remove(memory);
      takenMemories.clear(memory);
    }
  }

  /**
   * Commands in the order in which a transaction can do them; an element that several want is added
   * once.
   */
  public static List<Command> ordered(Collection<? extends Command> commands) {
    var elements = new HashSet<Command>();
    return commands.stream()
        .filter(c -> !(c instanceof AddElement) || elements.add(c))
        .sorted(Comparator.<Command>comparingInt(Programmed::rank).thenComparing(Programmed::setOf))
        .map(Command.class::cast)
        .toList();
  }

  private static int rank(Command command) {
    return switch (command) {
      case Command.AddTable(), DeleteTable(), AddSet _, AddChain _, FlushChain _, AddRule _ -> 0;
      case DeleteElement _ -> 1;
      case AddElement _ -> 2;
      case DeleteChain _ -> 3;
      case DeleteSet _ -> 4;
    };
  }

  /** Elements of one set side by side: they become one line. */
  private static String setOf(Command command) {
    return switch (command) {
      case DeleteElement(var element) -> element.set();
      case AddElement(var element, _) -> element.set();
      case Command.AddTable(),
          DeleteTable(),
          AddSet _,
          DeleteSet _,
          AddChain _,
          FlushChain _,
          AddRule _,
          DeleteChain _ ->
          "";
    };
  }
}
