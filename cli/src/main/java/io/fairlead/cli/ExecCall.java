package io.fairlead.cli;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import io.fairlead.api.ErrorReport;
import io.fairlead.v1.ExecReply;
import io.fairlead.v1.ExecRequest;
import io.fairlead.v1.ExecStart;
import io.fairlead.v1.ExecStdinEnd;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.io.EOFException;
import java.io.IOException;
import java.io.PrintStream;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;

/**
 * One program that runs elsewhere: what it prints goes to the console on the call's thread, so a
 * slow console slows the program; input is read by a thread of its own, not faster than it is
 * taken.
 */
final class ExecCall implements ClientResponseObserver<ExecRequest, ExecReply> {
  private static final int BLOCK = 16 << 10;

  /** The exit code where what the program prints cannot be written. */
  private static final int UNREAD = 1;

  private final Console console;
  private final ExecStart start;
  private final CompletableFuture<Integer> exit = new CompletableFuture<>();
  private final CompletableFuture<ClientCallStreamObserver<ExecRequest>> requests =
      new CompletableFuture<>();
  private final Semaphore ready = new Semaphore(0);

  /** Whether there was somebody who may have started the program. */
  private volatile boolean connected;

  ExecCall(Console console, ExecStart start) {
    this.console = console;
    this.start = start;
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<ExecRequest> stream) {
    stream.setOnReadyHandler(() -> {
      connected = true;
      ready.release();
    });
    requests.complete(stream);
  }

  /**
   * After the call was begun: runs the program to its end.
   *
   * @return its exit code
   * @throws StatusRuntimeException it could not be run, or the connection was lost
   */
  int run() throws InterruptedException {
    var stream = requests.join();
    stream.onNext(ExecRequest.newBuilder().setStart(start).build());
    if (start.getStdin()) {
      Thread.ofPlatform().daemon().name("stdin").start(() -> feed(stream));
    }
    try {
      return exit.get();
    } catch (ExecutionException e) {
      var cause = requireNonNull(e.getCause()); // of every future that failed
      if (connected && ErrorReport.of(cause).isLostConnection()) {
        throw new CliException(
            "error: the connection was lost: the program is killed then, if it had not ended");
      }
      throw cause instanceof StatusRuntimeException status
          ? status
          : Status.fromThrowable(cause).asRuntimeException();
    }
  }

  private void feed(ClientCallStreamObserver<ExecRequest> stream) {
    var block = new byte[BLOCK];
    try {
      for (int count = console.in().read(block); count >= 0; count = console.in().read(block)) {
        while (!stream.isReady() && !exit.isDone()) {
          ready.acquire();
        }
        if (exit.isDone()) {
          return;
        }
        stream.onNext(
            ExecRequest.newBuilder().setStdin(ByteString.copyFrom(block, 0, count)).build());
      }
      stream.onNext(
          ExecRequest.newBuilder().setStdinEnd(ExecStdinEnd.getDefaultInstance()).build());
    } catch (IOException | InterruptedException | IllegalStateException _) {
      // no more input, or the program has ended
    }
  }

  @Override
  public void onNext(ExecReply reply) {
    switch (reply.getMessageCase()) {
      case STDOUT -> print(reply.getStdout(), console.out());
      case STDERR -> print(reply.getStderr(), console.err());
      case EXIT_CODE -> exit.complete(reply.getExitCode());
      case MESSAGE_NOT_SET -> {
        // of a newer server
      }
    }
    ready.release();
  }

  /** Where nobody reads it any more, as behind {@code | head}, the program is ended. */
  private void print(ByteString bytes, PrintStream to) {
    to.writeBytes(bytes.toByteArray());
    if (to.checkError() && exit.complete(UNREAD)) {
      requests.join().cancel("what it prints is not read any more", new EOFException());
    }
  }

  @Override
  public void onError(Throwable cause) {
    exit.completeExceptionally(cause);
    ready.release();
  }

  @Override
  public void onCompleted() {
    exit.completeExceptionally(
        Status.INTERNAL.withDescription("the program's end was not told").asRuntimeException());
    ready.release();
  }
}
