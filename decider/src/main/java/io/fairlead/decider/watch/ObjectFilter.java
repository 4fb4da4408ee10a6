package io.fairlead.decider.watch;

import io.fairlead.api.Errors;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.model.FieldSelector;
import io.fairlead.core.model.LabelSelector;
import io.fairlead.core.model.ObjectName;
import io.grpc.StatusRuntimeException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Which objects a caller wants.
 *
 * @param namespace empty = all
 * @param name one object of that namespace; empty = all
 */
public record ObjectFilter(
    Optional<String> namespace,
    Optional<String> name,
    LabelSelector selector,
    FieldSelector fields) {
  /** Fields that every object can be selected by. */
  private static final List<String> OF_NAMES = List.of("metadata.name", "metadata.namespace");

  /**
   * As a request says it; "" = all.
   *
   * @throws StatusRuntimeException INVALID: a selector that is none, a name without a namespace
   */
  public static ObjectFilter of(String namespace, String name, String labelSelector) {
    return of(namespace, name, labelSelector, "", List.of());
  }

  /**
   * The same, of objects with fields of their own kind.
   *
   * @param more fields that may be selected by besides name and namespace
   */
  public static ObjectFilter of(
      String namespace,
      String name,
      String labelSelector,
      String fieldSelector,
      List<String> more) {
    if (!name.isEmpty() && namespace.isEmpty()) {
      throw Errors.invalid("namespace", Reason.REQUIRED, "a name means one namespace");
    }
    return new ObjectFilter(
        present(namespace),
        present(name),
        selector(labelSelector),
        fields(fieldSelector, Stream.concat(OF_NAMES.stream(), more.stream()).toList()));
  }

  /** Of objects without a namespace. */
  public static ObjectFilter ofCluster(String name, String labelSelector) {
    return ofCluster(name, labelSelector, "");
  }

  /** The same, where they can be selected by their names as a field. */
  public static ObjectFilter ofCluster(String name, String labelSelector, String fieldSelector) {
    return new ObjectFilter(
        Optional.empty(),
        present(name),
        selector(labelSelector),
        fields(fieldSelector, OF_NAMES.subList(0, 1)));
  }

  private static FieldSelector fields(String text, List<String> supported) {
    return switch (FieldSelector.parse(text, supported)) {
      case FieldSelector.Parsed.Valid(var selector) -> selector;
      case FieldSelector.Parsed.Invalid(var message) ->
          throw Errors.invalid("fieldSelector", Reason.INVALID, message);
    };
  }

  private static Optional<String> present(String text) {
    return Optional.of(text).filter(t -> !t.isEmpty());
  }

  private static LabelSelector selector(String text) {
    return switch (LabelSelector.parse(text)) {
      case LabelSelector.Parsed.Valid(var selector) -> selector;
      case LabelSelector.Parsed.Invalid(var message) ->
          throw Errors.invalid("labelSelector", Reason.INVALID, message);
    };
  }

  /** Of an object whose kind has no fields of its own to select by. */
  public boolean matches(ObjectName object, Map<String, String> labels) {
    return matches(object, labels, _ -> "");
  }

  /**
   * @param more values of the fields of its kind
   */
  public boolean matches(
      ObjectName object, Map<String, String> labels, UnaryOperator<String> more) {
    return namespace.filter(n -> !n.equals(object.namespace())).isEmpty()
        && name.filter(n -> !n.equals(object.name())).isEmpty()
        && selector.matches(labels)
        && fields.matches(field ->
            switch (field) {
              case "metadata.name" -> object.name();
              case "metadata.namespace" -> object.namespace();
              default -> more.apply(field);
            });
  }
}
