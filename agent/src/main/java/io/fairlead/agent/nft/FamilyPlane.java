package io.fairlead.agent.nft;

import io.fairlead.agent.nft.ApplyResult.FamilyResult;
import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.FamilyState;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.Programmed;
import io.fairlead.agent.ruleset.Unit;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The table of one family: brings it to a view in transactions. Owned by the data plane's thread.
 * What it knows of the kernel is soft and read again whenever a transaction left doubt; the
 * quarantine is lost with the process and then found again.
 */
final class FamilyPlane {
  private static final Logger LOG = LoggerFactory.getLogger(FamilyPlane.class);

  /**
   * Commands of one transaction, about: beyond, a message to the kernel gets large without getting
   * cheaper.
   */
  private static final int CHUNK = 20_000;

  private static final int LEFTOVERS =
      64; // chains without use that are worth a transaction of their own

  /** How often the table is read where the kernel does not tell that something changed. */
  private static final Duration BLIND = Duration.ofSeconds(30);

  private final NftGateway nft;
  private final Layout layout;
  private final String nodeName;
  private final Time time;
  private final Map<Frontend, Quarantined> quarantine = new LinkedHashMap<>();
  private Optional<Programmed> programmed = Optional.empty();
  private Optional<Position> position = Optional.empty(); // as of the last reading or commit
  private OptionalLong generation =
      OptionalLong.empty(); // of the ruleset, had nobody but this family changed it
  private long checkAfterNanos;
  private int commands;
  private int transactions;
  private boolean doubt; // whether the kernel holds something that is not known here

  private record Quarantined(Optional<PortRule> rule, String words) {}

  FamilyPlane(NftGateway nft, Layout layout, String nodeName, Time time) {
    this.nft = nft;
    this.layout = layout;
    this.nodeName = nodeName;
    this.time = time;
    this.checkAfterNanos = time.nanoTime();
  }

  /** The position in the kernel's table. */
  Optional<Position> position() {
    return position;
  }

  List<Refused> quarantined() {
    var refused = new ArrayList<Refused>();
    quarantine.forEach((frontend, q) -> refused.add(new Refused(frontend, q.words())));
    return refused;
  }

  /** Reads the table and makes its fixed part right; its elements stay as they are. */
  Programmed load() {
    generation = nft.generation();
    var contents = nft.read(layout);
    var repair = Programmed.repair(layout, contents);
    if (!repair.isEmpty()) {
      LOG.atInfo()
          .addKeyValue("event", contents.isPresent() ? "table.repaired" : "table.created")
          .addKeyValue("family", layout.family())
          .addKeyValue("commands", repair.size())
          .log("Made the fixed part of the table right");
      commit(repair);
      contents = nft.read(layout);
    }
    var loaded = Programmed.of(layout, contents.orElseThrow(() -> gone()), nodeName);
    programmed = Optional.of(loaded);
    position = loaded.position();
    return loaded;
  }

  private static GatewayException gone() {
    return new GatewayException(
        GatewayException.Outcome.KNOWN_FAILED,
        "the table disappeared right after it was made: does something else delete it?");
  }

  /** What the kernel holds, or empty where there is no table. */
  Optional<FamilyState> read() {
    return nft.read(layout).map(contents -> FamilyState.of(layout, contents));
  }

  /** Brings everything, or only {@code changed}, to the view. */
  FamilyResult apply(NodeRules view, Optional<Set<Frontend>> changed, Position to) {
    long start = time.nanoTime();
    commands = 0;
    transactions = 0;
    boolean known = programmed.isPresent();
    try {
      try {
        return committed(attempt(view, changed, to), start);
      } catch (GatewayException e) {
        programmed = Optional.empty();
        if (!known) {
          throw e;
        }
        // what was known may be wrong: somebody deleted or changed our table
        LOG.atWarn()
            .addKeyValue("event", "table.doubtful")
            .addKeyValue("family", layout.family())
            .addKeyValue("words", e.getMessage())
            .log("A transaction was refused or is in doubt; reading the table again");
        return committed(attempt(view, Optional.empty(), to), start);
      }
    } catch (GatewayException e) {
      programmed = Optional.empty();
      return new FamilyResult.Failed(message(e), since(start));
    }
  }

