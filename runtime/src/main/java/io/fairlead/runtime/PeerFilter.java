package io.fairlead.runtime;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * Serves only clients of the given ranges. Linux takes packets to an address of its own on every
 * interface, so listening on a private one keeps nobody out. Stateless.
 */
final class PeerFilter implements ServerInterceptor {
  private final List<Cidr> allowed;

  PeerFilter(List<Cidr> allowed) {
    this.allowed = List.copyOf(allowed);
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    if (call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) instanceof InetSocketAddress peer
        && isAllowed(peer)) {
      return next.startCall(call, headers);
    }
    call.close(
        Status.PERMISSION_DENIED.withDescription("your address is not among those of --allow-from"),
        new Metadata());
    return new ServerCall.Listener<>() {};
  }

  private boolean isAllowed(InetSocketAddress peer) {
    var address = Address.ofBytes(peer.getAddress().getAddress());
    return allowed.stream()
        .anyMatch(cidr -> cidr.family() == address.family() && cidr.contains(address));
  }
}
