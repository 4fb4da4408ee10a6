package io.fairlead.core.model;

import java.time.Instant;
import java.util.SortedMap;
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
    labels = SortedTexts.copyOf(labels);
    annotations = SortedTexts.copyOf(annotations);
  }

  public ObjectName objectName() {
    return new ObjectName(namespace, name);
  }
}
