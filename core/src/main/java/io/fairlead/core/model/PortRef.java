package io.fairlead.core.model;

/** A port by number, or by the name a container gives it. */
public sealed interface PortRef {
  record Number(int port) implements PortRef {
    @Override
    public String toString() {
      return Integer.toString(port);
    }
  }

  record Name(String name) implements PortRef {
    @Override
    public String toString() {
      return name;
    }
  }
}