  private FamilyResult committed(int frontends, long start) {
    return new FamilyResult.Committed(
        commands, transactions, frontends, quarantined(), since(start));
  }

  /** Number of frontends that are programmed afterwards. */
  private int attempt(NodeRules view, Optional<Set<Frontend>> changed, Position to) {
    var known = programmed;
    var table = known.isPresent() ? known.get() : load();
    var leftovers = table.leftovers();
    var units = plan(table, view, known.flatMap(_ -> changed));
    var shared = table.sharedPrograms(units);
    if (!shared.isEmpty()) {
      commit(shared);
    }
    var grown = inChunks(table, units, Unit::grow, List.of(), table::abandoned, table::grown);
    var flipped = new ArrayList<Unit>();
    doubt = false;
    commit(table.blocks(view));
    inChunks(
        table,
        grown,
        Unit::flip,
        table.globals(Optional.of(to)),
        _ -> doubt = true, // its growth is in the kernel without use
        group -> {
          table.flipped(group);
          flipped.addAll(group);
        });
    table.flipped(view, Optional.of(to));
    position = table.position();
    var shrink = new ArrayList<>(table.shrink(flipped));
    boolean clean = !flipped.isEmpty() || leftovers.programs().size() > LEFTOVERS;
    if (clean) {
      shrink.addAll(leftovers.commands());
    }
    try {
      for (int from = 0; from < shrink.size(); from += CHUNK) {
        commit(shrink.subList(from, Math.min(shrink.size(), from + CHUNK)));
      }
      table.shrunk();
      if (clean) {
        table.cleaned(leftovers);
      }
    } catch (GatewayException e) { // the view is in effect all the same
      LOG.atWarn()
          .addKeyValue("event", "shrink.refused")
          .addKeyValue("family", layout.family())
          .addKeyValue("words", e.getMessage())
          .log("Elements without use stay until the table is read again");
      doubt = true;
    }
    if (doubt) {
      programmed = Optional.empty();
    }
    return table.size();
  }

  private List<Unit> plan(Programmed table, NodeRules view, Optional<Set<Frontend>> changed) {
    Collection<Frontend> candidates;
    if (changed.isPresent()) {
      candidates = changed.get();
    } else {
      candidates = new LinkedHashSet<>(view.ports().keySet());
      candidates.addAll(table.frontends());
      candidates.addAll(quarantine.keySet());
    }
    var units = new ArrayList<Unit>();
    for (var frontend : candidates) {
      if (frontend.vip().family() != layout.family()) {
        continue;
      }
      var rule = Optional.ofNullable(view.ports().get(frontend));
      var refused = Optional.ofNullable(quarantine.get(frontend));
      if (refused.map(Quarantined::rule).equals(Optional.of(rule))) {
        continue; // nothing new to try
      }
      quarantine.remove(frontend);
      var impossible = rule.flatMap(r -> table.impossible(frontend, r));
      if (impossible.isPresent()) {
        refuse(frontend, rule, impossible.get());
      } else {
        table.plan(frontend, rule).ifPresent(units::add);
      }
    }
    return units;
  }

  /**
   * Commits one step of all units in transactions of bounded size, a unit never divided; {@code
   * last} goes with the last of them. Who is refused is told apart from the others.
   */
  private List<Unit> inChunks(
      Programmed table,
      List<Unit> units,
      Function<Unit, List<Command>> step,
      List<Command> last,
      Consumer<Unit> onRefused,
      Consumer<Collection<Unit>> onDone) {
    var accepted = new ArrayList<Unit>();
    for (int from = 0; from < units.size() || from == 0; ) {
      int size = 0;
      int to = from;
      while (to < units.size() && (size == 0 || size + step.apply(units.get(to)).size() <= CHUNK)) {
        size += step.apply(units.get(to)).size();
        to++;
      }
      var group = units.subList(from, to);
      var extra = to == units.size() ? last : List.<Command>of();
      try {
        commit(all(group, step, extra));
        onDone.accept(group);
        accepted.addAll(group);
      } catch (GatewayException e) {
        endInDoubt(e);
        probe(table, e);
        isolate(table, group, step, message(e), onRefused, onDone, accepted);
        commit(extra);
      }
      from = Math.max(to, 1);
    }
    return accepted;
  }

