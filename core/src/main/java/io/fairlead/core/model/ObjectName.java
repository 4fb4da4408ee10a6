package io.fairlead.core.model;

/** Name of a namespaced object; text form {@code namespace/name}. */
public record ObjectName(String namespace, String name) implements Comparable<ObjectName> {
  public static final String DEFAULT_NAMESPACE = "default";

  @Override
  public int compareTo(ObjectName other) {
    return namespace.equals(other.namespace) // nearly always, and the quicker question
        ? name.compareTo(other.name)
        : namespace.compareTo(other.namespace);
  }

  @Override
  public String toString() {
    return namespace + "/" + name;
  }
}
