package io.fairlead.decider.grpc;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Who a call comes from, as its headers say.
 *
 * @param actor {@code fairlead-actor}, e.g. {@code user:alice}; nobody checks it yet
 * @param traceparent W3C trace context
 * @param forwarded from another replica: the revision of the ownership key that it saw
 */
public record Caller(String actor, Optional<String> traceparent, OptionalLong forwarded) {
  public static final String ANONYMOUS = "user:anonymous";

  private static final Metadata.Key<String> ACTOR = key("fairlead-actor");
  private static final Metadata.Key<String> TRACEPARENT = key("traceparent");
  private static final Metadata.Key<String> FORWARDED = key("fairlead-forwarded");
  private static final Context.Key<Caller> CURRENT = Context.key("fairlead-caller");

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  /** Of the call that is being handled on this thread; anonymous outside of one. */
  public static Caller current() {
    return Optional.ofNullable(CURRENT.get(Context.current()))
        .orElseGet(() -> new Caller(ANONYMOUS, Optional.empty(), OptionalLong.empty()));
  }

  /** Makes {@link #current} work in a server's handlers. */
  public static ServerInterceptor interceptor() {
    return new ServerInterceptor() {
      @Override
      public <Q, P> ServerCall.Listener<Q> interceptCall(
          ServerCall<Q, P> call, Metadata headers, ServerCallHandler<Q, P> next) {
        return Contexts.interceptCall(
            Context.current().withValue(CURRENT, of(headers)), call, headers, next);
      }
    };
  }

  static Caller of(Metadata headers) {
    var revision =
        Optional.ofNullable(headers.get(FORWARDED)).filter(r -> r.matches("[0-9]{1,18}"));
    return new Caller(
        Optional.ofNullable(headers.get(ACTOR))
            .filter(a -> a.matches("[!-~]{1,128}"))
            .orElse(ANONYMOUS),
        Optional.ofNullable(headers.get(TRACEPARENT)).filter(t -> t.length() <= 512),
        revision.isPresent()
            ? OptionalLong.of(Long.parseLong(revision.get()))
            : OptionalLong.empty());
  }

  /** The headers of the same call when it is sent to the owner. */
  Metadata headers(long revision) {
    var headers = new Metadata();
    headers.put(ACTOR, actor);
    traceparent.ifPresent(trace -> headers.put(TRACEPARENT, trace));
    headers.put(FORWARDED, Long.toString(revision));
    return headers;
  }
}
