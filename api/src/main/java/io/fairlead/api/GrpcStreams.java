package io.fairlead.api;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Iterator;

/** Streams from the server. */
public final class GrpcStreams {
  private GrpcStreams() {}

  /**
   * Sends messages as the caller takes them, so that nothing piles up, and ends the stream. To be
   * called from the handler of the call, last; does not block.
   *
   * @param messages asked for on the threads of the call, one after another
   */
  public static <M> void send(Iterator<M> messages, StreamObserver<M> replies) {
    send(messages, replies, () -> {});
  }

  /**
   * Likewise.
   *
   * @param onEnd run when the stream has ended in whatever way
   */
  public static <M> void send(Iterator<M> messages, StreamObserver<M> replies, Runnable onEnd) {
    var call = (ServerCallStreamObserver<M>) replies;
    call.setOnCloseHandler(onEnd); // of the two one is run
    call.setOnCancelHandler(onEnd);
    call.setOnReadyHandler(
        new Runnable() {
          private boolean done;

          @Override
          public void run() {
            while (!done && call.isReady()) {
              if (messages.hasNext()) {
                call.onNext(messages.next());
              } else {
                done = true;
                call.onCompleted();
              }
            }
          }
        });
  }
}
