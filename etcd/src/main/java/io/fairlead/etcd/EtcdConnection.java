package io.fairlead.etcd;

import io.etcd.jetcd.Client;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The jetcd client of the moment. Thread-safe. A client that got no answer for a while is replaced:
 * gRPC waits up to two minutes between two attempts to connect, and jetcd gives no way to end that
 * wait when etcd is back.
 */
final class EtcdConnection implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EtcdConnection.class);
  private static final Duration RENEW_AFTER = Duration.ofSeconds(2);

  private final EtcdConfig config;
  private final Time time;
  private final CallGuard guard;
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

  /** Guards the replacement of the client. */
  private final ReentrantLock lock = new ReentrantLock();

  private volatile Client client;
  private @Nullable Client retired;
  private long builtNanos;
  private boolean closed;

  EtcdConnection(EtcdConfig config, Time time) {
    this.config = config;
    this.time = time;
    this.guard = new CallGuard(config.callTimeout(), time);
    this.client = build();
    this.builtNanos = time.nanoTime();
  }

  Client client() {
    return client;
  }

  /** A call without effect: its failure is always KNOWN_FAILED. */
  <T> T read(String what, Function<Client, CompletableFuture<T>> call) {
    return await(what, call, Outcome.KNOWN_FAILED);
  }

  /** A call that changes something: UNKNOWN unless it is certain that etcd did not do it. */
  <T> T write(String what, Function<Client, CompletableFuture<T>> call) {
    return await(what, call, Outcome.UNKNOWN);
  }

  private <T> T await(
      String what, Function<Client, CompletableFuture<T>> call, Outcome whenInDoubt) {
    CompletableFuture<T> future;
    try {
      future = call.apply(client);
    } catch (RuntimeException e) { // jetcd's client was closed under us, or is about to be replaced
      throw new GatewayException(Outcome.KNOWN_FAILED, "etcd: " + what + " failed", e);
    }
    try {
      // the call has its own deadline; this one is for a client that never calls back
      return future.get(config.callTimeout().toMillis() + 1_000, TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      throw failed(what, e, whenInDoubt);
    } catch (TimeoutException e) {
      future.cancel(true);
      renewIfSilent();
      throw new GatewayException(whenInDoubt, away(what), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      future.cancel(true);
      throw new GatewayException(whenInDoubt, "etcd: " + what + " was interrupted", e);
    }
  }

  /**
   * All of them, when all have ended. Where several fail, one that etcd may have done all the same
   * says how.
   */
  static <T> CompletableFuture<List<T>> together(List<CompletableFuture<T>> calls) {
    return CompletableFuture.allOf(calls.toArray(CompletableFuture[]::new))
        .handle((_, _) -> {
          var failures =
              calls.stream()
                  .filter(call -> call.state() != Future.State.SUCCESS)
                  .sorted(Comparator.comparing(EtcdConnection::withoutEffect))
                  .toList();
          return failures.isEmpty()
              ? calls.stream().map(CompletableFuture::join).toList()
              : List.of(failures.getFirst().join());
        });
  }

  private static boolean withoutEffect(CompletableFuture<?> failed) {
    var broken = failed.state() == Future.State.FAILED ? brokenCall(failed.exceptionNow()) : null;
    return broken != null && broken.withoutEffect();
  }

  private GatewayException failed(String what, ExecutionException e, Outcome whenInDoubt) {
    var broken = brokenCall(e);
    if (broken == null) {
      return new GatewayException(whenInDoubt, "etcd: " + what + " failed", e);
    }
    var words =
        broken.connectionTrouble() && broken.ofEtcd().isEmpty()
            ? away(what)
            : "etcd at %s: %s failed: %s"
                .formatted(endpoints(), what, broken.ofEtcd().orElse(broken.getMessage()));
    if (broken.connectionTrouble()) {
      renewIfSilent();
    }
    return new GatewayException(
        broken.withoutEffect() ? Outcome.KNOWN_FAILED : whenInDoubt, words, broken);
  }

  /** For whoever can do something about it; gRPC's own words are in the cause. */
  private String away(String what) {
    var silence =
        guard
            .answered()
            .map(last -> "has not answered since " + last.truncatedTo(ChronoUnit.SECONDS))
            .orElse("has never answered");
    return "etcd at %s %s (%s); what is there goes on meanwhile, only what needs etcd waits"
        .formatted(endpoints(), silence, what);
  }

  private String endpoints() {
    return String.join(", ", config.endpoints());
  }

  /** What the guard noted about a failed call, where the failure came from a call at all. */
  static @Nullable BrokenCallException brokenCall(@Nullable Throwable failure) {
    for (var cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof BrokenCallException broken) {
        return broken;
      }
    }
    return null;
  }

  /** Replaces the client if etcd has been silent; at most once in that time. */
  void renewIfSilent() {
    long now = time.nanoTime();
    if (now - guard.answeredNanos() < RENEW_AFTER.toNanos() || !lock.tryLock()) {
      return;
    }
    Client previous;
    try {
      if (closed || now - builtNanos < RENEW_AFTER.toNanos()) {
        return;
      }
      // the one before last: the last one may still carry calls that wait for their deadline
      previous = retired;
      retired = client;
      client = build();
      builtNanos = now;
    } finally {
      lock.unlock();
    }
    log.debug("connecting to etcd anew");
    if (previous != null) {
      previous.close();
    }
  }

  private Client build() {
    return Client.builder()
        .endpoints(config.uris())
        .waitForReady(false)
        .connectTimeout(config.callTimeout())
        .keepaliveTime(Duration.ofSeconds(10)) // etcd refuses pings more often than every 5 s
        .keepaliveTimeout(Duration.ofSeconds(3))
        .keepaliveWithoutCalls(false)
        .retryMaxAttempts(0)
        .maxInboundMessageSize(16 << 20)
        .executorService(executor)
        .interceptor(guard)
        .build();
  }

  @Override
  public void close() {
    Client last;
    Client previous;
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      last = client;
      previous = retired;
    } finally {
      lock.unlock();
    }
    last.close();
    if (previous != null) {
      previous.close();
    }
    executor.shutdownNow();
  }
}
