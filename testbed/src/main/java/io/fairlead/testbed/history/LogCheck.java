package io.fairlead.testbed.history;

import io.fairlead.testbed.history.Linearizability.Call;
import io.fairlead.testbed.history.Operation.Outcome;
import io.fairlead.testbed.history.Operation.Request;
import io.fairlead.testbed.history.Operation.Seen;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A history beside the log, which tells the one order in which the writes took effect: what was
 * confirmed is in it once and as it was confirmed, what was refused is not, nothing is in it that
 * nobody asked for; no write precedes one that was answered before it was asked for; a list shows
 * one moment of all names together; and at no offset two Services have one address.
 */
public final class LogCheck {
  private final List<Call<Operation>> calls;
  private final List<LoggedWrite> log;
  private final Map<String, List<LoggedWrite>> byId = new HashMap<>();
  private final List<String> faults = new ArrayList<>();

  private LogCheck(List<Call<Operation>> calls, List<LoggedWrite> log) {
    this.calls = List.copyOf(calls);
    this.log = log.stream().sorted(Comparator.comparingLong(LoggedWrite::offset)).toList();
  }

  /**
   * What is wrong, in words; empty: nothing.
   *
   * @param log all records of the Services of the namespace since before the first call
   */
  public static List<String> faults(List<Call<Operation>> calls, List<LoggedWrite> log) {
    var check = new LogCheck(calls, log);
    check.onceEach();
    check.realTime();
    check.lists();
    check.addresses();
    return List.copyOf(check.faults);
  }

  /** Invariant 3. */
  private void onceEach() {
    for (var write : log) {
      write
          .id()
          .ifPresentOrElse(
              id -> byId.computeIfAbsent(id, _ -> new ArrayList<>()).add(write),
              () -> faults.add("nobody asked for the record " + write));
    }
    var asked = new HashSet<String>();
    var late =
        calls.stream()
            .map(Call::operation)
            .filter(Operation::isUnknown)
            .map(Operation::id)
            .collect(Collectors.toSet());
    for (var call : calls) {
      var operation = call.operation();
      asked.add(operation.id());
      var records = byId.getOrDefault(operation.id(), List.of());
      switch (operation.outcome()) {
        case Outcome.Created(var object) -> mustBe(call, records, Optional.of(object));
        case Outcome.Changed(var object) -> mustBe(call, records, Optional.of(object));
        case Outcome.Deleted(var uid, var version) -> {
          mustBe(call, records, Optional.empty());
          if (!records.isEmpty()
              && (!records.getFirst().uid().equals(uid)
                  || !Long.toString(records.getFirst().offset()).equals(version))) {
            faults.add("answered otherwise than logged: " + line(call) + ", " + records);
          }
        }
        case Outcome.Unknown _ -> {
          if (records.size() > 1) {
            faults.add("happened more than once: " + line(call) + ", " + records);
          }
        }
        case Outcome.Found _,
            Outcome.Listed _,
            Outcome.Missing _,
            Outcome.NameTaken _,
            Outcome.AddressTaken _,
            Outcome.RangeFull _,
            Outcome.Stale _,
            Outcome.Nothing _ -> {
          if (!records.isEmpty() && !late.contains(operation.id())) {
            faults.add("was to change nothing: " + line(call) + ", " + records);
          }
        }
      }
    }
    byId.forEach((id, records) -> {
      if (!asked.contains(id)) {
        faults.add("nobody asked for " + records);
      }
    });
  }

  private void mustBe(Call<Operation> call, List<LoggedWrite> records, Optional<Seen> confirmed) {
    if (records.size() != 1 || !records.getFirst().stored().equals(confirmed)) {
      faults.add("confirmed: " + line(call) + "; in the log: " + records);
    }
  }

  private static String line(Call<Operation> call) {
    return HistoryCheck.line(call);
  }

