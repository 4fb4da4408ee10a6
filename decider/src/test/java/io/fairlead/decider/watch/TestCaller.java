package io.fairlead.decider.watch;

import io.grpc.stub.ServerCallStreamObserver;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** The caller's side of a stream, which reads only when it is told to. */
final class TestCaller<M> extends ServerCallStreamObserver<M> {
  final List<M> read = new CopyOnWriteArrayList<>();
  volatile Optional<Throwable> end = Optional.empty();
  private volatile boolean reads;
  private volatile Runnable onReady = () -> {};
  private volatile Runnable onCancel = () -> {};

  TestCaller<M> reading() {
    reads = true;
    onReady.run();
    return this;
  }

  void pause() {
    reads = false;
  }

  void goAway() {
    onCancel.run();
  }

  @Override
  public void onNext(M message) {
    read.add(message);
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
  public boolean isReady() {
    return reads;
  }

  @Override
  public void setOnReadyHandler(Runnable handler) {
    onReady = handler;
  }

  @Override
  public void setOnCancelHandler(Runnable handler) {
    onCancel = handler;
  }

  @Override
  public boolean isCancelled() {
    return false;
  }

  @Override
  public void setCompression(String compression) {}

  @Override
  public void disableAutoInboundFlowControl() {}

  @Override
  public void request(int count) {}

  @Override
  public void setMessageCompression(boolean enable) {}
}
