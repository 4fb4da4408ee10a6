package io.fairlead.runtime;

import io.fairlead.api.Errors;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns what a handler throws into the status it stands for, so that handlers may simply throw: a
 * refusal made by {@link Errors} as it is, trouble outside as UNAVAILABLE, anything else as
 * INTERNAL, logged, without its words going to the client.
 */
final class ErrorInterceptor implements ServerInterceptor {
  private static final Logger LOG = LoggerFactory.getLogger(ErrorInterceptor.class);

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    ServerCall.Listener<Q> listener;
    try {
      listener = next.startCall(call, headers);
    } catch (RuntimeException e) {
      close(call, e);
      return new ServerCall.Listener<>() {};
    }
    return new SimpleForwardingServerCallListener<Q>(listener) {
      @Override
      public void onMessage(Q message) {
        guarded(() -> super.onMessage(message));
      }

      @Override
      public void onHalfClose() {
        guarded(super::onHalfClose);
      }

      @Override
      public void onReady() {
        guarded(super::onReady);
      }

      private void guarded(Runnable step) {
        try {
          step.run();
        } catch (RuntimeException e) {
          close(call, e);
        }
      }
    };
  }

  private static void close(ServerCall<?, ?> call, RuntimeException e) {
    var error = Errors.of(e);
    if (error.getStatus().getCode() == Status.Code.INTERNAL) {
      LOG.atError()
          .setCause(e)
          .addKeyValue("method", call.getMethodDescriptor().getFullMethodName())
          .log("Handler failed");
    }
    var trailers = error.getTrailers();
    try {
      call.close(error.getStatus(), trailers == null ? new Metadata() : trailers);
    } catch (IllegalStateException _) {
      // the handler had closed it before it failed
    }
  }
}
