package io.fairlead.core.view;

import io.fairlead.core.model.Family;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Protocol;
import java.util.Comparator;
import java.util.Optional;
import java.util.UUID;

/** What an entry of a stream is replaced and removed by. Its text form begins with the kind. */
public sealed interface EntryKey {
  /** The text form, equal for equal keys only. */
  String text();

  /** {@code service-port/<namespace>/<service>/<port name>/<protocol>}; a port may have no name. */
  record ServicePort(ObjectName service, String port, Protocol protocol)
      implements EntryKey, Comparable<ServicePort> {
    private static final Comparator<ServicePort> ORDER =
        Comparator.comparing(ServicePort::service)
            .thenComparing(ServicePort::port)
            .thenComparing(ServicePort::protocol);

    @Override
    public String text() {
      return "service-port/" + service + "/" + port + "/" + protocol;
    }

    @Override
    public int compareTo(ServicePort other) {
      return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
      return text();
    }
  }

  /**
   * {@code endpoint/<namespace>/<service>/<port name>/<protocol>/<pod uid>/<family>}.
   *
   * @param pod its uid; of an endpoint that somebody wrote, {@link
   *     io.fairlead.core.model.ManualSlice#uid(io.fairlead.core.model.ManualSlice.Endpoint)}
   */
  record Endpoint(ServicePort port, UUID pod, Family family)
      implements EntryKey, Comparable<Endpoint> {
    private static final Comparator<Endpoint> ORDER =
        Comparator.comparing(Endpoint::port)
            .thenComparing(Endpoint::pod)
            .thenComparing(Endpoint::family);

    @Override
    public String text() {
      return "endpoint/"
          + port.service()
          + "/"
          + port.port()
          + "/"
          + port.protocol()
          + "/"
          + pod
          + "/"
          + family.text();
    }

    @Override
    public int compareTo(Endpoint other) {
      return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
      return text();
    }
  }

  /** {@code pod/<namespace>/<name>}. */
  record Pod(ObjectName name) implements EntryKey {
    @Override
    public String text() {
      return "pod/" + name;
    }

    @Override
    public String toString() {
      return text();
    }
  }

  /** {@code service-cidr/<name>}. */
  record ServiceCidr(String name) implements EntryKey {
    @Override
    public String text() {
      return "service-cidr/" + name;
    }

    @Override
    public String toString() {
      return text();
    }
  }

  /** The inverse of {@link #text}, or empty. */
  static Optional<EntryKey> parse(String text) {
    var parts = text.split("/", -1);
    return switch (parts[0]) {
      case "service-port" -> parts.length == 5 ? port(parts).map(p -> p) : Optional.empty();
      case "endpoint" -> parts.length == 7 ? endpoint(parts) : Optional.empty();
      case "pod" ->
          parts.length == 3
              ? Optional.of(new Pod(new ObjectName(parts[1], parts[2])))
              : Optional.empty();
      case "service-cidr" ->
          parts.length == 2 ? Optional.of(new ServiceCidr(parts[1])) : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static Optional<ServicePort> port(String[] parts) {
    for (var protocol : Protocol.values()) {
      if (protocol.name().equals(parts[4])) {
        return Optional.of(new ServicePort(new ObjectName(parts[1], parts[2]), parts[3], protocol));
      }
    }
    return Optional.empty();
  }

  private static Optional<EntryKey> endpoint(String[] parts) {
    UUID uid;
    try {
      uid = UUID.fromString(parts[5]);
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
    for (var family : Family.values()) {
      if (family.text().equals(parts[6]) && uid.toString().equals(parts[5])) {
        return port(parts).map(port -> new Endpoint(port, uid, family));
      }
    }
    return Optional.empty();
  }
}
