package io.fairlead.testbed.history;

import io.fairlead.v1.ServicesGrpc;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Makes of a replica one with a planted defect: now and then a read of a Service is answered with
 * what an earlier read of the same was answered.
 */
public final class StaleReads implements ClientInterceptor {
  private static final int EVERY = 8;

  private final ConcurrentHashMap<String, Object> earlier = new ConcurrentHashMap<>();
  private final AtomicInteger reads = new AtomicInteger();

  private StaleReads() {}

  /** The channel with the defect. */
  public static Channel between(Channel channel) {
    return ClientInterceptors.intercept(channel, new StaleReads());
  }

  @Override
  public <Q, P> ClientCall<Q, P> interceptCall(
      MethodDescriptor<Q, P> method, CallOptions options, Channel next) {
    var call = next.newCall(method, options);
    return method.getFullMethodName().equals(ServicesGrpc.getGetMethod().getFullMethodName())
        ? new StaleCall<>(call)
        : call;
  }

  private final class StaleCall<Q, P> extends SimpleForwardingClientCall<Q, P> {
    private String asked = "";

    StaleCall(ClientCall<Q, P> call) {
      super(call);
    }

    @Override
    public void sendMessage(Q message) {
      asked = message.toString();
      super.sendMessage(message);
    }

    @Override
    public void start(Listener<P> listener, Metadata headers) {
      super.start(
          new SimpleForwardingClientCallListener<>(listener) {
            @Override
            @SuppressWarnings("unchecked") // of the same method
            public void onMessage(P message) {
              var before = (P) earlier.putIfAbsent(asked, message);
              boolean lie = before != null && reads.incrementAndGet() % EVERY == 0;
              super.onMessage(lie ? before : message);
            }
          },
          headers);
    }
  }
}
