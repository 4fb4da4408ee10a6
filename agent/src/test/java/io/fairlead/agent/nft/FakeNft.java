package io.fairlead.agent.nft;

import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.Command.AddChain;
import io.fairlead.agent.ruleset.Command.AddElement;
import io.fairlead.agent.ruleset.Command.AddRule;
import io.fairlead.agent.ruleset.Command.AddSet;
import io.fairlead.agent.ruleset.Command.AddTable;
import io.fairlead.agent.ruleset.Command.DeleteChain;
import io.fairlead.agent.ruleset.Command.DeleteElement;
import io.fairlead.agent.ruleset.Command.DeleteSet;
import io.fairlead.agent.ruleset.Command.DeleteTable;
import io.fairlead.agent.ruleset.Command.ElementKey;
import io.fairlead.agent.ruleset.Command.FlushChain;
import io.fairlead.agent.ruleset.Elements;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.TableContents;
import io.fairlead.core.model.Family;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import java.util.function.Predicate;

/**
 * nftables in memory: our tables as the kernel keeps them. Transactional, refuses what the kernel
 * refuses, in its words. Survives {@link #close}, as tables do: open a data plane on the same fake
 * to restart it. Safe to use from tests while a data plane works.
 */
public final class FakeNft implements NftGateway {
  /** Guards the fields below. */
  private final ReentrantLock lock = new ReentrantLock();

  private Map<Family, Table> tables = new TreeMap<>();
  private long generation;
  private Predicate<Command> refuses = _ -> false;
  private final Map<Family, String> away = new TreeMap<>();
  private BiConsumer<Family, TableContents> afterCommit = (_, _) -> {};
  private int commits;
  private boolean losesAnswer;

  private record Table(
      Map<String, List<String>> chains, Map<String, Map<String, Optional<String>>> sets) {
    Table() {
      this(new LinkedHashMap<>(), new LinkedHashMap<>());
    }

    Table copy() {
      var copy = new Table();
      chains.forEach((name, rules) -> copy.chains.put(name, new ArrayList<>(rules)));
      sets.forEach((name, elements) -> copy.sets.put(name, new HashMap<>(elements)));
      return copy;
    }
  }

  /** From now on transactions with such a command are refused. */
  public void refuse(Predicate<Command> command) {
    locked(() -> refuses = command);
  }

  /** The next transaction is done, but who asked for it does not learn that. */
  public void loseNextAnswer() {
    locked(() -> losesAnswer = true);
  }

  /** From now on everything fails with these words, or nothing any more. */
  public void fail(Optional<String> words) {
    for (var family : Family.values()) {
      failFamily(family, words);
    }
  }

  /** From now on everything of that family fails with these words, or nothing any more. */
  public void failFamily(Family family, Optional<String> words) {
    locked(() -> {
      away.remove(family);
      words.ifPresent(w -> away.put(family, w));
    });
  }

  /** Called after each commit with the table as it then is. */
  public void afterCommit(BiConsumer<Family, TableContents> observer) {
    locked(() -> afterCommit = observer);
  }

  /** Number of transactions so far that changed something. */
  public int commits() {
    var result = new int[1];
    locked(() -> result[0] = commits);
    return result[0];
  }

  /** Somebody else deletes all tables. */
  public void flushRuleset() {
    locked(() -> {
      tables.clear();
      generation++;
    });
  }

  /** Somebody else empties a chain of ours. */
  public void flushChain(Family family, String chain) {
    locked(() -> {
      chain(table(family), chain).clear();
      generation++;
    });
  }

  /** Somebody else deletes an element of ours. */
  public void deleteElement(Family family, ElementKey element) {
    locked(() -> {
      set(table(family), element.set()).remove(element.key());
      generation++;
    });
  }

  /** Somebody else changes what is none of our business. */
  public void foreignChange() {
    locked(() -> generation++);
  }

