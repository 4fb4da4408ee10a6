package io.fairlead.dns.client;

import io.fairlead.core.model.Address;
import io.fairlead.runtime.HostPort;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** The address at which this server says it can be reached. Immutable, nothing is remembered. */
public interface OwnAddress {
  /** As it is now; empty while it is not known. May block for some seconds. */
  Optional<Address> find();

  /** Why {@link #find} was empty. */
  String trouble();

  /** As configured. */
  record Given(Address address) implements OwnAddress {
    @Override
    public Optional<Address> find() {
      return Optional.of(address);
    }

    @Override
    public String trouble() {
      return "";
    }
  }

  /**
   * The local address of a connection to the first of them that accepts one: what the control plane
   * is reached from, in a network of nodes. Looked for anew each time, as a container may come back
   * with another.
   *
   * @param neighbours asked in that order; not empty
   */
  record TowardsOneOf(List<HostPort> neighbours) implements OwnAddress {
    private static final Duration CONNECT = Duration.ofSeconds(1);

    public TowardsOneOf {
      neighbours = List.copyOf(neighbours);
    }

    @Override
    public Optional<Address> find() {
      return neighbours.stream().flatMap(to -> from(to).stream()).findFirst();
    }

    @Override
    public String trouble() {
      return "no connection, other than over loopback, to any of " + neighbours;
    }

    private static Optional<Address> from(HostPort to) {
      try (var socket = new Socket()) {
        socket.connect(to.bindAddress(), (int) CONNECT.toMillis());
        return Optional.of(socket.getLocalAddress())
            .filter(TowardsOneOf::isReachableFromOutside)
            .map(address -> Address.ofBytes(address.getAddress()));
      } catch (IOException _) { // unknown, refused or silent: the next one
        return Optional.empty();
      }
    }

    private static boolean isReachableFromOutside(InetAddress address) {
      return !address.isLoopbackAddress()
          && !address.isLinkLocalAddress()
          && !address.isAnyLocalAddress();
    }
  }
}
