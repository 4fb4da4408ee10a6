package io.fairlead.core.decide;

import io.fairlead.core.decide.Violation.Reason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/** The faults found so far, in the order they were found. Lives for one check on one thread. */
final class Violations {
  private final List<Violation> found = new ArrayList<>();

  void required(String field, String message) {
    found.add(new Violation(field, Reason.REQUIRED, message));
  }

  void invalid(String field, String value, String message) {
    found.add(new Violation(field, Reason.INVALID, quoted(value) + ": " + message));
  }

  void invalid(String field, int value, String message) {
    found.add(new Violation(field, Reason.INVALID, value + ": " + message));
  }

  void invalid(String field, String message) {
    found.add(new Violation(field, Reason.INVALID, message));
  }

  void duplicate(String field, String value) {
    found.add(new Violation(field, Reason.DUPLICATE, quoted(value)));
  }

  void notSupported(String field, String value, Collection<String> allowed) {
    found.add(
        new Violation(
            field,
            Reason.NOT_SUPPORTED,
            quoted(value)
                + ": supported values: "
                + allowed.stream().map(Violations::quoted).collect(Collectors.joining(", "))));
  }

  void forbidden(String field, String message) {
    found.add(new Violation(field, Reason.FORBIDDEN, message));
  }

  void immutable(String field, String message) {
    found.add(new Violation(field, Reason.IMMUTABLE, message));
  }

  void tooLong(String field, String message) {
    found.add(new Violation(field, Reason.TOO_LONG, message));
  }

  /** One that another check found. */
  void add(Violation violation) {
    found.add(violation);
  }

  boolean isEmpty() {
    return found.isEmpty();
  }

  /** Whether anything was found at this field or below it. */
  boolean concern(String field) {
    return found.stream()
        .anyMatch(v ->
            v.field().equals(field)
                || v.field().startsWith(field + ".")
                || v.field().startsWith(field + "["));
  }

  List<Violation> list() {
    return List.copyOf(found);
  }

  /** The value in quotes, cut so that a message stays readable. */
  static String quoted(String value) {
    return '"' + (value.length() > 80 ? value.substring(0, 80) + "…" : value) + '"';
  }
}
