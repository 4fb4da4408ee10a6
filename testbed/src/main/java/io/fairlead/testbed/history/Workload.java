package io.fairlead.testbed.history;

import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.UnaryOperator;

/** Clients that go on until they are stopped. */
public final class Workload implements AutoCloseable {
  private final History history = new History();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final ConcurrentLinkedQueue<Throwable> defects = new ConcurrentLinkedQueue<>();
  private volatile boolean stopping;

  private Workload() {}

  /** Starts them; each has a connection to every replica. */
  public static Workload start(HistorySpec spec, List<HostPort> replicas) {
    return start(spec, replicas, UnaryOperator.identity());
  }

  /**
   * As {@link #start(HistorySpec, List)}.
   *
   * @param between what stands between the clients and each replica
   */
  public static Workload start(
      HistorySpec spec, List<HostPort> replicas, UnaryOperator<Channel> between) {
    var workload = new Workload();
    var ways = new ArrayList<Channel>();
    for (var replica : replicas) {
      var channel = GrpcChannels.of(List.of(replica));
      workload.channels.add(channel);
      ways.add(between.apply(channel));
    }
    for (int i = 0; i < spec.clients(); i++) {
      var client = new HistoryClient(i, spec, ways, workload.history);
      workload.threads.add(
          Thread.ofVirtual().name("client-" + i).start(() -> workload.run(client)));
    }
    return workload;
  }

  private void run(HistoryClient client) {
    try {
      while (!stopping) {
        client.next();
      }
    } catch (InterruptedException _) {
      // closed
    } catch (Throwable e) { // what no client may be answered
      defects.add(e);
    }
  }

  /** What was asked and answered so far. */
  public History history() {
    return history;
  }

  /**
   * Whether all is well so far.
   *
   * @throws AssertionError one was answered what may never be answered
   */
  public void verify() {
    if (!defects.isEmpty()) {
      var failure = new AssertionError("a client got an answer that is none");
      defects.forEach(failure::addSuppressed);
      throw failure;
    }
  }

  /**
   * Lets every client end what it is about.
   *
   * @throws AssertionError one was answered what may never be answered
   */
  public void stop(Duration limit) throws InterruptedException {
    stopping = true;
    for (var thread : threads) {
      if (!thread.join(limit)) {
        throw new AssertionError(thread.getName() + " does not end");
      }
    }
    verify();
  }

  @Override
  public void close() {
    stopping = true;
    threads.forEach(Thread::interrupt);
    channels.forEach(ManagedChannel::shutdownNow);
  }
}
