package io.fairlead.decider.watch;

import io.fairlead.api.Errors;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.model.LabelSelector;
import io.fairlead.core.model.ObjectName;
import io.grpc.StatusRuntimeException;
import java.util.Map;
import java.util.Optional;

/**
 * Which objects a caller wants.
 *
 * @param namespace empty = all
 * @param name one object of that namespace; empty = all
 */
public record ObjectFilter(
    Optional<String> namespace, Optional<String> name, LabelSelector selector) {
  /**
   * As a request says it; "" = all.
   *
   * @throws StatusRuntimeException INVALID: a selector that is none, a name without a namespace
   */
  public static ObjectFilter of(String namespace, String name, String labelSelector) {
    if (!name.isEmpty() && namespace.isEmpty()) {
      throw Errors.invalid("namespace", Reason.REQUIRED, "a name means one namespace");
    }
    return new ObjectFilter(present(namespace), present(name), selector(labelSelector));
  }

  /** Of objects without a namespace. */
  public static ObjectFilter ofCluster(String name, String labelSelector) {
    return new ObjectFilter(Optional.empty(), present(name), selector(labelSelector));
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

  public boolean matches(ObjectName object, Map<String, String> labels) {
    return namespace.filter(n -> !n.equals(object.namespace())).isEmpty()
        && name.filter(n -> !n.equals(object.name())).isEmpty()
        && selector.matches(labels);
  }
}
