package io.fairlead.endpoints;

import io.grpc.Context;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A caller that watches over real gRPC and keeps what it is told. */
final class Watching<M> implements StreamObserver<M>, AutoCloseable {
  private final List<M> messages = new CopyOnWriteArrayList<>();
  private final Context.CancellableContext context = Context.current().withCancellation();
  private volatile Optional<Throwable> end = Optional.empty();

  static <M> Watching<M> of(Consumer<StreamObserver<M>> call) {
    var watching = new Watching<M>();
    watching.context.run(() -> call.accept(watching));
    return watching;
  }

  List<M> messages() {
    return new ArrayList<>(messages);
  }

  Optional<Throwable> end() {
    return end;
  }

  /** Waits for a message. */
  M await(String what, Predicate<M> wanted) {
    Replicas.await(what, () -> messages.stream().anyMatch(wanted));
    return messages.stream().filter(wanted).findFirst().orElseThrow();
  }

  @Override
  public void onNext(M message) {
    messages.add(message);
  }

  @Override
  public void onError(Throwable error) {
    end = Optional.of(error);
  }

  @Override
  public void onCompleted() {
    end = Optional.of(new IllegalStateException("completed"));
  }

  @Override
  public void close() {
    context.cancel(null);
  }
}
