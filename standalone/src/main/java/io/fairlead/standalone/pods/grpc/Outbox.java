package io.fairlead.standalone.pods.grpc;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The answers of one call, written by threads that wait while the client is slow, so that no more
 * than one message of each waits in memory. The lock guards the call, which is for one thread at a
 * time.
 */
final class Outbox<T> {
  /** The client has gone; nothing can be said any more. */
  static final class ClientGoneException extends Exception {
    private static final long serialVersionUID = 1L;
  }

  private final ServerCallStreamObserver<T> call;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean over;

  private Outbox(ServerCallStreamObserver<T> call) {
    this.call = call;
  }

  /**
   * Of a call whose method runs at the moment.
   *
   * @param gone is run when the client goes before the end
   */
  static <T> Outbox<T> of(ServerCallStreamObserver<T> call, Runnable gone) {
    var outbox = new Outbox<>(call);
    call.setOnReadyHandler(outbox::wake);
    call.setOnCancelHandler(() -> {
      outbox.wake();
      gone.run();
    });
    return outbox;
  }

  /** Asks the client for its next message. */
  void request() {
    lock.lock();
    try {
      call.request(1);
    } finally {
      lock.unlock();
    }
  }

  private void wake() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Says it, when the client has taken what was said before. */
  void send(T message) throws ClientGoneException, InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!call.isReady() && !call.isCancelled() && !over) {
        changed.await();
      }
      if (call.isCancelled() || over) {
        throw new ClientGoneException();
      }
      call.onNext(message);
    } finally {
      lock.unlock();
    }
  }

  void complete() {
    end(call::onCompleted);
  }

  void fail(StatusRuntimeException error) {
    end(() -> call.onError(error));
  }

  private void end(Runnable how) {
    lock.lock();
    try {
      if (!over && !call.isCancelled()) {
        how.run();
      }
      over = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
