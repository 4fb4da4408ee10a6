package io.fairlead.testbed.history;

import io.fairlead.testbed.history.Linearizability.Call;
import io.fairlead.testbed.history.Linearizability.Model;
import io.fairlead.testbed.history.Linearizability.Verdict;
import io.fairlead.testbed.history.Operation.Outcome;
import io.fairlead.testbed.history.Operation.Seen;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Whether a history is linearizable for each name and for each address, and whether what was seen
 * fits together: one writer for each version, one address for each Service. The log is asked only
 * where an address was never shown to anybody.
 */
public final class HistoryCheck {
  private static final int STEPS = 2_000_000;
  private static final int SHOWN = 12;

  private final String namespace;
  private final List<Call<Operation>> calls;
  private final List<LoggedWrite> logged;
  private final List<String> faults = new ArrayList<>();

  private HistoryCheck(String namespace, List<Call<Operation>> calls, List<LoggedWrite> logged) {
    this.namespace = namespace;
    this.calls = List.copyOf(calls);
    this.logged = List.copyOf(logged);
  }

  /**
   * What is wrong with it, in words; empty: nothing.
   *
   * @param logged what the log holds of that namespace
   */
  public static List<String> faults(
      String namespace, List<Call<Operation>> calls, List<LoggedWrite> logged) {
    var check = new HistoryCheck(namespace, calls, logged);
    check.run();
    return List.copyOf(check.faults);
  }

  private void run() {
    var seen = calls.stream().flatMap(call -> call.operation().seen().stream()).toList();
    var writers = new HashMap<String, String>();
    var versions = new HashMap<String, String>();
    var addresses = new HashMap<String, String>();
    for (var object : seen) {
      same("writers of version " + object.version(), writers, object.version(), object.writer());
      same("versions written by " + object.writer(), versions, object.writer(), object.version());
      same("addresses of uid " + object.uid(), addresses, object.uid(), object.address());
    }
    var created = created(seen, addresses);
    for (var name : names()) {
      search(
          "name " + name,
          new ObjectModel(name, writers),
          ofName(name),
          object -> object.name().equals(name));
    }
    for (var address : new TreeSet<>(addresses.values())) {
      var model = new AddressModel(address, namespace, addresses, created);
      search(
          "address " + address,
          model,
          calls.stream().filter(call -> model.concerns(call.operation())).toList(),
          object -> object.address().equals(address));
    }
  }

  private void same(String what, Map<String, String> known, String key, String value) {
    var before = known.putIfAbsent(key, value);
    if (before != null && !before.equals(value)) {
      faults.add("two " + what + ": " + before + ", " + value);
    }
  }

  /** Addresses by the request that created; completes what is known of uids from the log. */
  private Map<String, String> created(List<Seen> seen, Map<String, String> addresses) {
    var created = new HashMap<String, String>();
    Stream.concat(seen.stream(), logged.stream().flatMap(write -> write.stored().stream()))
        .forEach(object -> {
          created.putIfAbsent(object.writer(), object.address());
          addresses.putIfAbsent(object.uid(), object.address());
        });
    return created;
  }

  private SortedSet<String> names() {
    var names = new TreeSet<String>();
    calls.forEach(call -> call.operation().name().ifPresent(names::add));
    return names;
  }

  private List<Call<Operation>> ofName(String name) {
    return calls.stream()
        .filter(call -> !(call.operation().outcome() instanceof Outcome.Nothing))
        .filter(call -> call.operation().name().orElse(name).equals(name))
        .toList();
  }

  private <S> void search(
      String what,
      Model<S, Operation> model,
      List<Call<Operation>> history,
      Predicate<Seen> concerned) {
    switch (Linearizability.check(model, history, STEPS)) {
      case Verdict.Linearizable<Operation> _ -> {}
      case Verdict.Impossible<Operation>(var longest, var next) ->
          faults.add(
              "%s: no order explains the %d calls; explained are %d of them, none of these can follow:%n  %s%n the last of those, latest first:%n  %s"
                  .formatted(
                      what,
                      history.size(),
                      longest.size(),
                      lines(next, concerned),
                      lines(
                          longest
                              .subList(Math.max(0, longest.size() - SHOWN), longest.size())
                              .reversed(),
                          concerned)));
      case Verdict.Undecided<Operation>(int steps) ->
          faults.add(
              "%s: undecided after %d steps, %d calls".formatted(what, steps, history.size()));
    }
  }

  private static String lines(List<Call<Operation>> calls, Predicate<Seen> concerned) {
    return String.join(
        "\n  ", calls.stream().map(call -> HistoryCheck.line(call, concerned)).toList());
  }

  /** Of a list only what the fault is about: it shows in every search. */
  private static String line(Call<Operation> call, Predicate<Seen> concerned) {
    if (!(call.operation().outcome() instanceof Outcome.Listed(var objects))) {
      return line(call);
    }
    var shown = new Outcome.Listed(objects.stream().filter(concerned).toList());
    return line(
            new Call<>(
                new Operation(call.operation().id(), call.operation().request(), shown),
                call.invoked(),
                call.answered()))
        + " of "
        + objects.size();
  }

  /** Times in milliseconds. */
  static String line(Call<Operation> call) {
    return "%.3f-%s %s -> %s [%s]"
        .formatted(
            call.invoked() / 1e6,
            call.answered().isPresent() ? "%.3f".formatted(call.answered().getAsLong() / 1e6) : "?",
            call.operation().request(),
            call.operation().outcome(),
            call.operation().id());
  }
}
