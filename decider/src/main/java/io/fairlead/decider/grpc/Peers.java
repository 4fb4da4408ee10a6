package io.fairlead.decider.grpc;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.stub.MetadataUtils;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/** Channels to the other replicas, by address. Thread-safe. */
public final class Peers implements AutoCloseable {
  /** Replicas that are long gone must not pile up. */
  private static final int MOST = 64;

  private final Function<String, ManagedChannel> connect;

  /** Guards {@link #channels}. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<String, ManagedChannel> channels = new HashMap<>();

  /**
   * Connects to nobody yet.
   *
   * @param connect from {@code host:port}; must not block
   */
  public Peers(Function<String, ManagedChannel> connect) {
    this.connect = connect;
  }

  ManagedChannel at(String address) {
    lock.lock();
    try {
      if (channels.size() >= MOST && !channels.containsKey(address)) {
        channels.values().forEach(ManagedChannel::shutdown); // calls under way go on
        channels.clear();
      }
      return channels.computeIfAbsent(address, connect);
    } finally {
      lock.unlock();
    }
  }

  /**
   * For calls that are sent on to another replica, and must not be sent further from there.
   *
   * @param caller whose call it is
   */
  public Channel forwarding(String address, Caller caller) {
    return ClientInterceptors.intercept(
        at(address), MetadataUtils.newAttachHeadersInterceptor(caller.headers(0)));
  }

  @Override
  public void close() {
    lock.lock();
    try {
      channels.values().forEach(ManagedChannel::shutdownNow);
      channels.clear();
    } finally {
      lock.unlock();
    }
  }
}
