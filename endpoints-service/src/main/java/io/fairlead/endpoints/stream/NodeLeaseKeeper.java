package io.fairlead.endpoints.stream;

import io.fairlead.api.Errors;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.Lease;
import io.fairlead.etcd.Coordination.NodeLease;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a node's key in etcd for as long as this replica holds its stream: that is what tells all
 * others that the node lives. A stream whose key cannot be kept for the grace time is closed, so
 * that the agent tries another replica; its rules stay meanwhile. One virtual thread for each
 * stream.
 */
final class NodeLeaseKeeper implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(NodeLeaseKeeper.class);

  private final NodeStream stream;
  private final String replica;
  private final Coordination coordination;
  private final StreamSettings settings;
  private final StreamStats stats;
  private final FaultPoints points;
  private final Time time;
  private final Thread thread;

  NodeLeaseKeeper(
      NodeStream stream,
      String replica,
      Coordination coordination,
      StreamSettings settings,
      StreamStats stats,
      FaultPoints points,
      Time time) {
    this.stream = stream;
    this.replica = replica;
    this.coordination = coordination;
    this.settings = settings;
    this.stats = stats;
    this.points = points;
    this.time = time;
    this.thread = Thread.ofVirtual().name("node-lease-" + stream.node()).unstarted(this::keep);
  }

  void start() {
    thread.start();
  }

  private void keep() {
    long leaselessNanos = time.nanoTime();
    var lease = Optional.<Lease>empty();
    try {
      while (!stream.isOver()) {
        var lost = new CountDownLatch(1);
        try {
          lease = Optional.of(coordination.openLease(settings.leaseTtl(), lost::countDown));
          if (!coordination.putNode(
              new NodeLease(stream.node(), stream.session(), replica), lease.get())) {
            stream.close(
                Refusals.sessionEnded(
                    stream.node(), stream.session(), "the node opened a later session elsewhere"));
            return;
          }
          points.reached(FaultPoint.SESSION_LEASED);
          lost.await();
          stats.leasesLost.increment();
          leaselessNanos = time.nanoTime();
          log.atWarn()
              .addKeyValue("node", stream.node())
              .addKeyValue("session", stream.session())
              .log("Node lease lost, opening another");
        } catch (GatewayException e) {
          if (time.nanoTime() - leaselessNanos > settings.leaseGrace().toNanos()) {
            stream.close(
                Errors.dependencyUnavailable(
                    "the lease of node " + stream.node() + " cannot be kept: " + e.getMessage()));
            return;
          }
          stats.retries.increment();
          time.sleep(settings.retryPause());
        }
        lease.ifPresent(Lease::close);
        lease = Optional.empty();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // the stream is over
    } catch (RuntimeException e) {
      stream.close(Errors.of(e));
    } finally {
      // no key without a stream: whoever takes the node over has put its own by now, or the node is
      // gone and its time runs from here
      Thread.interrupted();
      if (stream.wasLeft()) {
        sayThatItLeft();
      }
      lease.ifPresent(Lease::close);
    }
  }

  /**
   * Others cannot tell a key that was taken away from one that ran out with its replica: then the
   * agent lives, and is about to come to them.
   */
  private void sayThatItLeft() {
    try {
      var _ =
          coordination.putLeft(
              new NodeLease(stream.node(), stream.session(), replica), settings.leftKept());
    } catch (RuntimeException e) { // it is lost later, then
      log.atDebug().setCause(e).addKeyValue("node", stream.node()).log("Not told that it left");
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
