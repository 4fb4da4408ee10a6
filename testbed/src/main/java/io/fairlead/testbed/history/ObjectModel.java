package io.fairlead.testbed.history;

import io.fairlead.testbed.history.Linearizability.Model;
import io.fairlead.testbed.history.Operation.Outcome;
import io.fairlead.testbed.history.Operation.Request;
import io.fairlead.testbed.history.Operation.Seen;
import java.util.Map;
import java.util.Optional;

/**
 * One name: nothing, or a Service that was written last by some request. What is expected by
 * version is compared by who wrote that version.
 */
final class ObjectModel implements Model<ObjectModel.State, Operation> {
  /** What the name stands for. */
  sealed interface State {
    record Absent() implements State {}

    /**
     * A Service.
     *
     * @param uid empty while nobody saw it: the answer to its creation was lost
     */
    record Present(String writer, Optional<String> uid) implements State {
      boolean mayHave(String other) {
        return uid.isEmpty() || uid.get().equals(other);
      }
    }
  }

  private static final State ABSENT = new State.Absent();

  private final String name;
  private final Map<String, String> writers;

  /**
   * @param writers who wrote each version that anybody saw
   */
  ObjectModel(String name, Map<String, String> writers) {
    this.name = name;
    this.writers = Map.copyOf(writers);
  }

  @Override
  public State initial() {
    return ABSENT;
  }

  @Override
  public Optional<State> step(State state, Operation operation) {
    return switch (operation.request()) {
      case Request.Create _ -> create(state, operation);
      case Request.Apply(_, var expected) -> apply(state, operation, expected);
      case Request.Delete(_, var expected) -> delete(state, operation.outcome(), expected);
      case Request.Get _ -> read(state, operation.outcome());
      case Request.All _ -> read(state, operation.outcome());
    };
  }

  private Optional<State> create(State state, Operation operation) {
    return switch (operation.outcome()) {
      case Outcome.Created(var object) -> onlyAbsent(state, stored(object));
      case Outcome.NameTaken _ -> onlyPresent(state);
      case Outcome.AddressTaken _, Outcome.RangeFull _ -> onlyAbsent(state, ABSENT);
      case Outcome.Unknown _ -> Optional.of(createdUnseen(state, operation.id()));
      case Outcome.Nothing _ -> Optional.of(state);
      case Outcome.Changed _,
          Outcome.Deleted _,
          Outcome.Found _,
          Outcome.Listed _,
          Outcome.Missing _,
          Outcome.Stale _ ->
          Optional.empty();
    };
  }

  private static State createdUnseen(State state, String writer) {
    return switch (state) {
      case State.Absent _ -> new State.Present(writer, Optional.empty());
      case State.Present present -> present;
    };
  }

  private Optional<State> apply(State state, Operation operation, Optional<String> expected) {
    return switch (operation.outcome()) {
      case Outcome.Created(var object) ->
          expected.isEmpty() ? onlyAbsent(state, stored(object)) : Optional.empty();
      case Outcome.Changed(var object) ->
          matches(state, expected)
                  && state instanceof State.Present present
                  && present.mayHave(object.uid())
              ? Optional.of(stored(object))
              : Optional.empty();
      case Outcome.Stale _ ->
          expected.isPresent() && !matches(state, expected) ? Optional.of(state) : Optional.empty();
      case Outcome.RangeFull _ -> expected.isEmpty() ? onlyAbsent(state, ABSENT) : Optional.empty();
      case Outcome.Unknown _ ->
          switch (state) {
            case State.Absent _ when expected.isEmpty() ->
                Optional.of(createdUnseen(state, operation.id()));
            case State.Present(_, var uid) when matches(state, expected) ->
                Optional.of(new State.Present(operation.id(), uid));
            case State.Absent _, State.Present _ -> Optional.of(state);
          };
      case Outcome.Nothing _ -> Optional.of(state);
      case Outcome.Deleted _,
          Outcome.Found _,
          Outcome.Listed _,
          Outcome.Missing _,
          Outcome.NameTaken _,
          Outcome.AddressTaken _ ->
          Optional.empty();
    };
  }

  private Optional<State> delete(State state, Outcome outcome, Optional<String> expected) {
    return switch (outcome) {
      case Outcome.Deleted(var uid, _) ->
          matches(state, expected) && state instanceof State.Present present && present.mayHave(uid)
              ? Optional.of(ABSENT)
              : Optional.empty();
      case Outcome.Missing _ -> onlyAbsent(state, ABSENT);
      case Outcome.Stale _ ->
          expected.isPresent() && state instanceof State.Present && !matches(state, expected)
              ? Optional.of(state)
              : Optional.empty();
      case Outcome.Unknown _ -> Optional.of(matches(state, expected) ? ABSENT : state);
      case Outcome.Nothing _ -> Optional.of(state);
      case Outcome.Created _,
          Outcome.Changed _,
          Outcome.Found _,
          Outcome.Listed _,
          Outcome.NameTaken _,
          Outcome.AddressTaken _,
          Outcome.RangeFull _ ->
          Optional.empty();
    };
  }

  private Optional<State> read(State state, Outcome outcome) {
    return switch (outcome) {
      case Outcome.Found(var object) -> shows(state, object);
      case Outcome.Listed(var objects) ->
          objects.stream()
              .filter(object -> object.name().equals(name))
              .findFirst()
              .map(object -> shows(state, object))
              .orElseGet(() -> onlyAbsent(state, ABSENT));
      case Outcome.Missing _ -> onlyAbsent(state, ABSENT);
      case Outcome.Nothing _, Outcome.Unknown _ -> Optional.of(state);
      case Outcome.Created _,
          Outcome.Changed _,
          Outcome.Deleted _,
          Outcome.NameTaken _,
          Outcome.AddressTaken _,
          Outcome.RangeFull _,
          Outcome.Stale _ ->
          Optional.empty();
    };
  }

  private static Optional<State> shows(State state, Seen object) {
    return state instanceof State.Present present
            && present.writer().equals(object.writer())
            && present.mayHave(object.uid())
        ? Optional.of(stored(object))
        : Optional.empty();
  }

  private static State stored(Seen object) {
    return new State.Present(object.writer(), Optional.of(object.uid()));
  }

  private static Optional<State> onlyAbsent(State state, State next) {
    return state instanceof State.Absent ? Optional.of(next) : Optional.empty();
  }

  private static Optional<State> onlyPresent(State state) {
    return state instanceof State.Present ? Optional.of(state) : Optional.empty();
  }

  /** Whether there is a Service, of the expected version where one is. */
  private boolean matches(State state, Optional<String> expected) {
    return state instanceof State.Present(var writer, _)
        && expected.map(version -> writer.equals(writers.get(version))).orElse(true);
  }
}
