package io.fairlead.core.model;

/** Name of a namespaced object; text form {@code namespace/name}. */
public record ObjectName(String namespace, String name) implements Comparable<ObjectName> {
  public static final String DEFAULT_NAMESPACE = "default";

  @Override
  public int compareTo(ObjectName other) {
    int order = namespace.compareTo(other.namespace);
    return order == 0 ? name.compareTo(other.name) : order;
  }

  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
