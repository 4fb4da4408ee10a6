package io.fairlead.testbed.history;

import io.fairlead.testbed.history.Linearizability.Model;
import io.fairlead.testbed.history.Operation.Outcome;
import io.fairlead.testbed.history.Operation.Request;
import io.fairlead.testbed.history.Operation.Seen;
import java.util.Map;
import java.util.Optional;

/** One address as a register of who holds it. */
final class AddressModel implements Model<AddressModel.State, Operation> {
  /** Who has it. */
  sealed interface State {
    record Free() implements State {}

    /**
     * A Service.
     *
     * @param uid empty while nobody saw it: the answer to its creation was lost
     */
    record Held(String name, Optional<String> uid) implements State {
      boolean mayBe(String otherName, String otherUid) {
        return name.equals(otherName) && (uid.isEmpty() || uid.get().equals(otherUid));
      }
    }
  }

  private static final State FREE = new State.Free();

  private final String address;
  private final String namespace;
  private final Map<String, String> addresses;
  private final Map<String, String> created;

  /**
   * @param addresses of each Service by uid, also of deleted ones
   * @param created the address that each request created a Service with, by request id, where
   *     anything is known of it
   */
  AddressModel(
      String address,
      String namespace,
      Map<String, String> addresses,
      Map<String, String> created) {
    this.address = address;
    this.namespace = namespace;
    this.addresses = Map.copyOf(addresses);
    this.created = Map.copyOf(created);
  }

  /** Whether a call can say anything of this address, or change who holds it. */
  boolean concerns(Operation operation) {
    return switch (operation.outcome()) {
      case Outcome.Created _, Outcome.Changed _, Outcome.Found _ ->
          operation.seen().getFirst().address().equals(address);
      case Outcome.Listed _, Outcome.RangeFull _ -> true;
      case Outcome.Deleted(var uid, _) -> address.equals(addresses.get(uid));
      case Outcome.AddressTaken(var taken, _) -> taken.equals(address);
      case Outcome.Unknown _ ->
          operation.request() instanceof Request.Delete
              || address.equals(created.get(operation.id()));
      case Outcome.Missing _, Outcome.NameTaken _, Outcome.Stale _, Outcome.Nothing _ -> false;
    };
  }

  @Override
  public State initial() {
    return FREE;
  }

  @Override
  public Optional<State> step(State state, Operation operation) {
    return switch (operation.outcome()) {
      case Outcome.Created(var object) when object.address().equals(address) ->
          state instanceof State.Free ? Optional.of(held(object)) : Optional.empty();
      case Outcome.Created _ -> Optional.of(state);
      case Outcome.Changed(var object) -> shown(state, object);
      case Outcome.Found(var object) -> shown(state, object);
      case Outcome.Listed(var objects) ->
          objects.stream()
              .filter(object -> object.address().equals(address))
              .findFirst()
              .map(object -> shown(state, object))
              .orElseGet(() -> state instanceof State.Free ? Optional.of(state) : Optional.empty());
      case Outcome.Deleted(var uid, _) ->
          address.equals(addresses.get(uid))
              ? released(state, operation.name().orElseThrow(), uid)
              : Optional.of(state);
      case Outcome.AddressTaken(var taken, var holder) ->
          !taken.equals(address)
                  || (state instanceof State.Held(var name, _)
                      && holder.equals(namespace + "/" + name))
              ? Optional.of(state)
              : Optional.empty();
      case Outcome.RangeFull _ ->
          state instanceof State.Held ? Optional.of(state) : Optional.empty();
      case Outcome.Unknown _ -> Optional.of(perhaps(state, operation));
      case Outcome.Missing _, Outcome.NameTaken _, Outcome.Stale _, Outcome.Nothing _ ->
          Optional.of(state);
    };
  }

  private Optional<State> shown(State state, Seen object) {
    if (!object.address().equals(address)) {
      return Optional.of(state);
    }
    return state instanceof State.Held held && held.mayBe(object.name(), object.uid())
        ? Optional.of(held(object))
        : Optional.empty();
  }

  private static Optional<State> released(State state, String name, String uid) {
    return state instanceof State.Held held && held.mayBe(name, uid)
        ? Optional.of(FREE)
        : Optional.empty();
  }

  /** What an unknown outcome may have done to this address. */
  private State perhaps(State state, Operation operation) {
    return switch (operation.request()) {
      case Request.Create(var name, _) -> perhapsHeld(state, name, operation.id());
      case Request.Apply(var name, _) -> perhapsHeld(state, name, operation.id());
      case Request.Delete(var name, _) ->
          state instanceof State.Held(var holder, _) && holder.equals(name) ? FREE : state;
      case Request.Get _, Request.All _ -> state;
    };
  }

  private State perhapsHeld(State state, String name, String id) {
    return state instanceof State.Free && address.equals(created.get(id))
        ? new State.Held(name, Optional.empty())
        : state;
  }

  private static State held(Seen object) {
    return new State.Held(object.name(), Optional.of(object.uid()));
  }
}
