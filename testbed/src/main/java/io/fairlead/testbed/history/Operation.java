package io.fairlead.testbed.history;

import java.util.List;
import java.util.Optional;

/**
 * A request on Services of one namespace, and what the client knows of it in the end.
 *
 * @param id its request id, also of a read; the {@code writer} of what it stores
 */
public record Operation(String id, Request request, Outcome outcome) {
  /** What was asked. Versions are {@code resourceVersion}s. */
  public sealed interface Request {
    /**
     * @param address empty: any
     */
    record Create(String name, Optional<String> address) implements Request {}

    /** Creates or changes. */
    record Apply(String name, Optional<String> expected) implements Request {}

    record Delete(String name, Optional<String> expected) implements Request {}

    record Get(String name) implements Request {}

    /** All of the namespace. */
    record All() implements Request {}
  }

  /**
   * A Service as it was shown.
   *
   * @param writer request id of the create or apply that stored it so
   */
  public record Seen(String name, String uid, String version, String address, String writer) {}

  /** What came of it, over all attempts. */
  public sealed interface Outcome {
    /** Whether it says that something is in the log. */
    default boolean writes() {
      return this instanceof Created || this instanceof Changed || this instanceof Deleted;
    }

    /** Created, or an apply that found nothing and created. */
    record Created(Seen object) implements Outcome {}

    record Changed(Seen object) implements Outcome {}

    /** The version is that of the record of the deletion. */
    record Deleted(String uid, String version) implements Outcome {}

    record Found(Seen object) implements Outcome {}

    record Listed(List<Seen> objects) implements Outcome {}

    /** Not found. */
    record Missing() implements Outcome {}

    record NameTaken() implements Outcome {}

    /**
     * @param holder namespace/name
     */
    record AddressTaken(String address, String holder) implements Outcome {}

    record RangeFull() implements Outcome {}

    /** Another version than expected, or none. */
    record Stale() implements Outcome {}

    /** Every attempt was answered with an error that promises that nothing happened. */
    record Nothing() implements Outcome {}

    record Unknown() implements Outcome {}
  }

  boolean isUnknown() {
    return outcome instanceof Outcome.Unknown;
  }

  /** The Services that it was shown; of a list all. */
  List<Seen> seen() {
    return switch (outcome) {
      case Outcome.Created(var object) -> List.of(object);
      case Outcome.Changed(var object) -> List.of(object);
      case Outcome.Found(var object) -> List.of(object);
      case Outcome.Listed(var objects) -> objects;
      case Outcome.Deleted _,
          Outcome.Missing _,
          Outcome.NameTaken _,
          Outcome.AddressTaken _,
          Outcome.RangeFull _,
          Outcome.Stale _,
          Outcome.Nothing _,
          Outcome.Unknown _ ->
          List.of();
    };
  }

  /** The one Service that it is about; empty for a list. */
  Optional<String> name() {
    return switch (request) {
      case Request.Create(var name, _) -> Optional.of(name);
      case Request.Apply(var name, _) -> Optional.of(name);
      case Request.Delete(var name, _) -> Optional.of(name);
      case Request.Get(var name) -> Optional.of(name);
      case Request.All _ -> Optional.empty();
    };
  }
}
