package io.fairlead.core.model;

/** A port by number, or by the name a container gives it. */
public sealed interface PortRef {
  /** By number. */
  @SuppressWarnings("AvoidCommonTypeNames") // always written PortRef.Number
  record Number(int port) implements PortRef {
    @Override
    public String toString() {
      return Integer.toString(port);
    }
  }

  /** By the name that a container port has. */
  record Name(String name) implements PortRef {
    @Override
    public String toString() {
      return name;
    }
  }
}
