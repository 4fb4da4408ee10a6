package io.fairlead.runtime;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.Status;
import io.grpc.StatusOr;
import io.grpc.SynchronizationContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Looks the names of a fixed list up, at the start and whenever gRPC lost a connection. Names that
 * are unknown are left out while others are known: the replicas that are there serve. Owned by the
 * channel's synchronization context, but for the look-ups, which block and run on virtual threads.
 */
final class StaticNameResolver extends NameResolver {
  private final List<HostPort> addresses;
  private final SynchronizationContext context;
  private Optional<Listener2> listener = Optional.empty();
  private boolean looking;
  private boolean shutdown;

  StaticNameResolver(List<HostPort> addresses, Args args) {
    this.addresses = List.copyOf(addresses);
    this.context = args.getSynchronizationContext();
  }

  @Override
  public String getServiceAuthority() {
    return addresses.getFirst().toString();
  }

  @Override
  public void start(Listener2 newListener) {
    listener = Optional.of(newListener);
    lookUp();
  }

  @Override
  public void refresh() {
    lookUp();
  }

  private void lookUp() {
    if (looking || shutdown) {
      return;
    }
    looking = true;
    Thread.ofVirtual()
        .name("resolve")
        .start(() -> {
          var result = resolve(addresses);
          context.execute(() -> {
            looking = false;
            if (!shutdown) {
              listener.ifPresent(l -> l.onResult2(result));
            }
          });
        });
  }

  private static ResolutionResult resolve(List<HostPort> addresses) {
    var known = new ArrayList<EquivalentAddressGroup>();
    var unknown = new ArrayList<String>();
    for (var address : addresses) {
      try {
        for (var ip : InetAddress.getAllByName(address.host())) {
          known.add(new EquivalentAddressGroup(new InetSocketAddress(ip, address.port())));
        }
      } catch (UnknownHostException _) {
        unknown.add(address.host());
      }
    }
    StatusOr<List<EquivalentAddressGroup>> result =
        known.isEmpty()
            ? StatusOr.fromStatus(
                Status.UNAVAILABLE.withDescription("unknown host " + String.join(", ", unknown)))
            : StatusOr.fromValue(known);
    return ResolutionResult.newBuilder().setAddressesOrError(result).build();
  }

  @Override
  public void shutdown() {
    shutdown = true;
  }
}
