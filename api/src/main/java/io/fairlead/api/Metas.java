package io.fairlead.api;

import io.fairlead.core.model.ObjectMeta;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Metadata, times and other small parts that several codecs need. */
final class Metas {
  private Metas() {}

  static io.fairlead.v1.ObjectMeta.Builder proto(ObjectMeta meta, OptionalLong version) {
    var proto =
        io.fairlead.v1.ObjectMeta.newBuilder()
            .setNamespace(meta.namespace())
            .setName(meta.name())
            .setUid(meta.uid().toString())
            .putAllLabels(meta.labels())
            .putAllAnnotations(meta.annotations())
            .setCreationTimestamp(Timestamps.proto(meta.created()));
    version.ifPresent(offset -> proto.setResourceVersion(Long.toString(offset)));
    return proto;
  }

  static ObjectMeta model(io.fairlead.v1.ObjectMeta proto) {
    return new ObjectMeta(
        proto.getNamespace(),
        proto.getName(),
        UUID.fromString(proto.getUid()),
        new TreeMap<>(proto.getLabelsMap()),
        new TreeMap<>(proto.getAnnotationsMap()),
        Timestamps.model(proto.getCreationTimestamp()));
  }

  /** Texts that are "" are absent in proto. */
  static Optional<String> present(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }

  /** The constant with that text form. */
  static <E extends Enum<E>> E constant(E[] constants, Function<E, String> form, String text) {
    for (var constant : constants) {
      if (form.apply(constant).equals(text)) {
        return constant;
      }
    }
    throw new IllegalArgumentException("unknown value \"" + text + "\"");
  }

  /** Sorted, so that what is printed does not change from run to run. */
  static Map<String, String> sorted(Map<String, String> map) {
    return new TreeMap<>(map);
  }

  static boolean isNumber(@Nullable String text) {
    return text != null && text.matches("0|[1-9][0-9]{0,8}");
  }
}
