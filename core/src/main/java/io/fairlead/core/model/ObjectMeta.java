package io.fairlead.core.model;

import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * What every object of the log carries. Labels and annotations are sorted and unmodifiable; cluster
 * scope has namespace "".
 */
public record ObjectMeta(
    String namespace,
    String name,
    UUID uid,
    SortedMap<String, String> labels,
    SortedMap<String, String> annotations,
    Instant created) {
  public ObjectMeta {
    labels = sorted(labels);
    annotations = sorted(annotations);
  }

  public ObjectName objectName() {
    return new ObjectName(namespace, name);
  }

  /** A sorted, unmodifiable copy. */
  static SortedMap<String, String> sorted(Map<String, String> map) {
    return Collections.unmodifiableSortedMap(new TreeMap<>(map));
  }
}
