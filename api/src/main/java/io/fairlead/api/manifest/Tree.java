package io.fairlead.api.manifest;

import com.google.protobuf.Timestamp;
import io.fairlead.v1.ObjectMeta;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** A mapping under construction: what is empty is left out, as Kubernetes does. */
final class Tree {
  private final Map<String, Object> map = new LinkedHashMap<>();

  void put(String key, Object value) {
    var empty =
        switch (value) {
          case String text -> text.isEmpty();
          case Collection<?> elements -> elements.isEmpty();
          case Map<?, ?> values -> values.isEmpty();
          default -> false;
        };
    if (!empty) {
      map.put(key, value);
    }
  }

  /** Also where it is empty. */
  void always(String key, Object value) {
    map.put(key, value);
  }

  Map<String, Object> map() {
    return map;
  }

  static Map<String, Object> object(
      String kind, ObjectMeta meta, Map<String, Object> spec, Map<String, Object> status) {
    return object("v1", kind, meta, spec, status);
  }

  static Map<String, Object> object(
      String apiVersion,
      String kind,
      ObjectMeta meta,
      Map<String, Object> spec,
      Map<String, Object> status) {
    var tree = new Tree();
    tree.put("apiVersion", apiVersion);
    tree.put("kind", kind);
    tree.put("metadata", meta(meta));
    tree.put("spec", spec);
    tree.put("status", status);
    return tree.map();
  }

  static Map<String, Object> meta(ObjectMeta meta) {
    var tree = new Tree();
    tree.put("annotations", sorted(meta.getAnnotationsMap()));
    if (meta.hasCreationTimestamp()) {
      tree.put("creationTimestamp", time(meta.getCreationTimestamp()));
    }
    if (meta.hasDeletionTimestamp()) {
      tree.put("deletionTimestamp", time(meta.getDeletionTimestamp()));
    }
    tree.put("generateName", meta.getGenerateName());
    tree.put("labels", sorted(meta.getLabelsMap()));
    tree.put("name", meta.getName());
    tree.put("namespace", meta.getNamespace());
    tree.put("resourceVersion", meta.getResourceVersion());
    tree.put("uid", meta.getUid());
    return tree.map();
  }

  /** Two fields in this order. */
  static Map<String, Object> of(String first, Object one, String second, Object two) {
    var tree = new Tree();
    tree.put(first, one);
    tree.put(second, two);
    return tree.map();
  }

  /** Whole seconds, as Kubernetes prints them. */
  static String time(Timestamp timestamp) {
    return Instant.ofEpochSecond(timestamp.getSeconds()).truncatedTo(ChronoUnit.SECONDS).toString();
  }

  static Map<String, String> sorted(Map<String, String> map) {
    return new TreeMap<>(map);
  }

  static Object integerOrText(String text) {
    return text.matches("0|[1-9][0-9]{0,8}") ? (Object) Integer.valueOf(text) : text;
  }
}
