package io.fairlead.agent.stream;

import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.GrpcChannels.Spread;
import io.fairlead.runtime.HostPort;
import io.grpc.ManagedChannel;
import java.util.List;

/**
 * A connection to a replica, before anything is said over it: so that an agent that is asked to go
 * there need not leave where it is before it knows that somebody is there. Owned by the loop.
 */
final class Approach implements AutoCloseable {
  /** How far it got. */
  enum State {
    CONNECTING,
    THERE,
    NOBODY_THERE
  }

  private final HostPort address;
  private final ManagedChannel channel;

  /** Nothing is tried before {@link #state} is asked, or something is said. */
  Approach(HostPort address) {
    this.address = address;
    this.channel = GrpcChannels.of(List.of(address), Spread.FIRST);
  }

  HostPort address() {
    return address;
  }

  ManagedChannel channel() {
    return channel;
  }

  /** Connects, and says how far that got; never blocks. */
  State state() {
    return switch (channel.getState(true)) {
      case READY -> State.THERE;
      case IDLE, CONNECTING -> State.CONNECTING;
      case TRANSIENT_FAILURE, SHUTDOWN -> State.NOBODY_THERE;
    };
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