  @Override
  public void commit(Layout layout, List<Command> commands) {
    locked(() -> {
      checkPresent(layout);
      var changed = new TreeMap<Family, Table>(tables);
      Optional.ofNullable(tables.get(layout.family()))
          .ifPresent(t -> changed.put(layout.family(), t.copy()));
      for (var command : commands) {
        if (refuses.test(command)) {
          throw refused("Could not process rule: Numerical result out of range");
        }
        execute(changed, layout.family(), command);
      }
      tables = changed;
      generation++;
      commits++;
      read(layout).ifPresent(contents -> afterCommit.accept(layout.family(), contents));
      if (losesAnswer) {
        losesAnswer = false;
        throw new GatewayException(Outcome.UNKNOWN, "the answer was lost");
      }
    });
  }

  private static void execute(Map<Family, Table> tables, Family family, Command command) {
    if (command instanceof AddTable) {
      tables.putIfAbsent(family, new Table());
      return;
    }
    var table = tables.get(family);
    if (table == null) {
      throw missing();
    }
    switch (command) {
      case AddTable() -> {}
      case DeleteTable() -> tables.remove(family);
      case AddSet(var spec) -> table.sets().putIfAbsent(spec.name(), new HashMap<>());
      case DeleteSet(var name) -> {
        if (table.sets().remove(name) == null) {
          throw missing();
        }
      }
      case AddChain(var name, _) -> table.chains().putIfAbsent(name, new ArrayList<>());
      case FlushChain(var name) -> chain(table, name).clear();
      case AddRule(var name, var rule) -> {
        if (rule.text().contains("goto ")
            && !table.chains().containsKey(rule.text().replaceAll(".*goto (\\S+).*", "$1"))) {
          throw missing();
        }
        chain(table, name).add(rule.fingerprint());
      }
      case DeleteChain(var name) -> {
        if (set(table, Elements.PROGRAMS).containsValue(Optional.of("goto " + name))) {
          throw refused("Could not process rule: Device or resource busy");
        }
        if (table.chains().remove(name) == null) {
          throw missing();
        }
      }
      case AddElement(var element, var value) -> {
        value
            .filter(v -> v.startsWith("goto "))
            .ifPresent(v -> chain(table, v.substring("goto ".length())));
        var before = set(table, element.set()).putIfAbsent(element.key(), value);
        if (before != null && !before.equals(value)) {
          throw refused("Could not process rule: File exists");
        }
      }
      case DeleteElement(var element) -> {
        if (set(table, element.set()).remove(element.key()) == null) {
          throw missing();
        }
      }
    }
  }

  private Table table(Family family) {
    return Optional.ofNullable(tables.get(family)).orElseThrow(FakeNft::missing);
  }

  private static List<String> chain(Table table, String name) {
    return Optional.ofNullable(table.chains().get(name)).orElseThrow(FakeNft::missing);
  }

  private static Map<String, Optional<String>> set(Table table, String name) {
    return Optional.ofNullable(table.sets().get(name)).orElseThrow(FakeNft::missing);
  }

  private static GatewayException missing() {
    return refused("Could not process rule: No such file or directory");
  }

  private static GatewayException refused(String words) {
    return new GatewayException(Outcome.KNOWN_FAILED, words);
  }

  private void checkPresent(Layout layout) {
    Optional.ofNullable(away.get(layout.family()))
        .ifPresent(words -> {
          throw refused(words);
        });
  }

  @Override
  public Optional<TableContents> read(Layout layout) {
    var found = new ArrayList<TableContents>();
    locked(() -> {
      checkPresent(layout);
      Optional.ofNullable(tables.get(layout.family()))
          .map(Table::copy)
          .ifPresent(t -> found.add(new TableContents(t.chains(), t.sets())));
    });
    return found.stream().findFirst();
  }

  @Override
  public OptionalLong generation() {
    var result = new long[1];
    locked(() -> result[0] = generation);
    return OptionalLong.of(result[0]);
  }

  @Override
  public void close() {
    // the tables stay
  }

  private void locked(Runnable work) {
    lock.lock();
    try {
      work.run();
    } finally {
      lock.unlock();
    }
  }
}
