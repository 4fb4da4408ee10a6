package io.fairlead.etcd;

import io.etcd.jetcd.common.exception.ErrorCode;
import io.etcd.jetcd.common.exception.EtcdException;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A lease that one virtual thread of its own renews, one request at a time. Not jetcd's keep-alive
 * stream: that one reports each break of a connection and the end of the lease through the same
 * callbacks, and measures by the wall clock. Soft: whoever loses it opens another.
 */
final class KeptLease implements Coordination.Lease {
  private static final Logger log = LoggerFactory.getLogger(KeptLease.class);

  private final EtcdConnection connection;
  private final Time time;
  private final long id;
  private final Duration ttl;
  private final Runnable onLost;
  private final Consumer<KeptLease> onEnd;
  private final AtomicBoolean ended = new AtomicBoolean();
  private final Thread thread;
  private volatile long renewedNanos;

  /**
   * @param grantedNanos before the lease was asked for
   * @param onEnd when it is lost or closed, once
   */
  KeptLease(
      EtcdConnection connection,
      Time time,
      long id,
      Duration ttl,
      long grantedNanos,
      Runnable onLost,
      Consumer<KeptLease> onEnd) {
    this.connection = connection;
    this.time = time;
    this.id = id;
    this.ttl = ttl;
    this.renewedNanos = grantedNanos;
    this.onLost = onLost;
    this.onEnd = onEnd;
    this.thread =
        Thread.ofVirtual().name("etcd-lease-" + Long.toHexString(id)).unstarted(this::keep);
  }

  void start() {
    thread.start();
  }

  @Override
  public long id() {
    return id;
  }

  @Override
  public boolean live() {
    return !ended.get() && time.nanoTime() - renewedNanos < ttl.toNanos();
  }

  private enum Renewal {
    DONE,
    NO_ANSWER,
    LEASE_GONE
  }

  private void keep() {
    try {
      long wait = ttl.toNanos() / 3;
      while (!ended.get()) {
        long nanosLeft = renewedNanos + ttl.toNanos() - time.nanoTime();
        if (nanosLeft <= 0) {
          lost("no answer for a whole ttl");
          return;
        }
        time.sleep(Duration.ofNanos(Math.min(wait, nanosLeft)));
        if (ended.get()) {
          return;
        }
        switch (renew()) {
          case DONE -> wait = ttl.toNanos() / 3;
          case NO_ANSWER -> wait = ttl.toNanos() / 12;
          case LEASE_GONE -> {
            lost("etcd does not know it any more");
            return;
          }
        }
      }
    } catch (InterruptedException _) { // closed
      Thread.currentThread().interrupt();
    }
  }

  private Renewal renew() throws InterruptedException {
    long askedNanos = time.nanoTime();
    long limit =
        Math.max(1, Math.min(renewedNanos + ttl.toNanos() - askedNanos, ttl.toNanos() / 3));
    try {
      var answer = connection.client().getLeaseClient().keepAliveOnce(id);
      var _ = answer.get(limit, TimeUnit.NANOSECONDS);
      renewedNanos = askedNanos;
      return Renewal.DONE;
    } catch (ExecutionException e) {
      // what jetcd makes of an answer with ttl 0
      if (e.getCause() instanceof EtcdException answered
          && EtcdConnection.brokenCall(e) == null
          && answered.getErrorCode() == ErrorCode.NOT_FOUND) {
        return Renewal.LEASE_GONE;
      }
      return unanswered(e);
    } catch (TimeoutException | RuntimeException e) { // the latter: the client was closed under us
      return unanswered(e);
    }
  }

  private Renewal unanswered(Exception e) {
    log.atDebug().setCause(e).log("lease not renewed");
    connection.renewIfSilent();
    return Renewal.NO_ANSWER;
  }

  /** A call was told that etcd does not know this lease. The callback comes on another thread. */
  void gone() {
    if (!ended.get()) {
      var _ = Thread.ofVirtual().start(() -> lost("etcd does not know it any more"));
    }
  }

  private void lost(String why) {
    if (ended.compareAndSet(false, true)) {
      log.atWarn()
          .addKeyValue("event", "etcd.lease.lost")
          .addKeyValue("lease", Long.toHexString(id))
          .addKeyValue("why", why)
          .log("lease lost");
      onEnd.accept(this);
      if (!Thread.currentThread().equals(thread)) {
        thread.interrupt(); // nothing to renew any more
      }
      onLost.run();
      revoke(); // where only we could not see etcd, others need not wait for the keys to expire
    }
  }

  private void revoke() {
    try {
      var _ = connection.write("revoke lease", client -> client.getLeaseClient().revoke(id));
    } catch (GatewayException e) {
      log.atDebug().setCause(e).log("lease not revoked; it expires");
    }
  }

  @Override
  public void close() {
    if (ended.compareAndSet(false, true)) {
      thread.interrupt();
      onEnd.accept(this);
      revoke();
    }
  }
}
