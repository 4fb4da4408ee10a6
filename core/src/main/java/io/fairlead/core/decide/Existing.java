package io.fairlead.core.decide;

import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * What is stored under the key that a command names, as every decider of the services partition
 * looks at it.
 *
 * @param found empty = nothing is
 */
record Existing<T extends DomainObject>(ObjectKey key, Optional<Versioned<T>> found) {

  Optional<T> object() {
    return found.map(Versioned::object);
  }

  /** Its {@code resourceVersion}; empty where there is none, and while it is being changed. */
  OptionalLong version() {
    return found.filter(f -> !f.isPending()).stream().mapToLong(Versioned::offset).findFirst();
  }

  /**
   * Why a caller that expects that does not get what he asks for; empty where it is what he saw.
   *
   * @param uid "" = whatever is there
   * @param expectedVersion empty = whatever is there
   */
  Optional<Refusal> stale(String uid, OptionalLong expectedVersion) {
    var actualUid = object().map(o -> o.uid().toString()).orElse("");
    if (!uid.isEmpty() && !uid.equals(actualUid)) {
      return Optional.of(new Refusal.Stale(key, "metadata.uid", uid, actualUid));
    }
    if (expectedVersion.isEmpty()
        || found.filter(f -> f.matches(expectedVersion.getAsLong())).isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        new Refusal.Stale(
            key,
            "metadata.resourceVersion",
            Long.toString(expectedVersion.getAsLong()),
            version().stream().mapToObj(Long::toString).findFirst().orElse("")));
  }

  /**
   * As {@link #stale}, of something that must be there.
   *
   * @param resourceVersion as it was sent
   */
  Optional<Refusal> unmet(String uid, String resourceVersion) {
    var violations = new Violations();
    var expected = MetaRules.version(violations, resourceVersion);
    if (!violations.isEmpty()) {
      return Optional.of(new Refusal.Invalid(key, violations.list()));
    }
    return found.isEmpty() ? Optional.of(new Refusal.NotFound(key)) : stale(uid, expected);
  }

  /**
   * The metadata that a wish leads to: what stood stays under its uid, what is new gets one.
   *
   * @param before of what is stored
   */
  static ObjectMeta meta(
      ObjectName name,
      Map<String, String> labels,
      Map<String, String> annotations,
      Optional<ObjectMeta> before,
      ServicesContext context) {
    return new ObjectMeta(
        name.namespace(),
        name.name(),
        before.map(ObjectMeta::uid).orElseGet(context.random()::uuid),
        new TreeMap<>(labels),
        new TreeMap<>(annotations),
        before.map(ObjectMeta::created).orElse(context.now()));
  }
}
