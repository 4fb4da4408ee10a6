package io.fairlead.etcd;

import io.etcd.jetcd.Watch;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.watch.WatchResponse;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells when keys of a range changed. One virtual thread: it makes a watch from now on, says that
 * all may have changed, then reports events; when the watch ends, whatever the reason (connection,
 * compaction, etcd wiped), it begins again with a new one. Every 10 s it also compares the range's
 * newest revision with the one of the check before: a watch that is silent although something
 * changed is replaced.
 */
final class EtcdWatch implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EtcdWatch.class);
  private static final Duration CHECK_EVERY = Duration.ofSeconds(10);
  private static final Duration AGAIN_AFTER = Duration.ofMillis(250);

  private enum Signal {
    ESTABLISHED,
    CHANGED,
    ENDED
  }

  /** What changes whenever a key of the range does. */
  private record Fingerprint(long cluster, long keys, long newest) {}

  private final EtcdConnection connection;
  private final Time time;
  private final String from;
  private final String to;
  private final Duration establishWithin;
  private final Runnable onChange;
  private final Thread thread;
  private volatile boolean closed;

  EtcdWatch(
      EtcdConnection connection,
      Time time,
      String from,
      String to,
      Duration establishWithin,
      Runnable onChange) {
    this.connection = connection;
    this.time = time;
    this.from = from;
    this.to = to;
    this.establishWithin = establishWithin;
    this.onChange = onChange;
    this.thread = Thread.ofVirtual().name("etcd-watch").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  private void run() {
    try {
      while (!closed) {
        try {
          watchOnce();
        } catch (RuntimeException e) {
          log.atWarn().setCause(e).log("etcd watch failed; beginning again");
        }
        connection.renewIfSilent();
        time.sleep(AGAIN_AFTER);
      }
    } catch (InterruptedException _) { // closed
      Thread.currentThread().interrupt();
    }
  }

  private void watchOnce() throws InterruptedException {
    var signals = new LinkedBlockingQueue<Signal>();
    var option =
        WatchOption.builder()
            .withRange(EtcdKeys.bytes(to))
            .withCreateNotify(true)
            .withRequireLeader(true)
            .build();
    try (var _ =
        connection
            .client()
            .getWatchClient()
            .watch(EtcdKeys.bytes(from), option, new SignalListener(signals))) {
      var first = signals.poll(establishWithin.toMillis(), TimeUnit.MILLISECONDS);
      if (first != Signal.ESTABLISHED) {
        return;
      }
      onChange.run();
      follow(signals);
    }
  }

  private void follow(BlockingQueue<Signal> signals) throws InterruptedException {
    Optional<Fingerprint> checked = Optional.empty();
    boolean changed = false;
    long checkNanos = time.nanoTime();
    while (!closed) {
      long untilCheck = checkNanos + CHECK_EVERY.toNanos() - time.nanoTime();
      var signal = signals.poll(Math.max(0, untilCheck), TimeUnit.NANOSECONDS);
      if (signal == null) {
        var now = fingerprint();
        if (!changed && checked.isPresent() && now.isPresent() && !checked.equals(now)) {
          log.warn("etcd watch was silent although keys changed; beginning again");
          return;
        }
        checked = now;
        changed = false;
        checkNanos = time.nanoTime();
        continue;
      }
      var ended = signal == Signal.ENDED;
      for (Signal more = signals.poll(); more != null; more = signals.poll()) {
        ended |= more == Signal.ENDED;
      }
      if (ended) {
        return;
      }
      changed = true;
      onChange.run();
    }
  }

  private Optional<Fingerprint> fingerprint() {
    var newestFirst =
        GetOption.builder()
            .withRange(EtcdKeys.bytes(to))
            .withSortField(GetOption.SortTarget.MOD)
            .withSortOrder(GetOption.SortOrder.DESCEND)
            .withKeysOnly(true)
            .withLimit(1)
            .build();
    try {
      var answer =
          connection.read(
              "check of the watch",
              client -> client.getKVClient().get(EtcdKeys.bytes(from), newestFirst));
      long newest = answer.getKvs().isEmpty() ? 0 : answer.getKvs().getFirst().getModRevision();
      return Optional.of(
          new Fingerprint(answer.getHeader().getClusterId(), answer.getCount(), newest));
    } catch (GatewayException e) {
      log.atDebug().setCause(e).log("watch not checked");
      return Optional.empty();
    }
  }

  /** Interrupts; returns when the call in progress, if any, has ended. */
  @Override
  public void close() {
    closed = true;
    if (Thread.currentThread().equals(thread)) {
      return;
    }
    thread.interrupt();
    try {
      thread.join(Duration.ofSeconds(5));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private record SignalListener(BlockingQueue<Signal> signals) implements Watch.Listener {
    @Override
    public void onNext(WatchResponse response) {
      var _ = signals.offer(response.isCreatedNotify() ? Signal.ESTABLISHED : Signal.CHANGED);
    }

    @Override
    public void onError(Throwable failure) {
      var _ = signals.offer(Signal.ENDED);
    }

    @Override
    public void onCompleted() {
      var _ = signals.offer(Signal.ENDED);
    }
  }
}
