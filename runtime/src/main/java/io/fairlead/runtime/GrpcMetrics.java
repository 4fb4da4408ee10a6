package io.fairlead.runtime;

import io.fairlead.core.run.Time;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.Gauge;
import io.prometheus.metrics.core.metrics.Histogram;
import java.util.concurrent.TimeUnit;

/** Counts and measures calls by method. */
final class GrpcMetrics implements ServerInterceptor {
  private final Counter calls;
  private final Histogram seconds;
  private final Gauge open;
  private final Time time = Time.system();

  GrpcMetrics(Metrics metrics) {
    calls = metrics.counter("grpc", "server_calls", "Calls that ended.", "method", "code");
    seconds =
        metrics.seconds("grpc", "server_call_duration", "How long unary calls took.", "method");
    open = metrics.gauge("grpc", "server_open_calls", "Calls that run now.", "method");
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    var method = call.getMethodDescriptor().getFullMethodName();
    long begin = time.nanoTime();
    open.labelValues(method).inc();
    var measured =
        new SimpleForwardingServerCall<Q, R>(call) {
          @Override
          public void close(Status status, Metadata trailers) {
            calls.labelValues(method, status.getCode().name()).inc();
            super.close(status, trailers);
          }
        };
    var listener = next.startCall(measured, headers);
    return new EndListener<>(listener) {
      @Override
      void ended(End end) {
        open.labelValues(method).dec();
        switch (end) {
          case CANCELLED -> calls.labelValues(method, Status.Code.CANCELLED.name()).inc();
          case COMPLETE -> {
            if (call.getMethodDescriptor().getType() == MethodType.UNARY) {
              seconds
                  .labelValues(method)
                  .observe((time.nanoTime() - begin) / (double) TimeUnit.SECONDS.toNanos(1));
            }
          }
        }
      }
    };
  }
}