  /** Where the write of a call stands in the log, if it is there. */
  private Optional<Long> offset(Call<Operation> call) {
    var operation = call.operation();
    if (!operation.outcome().writes() && !operation.isUnknown()) {
      return Optional.empty(); // a record of its id is an earlier attempt's
    }
    return byId.getOrDefault(call.operation().id(), List.of()).stream()
        .map(LoggedWrite::offset)
        .findFirst();
  }

  /** The order of the log keeps to the clock. */
  private void realTime() {
    var writes = calls.stream().filter(call -> offset(call).isPresent()).toList();
    var byInvocation =
        writes.stream().sorted(Comparator.<Call<Operation>>comparingLong(Call::invoked)).toList();
    var byAnswer =
        writes.stream()
            .filter(call -> call.answered().isPresent())
            .sorted(Comparator.<Call<Operation>>comparingLong(c -> c.answered().orElseThrow()))
            .iterator();
    Optional<Call<Operation>> latest = Optional.empty();
    Optional<Call<Operation>> waiting = next(byAnswer);
    for (var call : byInvocation) {
      while (waiting.isPresent() && waiting.get().answered().orElseThrow() < call.invoked()) {
        if (latest.isEmpty() || at(waiting.get()) > at(latest.get())) {
          latest = waiting;
        }
        waiting = next(byAnswer);
      }
      if (latest.isPresent() && at(latest.get()) > at(call)) {
        faults.add(
            "the log has the later one first: %s at %d, %s at %d"
                .formatted(line(latest.get()), at(latest.get()), line(call), at(call)));
      }
    }
  }

  private static <T> Optional<T> next(java.util.Iterator<T> iterator) {
    return iterator.hasNext() ? Optional.of(iterator.next()) : Optional.empty();
  }

  private long at(Call<Operation> call) {
    return offset(call).orElseThrow();
  }

  /** Each list is what the log says at one offset that fits the time of the call. */
  private void lists() {
    for (var call : calls) {
      if (call.operation().request() instanceof Request.All
          && call.operation().outcome() instanceof Outcome.Listed(var objects)
          && !isMoment(call, objects)) {
        faults.add("a list that the log was never at while it was asked: " + line(call));
      }
    }
  }

  private boolean isMoment(Call<Operation> list, List<Seen> objects) {
    long atLeast =
        calls.stream()
            .filter(c -> c.answered().isPresent() && c.answered().getAsLong() < list.invoked())
            .flatMap(c -> offset(c).stream())
            .mapToLong(o -> o)
            .max()
            .orElse(-1);
    long before =
        calls.stream()
            .filter(c -> c.invoked() > list.answered().orElse(Long.MAX_VALUE))
            .flatMap(c -> offset(c).stream())
            .mapToLong(o -> o)
            .min()
            .orElse(Long.MAX_VALUE);
    var wanted = new TreeMap<String, Seen>();
    objects.forEach(object -> wanted.put(object.name(), object));
    var state = new TreeMap<String, Seen>();
    if (atLeast < 0 && wanted.isEmpty()) {
      return true;
    }
    for (var write : log) {
      if (write.offset() >= before) {
        return false;
      }
      apply(state, write);
      if (write.offset() >= atLeast && state.equals(wanted)) {
        return true;
      }
    }
    return false;
  }

  private static void apply(Map<String, Seen> state, LoggedWrite write) {
    write
        .stored()
        .ifPresentOrElse(
            object -> state.put(write.name(), object), () -> state.remove(write.name()));
  }

  /** Invariant 1 at every offset, and each record fits what was there before. */
  private void addresses() {
    var state = new TreeMap<String, Seen>();
    for (var write : log) {
      var before = Optional.ofNullable(state.get(write.name()));
      apply(state, write);
      if (write.stored().isEmpty() && !before.map(Seen::uid).equals(Optional.of(write.uid()))) {
        faults.add("deleted what was not there: " + write + ", there was " + before);
      }
      write
          .stored()
          .flatMap(object ->
              state.values().stream()
                  .filter(other -> other.address().equals(object.address()))
                  .filter(other -> !other.name().equals(object.name()))
                  .findFirst())
          .ifPresent(other -> faults.add("one address for two: " + write + ", " + other));
    }
  }
}