  /** What may have been done is not done again before the table is read. */
  private static void endInDoubt(GatewayException e) {
    if (e.outcome() == GatewayException.Outcome.UNKNOWN) {
      throw e;
    }
  }

  /** Ends the attempt unless it is the elements that are refused. */
  private void probe(Programmed table, GatewayException refused) {
    try {
      nft.commit(layout, table.nothing());
    } catch (GatewayException _) {
      throw refused;
    }
  }

  /**
   * Halves the group until each refusal is known by its frontend: a few more transactions for each
   * that is refused.
   */
  private void isolate(
      Programmed table,
      List<Unit> group,
      Function<Unit, List<Command>> step,
      String words,
      Consumer<Unit> onRefused,
      Consumer<Collection<Unit>> onDone,
      List<Unit> accepted) {
    if (group.isEmpty()) {
      return;
    }
    if (group.size() == 1) {
      var unit = group.getFirst();
      onRefused.accept(unit);
      refuse(unit.frontend(), unit.rule(), words);
      return;
    }
    int middle = group.size() / 2;
    for (var half : List.of(group.subList(0, middle), group.subList(middle, group.size()))) {
      try {
        commit(all(half, step, List.of()));
        onDone.accept(half);
        accepted.addAll(half);
      } catch (GatewayException e) {
        endInDoubt(e);
        isolate(table, half, step, message(e), onRefused, onDone, accepted);
      }
    }
  }

  private void refuse(Frontend frontend, Optional<PortRule> rule, String words) {
    LOG.atWarn()
        .addKeyValue("event", "frontend.refused")
        .addKeyValue("frontend", frontend)
        .addKeyValue("words", words)
        .log("The kernel does not take this frontend; it stays as it was");
    quarantine.put(frontend, new Quarantined(rule, words));
  }

  /**
   * Whether somebody else changed nftables since the last look, so that {@link #recheck} is worth
   * its cost. Everybody's transactions count, so on a busy host it is often true without harm: a
   * reading may take a tenth of the time at most.
   */
  boolean suspicious() {
    var now = nft.generation();
    if (programmed.isPresent() && now.isPresent() && now.equals(generation)) {
      return false;
    }
    return time.nanoTime() - checkAfterNanos >= 0;
  }

  /** Reads the table and brings it back to what it should be. */
  FamilyResult recheck(NodeRules view, Position to) {
    long start = time.nanoTime();
    programmed = Optional.empty();
    var result = apply(view, Optional.empty(), to);
    long took = time.nanoTime() - start;
    checkAfterNanos =
        time.nanoTime() + Math.max(10 * took, generation.isPresent() ? 0 : BLIND.toNanos());
    return result;
  }

  /** Deletes the table with everything in it; whether there was one. */
  boolean uninstall() {
    programmed = Optional.empty();
    position = Optional.empty();
    quarantine.clear();
    if (nft.read(layout).isEmpty()) {
      return false;
    }
    commit(List.of(new Command.DeleteTable()));
    return true;
  }

  private void commit(List<Command> transaction) {
    if (transaction.isEmpty()) {
      return;
    }
    nft.commit(layout, transaction);
    commands += transaction.size();
    transactions++;
    counted(1);
  }

  /** Transactions since the beginning of the last call. */
  int transactions() {
    return transactions;
  }

  /** So many transactions of this process, whichever family's, are no reason for suspicion. */
  void counted(int number) {
    generation =
        generation.isPresent()
            ? OptionalLong.of((generation.getAsLong() + number) & 0xffff_ffffL)
            : generation;
  }

  private static List<Command> all(
      List<Unit> units, Function<Unit, List<Command>> step, List<Command> extra) {
    var commands = new ArrayList<Command>();
    units.forEach(unit -> commands.addAll(step.apply(unit)));
    commands.addAll(extra);
    return Programmed.ordered(commands);
  }

  private static String message(GatewayException e) {
    return String.valueOf(e.getMessage());
  }

  private Duration since(long start) {
    return Duration.ofNanos(time.nanoTime() - start);
  }
}
