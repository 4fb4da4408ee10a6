package io.fairlead.etcd;

import io.fairlead.core.run.Time;
import io.fairlead.etcd.BrokenCallException.Reach;
import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientStreamTracer;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Stands under every call of jetcd: gives it a deadline (watches excepted), notes whether it ever
 * reached a connection, and turns every failure into ABORTED with a {@link BrokenCallException} as
 * cause. Because of that code jetcd neither retries by itself nor resumes a watch at a revision
 * that an etcd that was wiped will reach only much later: both are decided by us.
 */
final class CallGuard implements ClientInterceptor {
  private static final String WATCH = "etcdserverpb.Watch/Watch";

  private final Duration callTimeout;
  private final Time time;
  private final AtomicLong answeredNanos;
  private volatile Optional<Instant> answered = Optional.empty();

  CallGuard(Duration callTimeout, Time time) {
    this.callTimeout = callTimeout;
    this.time = time;
    this.answeredNanos = new AtomicLong(time.nanoTime());
  }

  /** When etcd last answered anything, for people; empty where it never did. */
  Optional<Instant> answered() {
    return answered;
  }

  /** When etcd last answered anything; the start where it never did. */
  long answeredNanos() {
    return answeredNanos.get();
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    var tracer = new ReachTracer();
    var traced = options.withStreamTracerFactory(tracer);
    var bounded =
        method.getFullMethodName().equals(WATCH)
            ? traced
            : traced.withDeadlineAfter(callTimeout.toMillis(), TimeUnit.MILLISECONDS);
    return new SimpleForwardingClientCall<>(next.newCall(method, bounded)) {
      @Override
      public void start(Listener<R> listener, Metadata headers) {
        super.start(
            new SimpleForwardingClientCallListener<>(listener) {
              @Override
              public void onMessage(R message) {
                answeredNanos.set(time.nanoTime());
                answered = Optional.of(time.now());
                super.onMessage(message);
              }

              @Override
              public void onClose(Status status, Metadata trailers) {
                super.onClose(status.isOk() ? status : broken(status, tracer.reach), trailers);
              }
            },
            headers);
      }
    };
  }

  private static Status broken(Status status, Reach reach) {
    return Status.ABORTED
        .withDescription(status.getDescription())
        .withCause(new BrokenCallException(status, reach));
  }

  /** Learns when a call is put on a connection. */
  private static final class ReachTracer extends ClientStreamTracer.Factory {
    private volatile Reach reach = Reach.NEVER_SENT;

    @Override
    public ClientStreamTracer newClientStreamTracer(
        ClientStreamTracer.StreamInfo info, Metadata headers) {
      return new ClientStreamTracer() {
        @Override
        public void streamCreated(Attributes transport, Metadata sent) {
          reach = Reach.SENT;
        }
      };
    }
  }
}
