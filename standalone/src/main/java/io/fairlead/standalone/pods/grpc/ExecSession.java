package io.fairlead.standalone.pods.grpc;

import com.google.protobuf.ByteString;
import io.fairlead.api.Errors;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.standalone.pods.run.ExecProcess;
import io.fairlead.v1.ExecReply;
import io.fairlead.v1.ExecRequest;
import io.fairlead.v1.ExecStart;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One program of one client. The call's own thread only hands on; one thread feeds the program, two
 * read what it prints, one waits for its end. The next message of the client is asked for when the
 * program has taken the one before, so that nothing piles up.
 */
final class ExecSession implements StreamObserver<ExecRequest> {
  /** How long something that the program left behind may keep its output open. */
  private static final Duration LINGER = Duration.ofSeconds(1);

  private static final int BLOCK = 16 << 10;

  private final Outbox<ExecReply> outbox;
  private final Function<ExecStart, ExecProcess> starter;

  /** At most a message and the end: the next message is asked for when this one is written. */
  private final BlockingQueue<Optional<ByteString>> input = new LinkedBlockingQueue<>();

  private volatile @Nullable Thread feeder;
  private volatile @Nullable ExecProcess process;
  private volatile boolean gone;

  /**
   * Made while the call's method runs.
   *
   * @param starter throws what the client is to be told
   */
  ExecSession(ServerCallStreamObserver<ExecReply> call, Function<ExecStart, ExecProcess> starter) {
    this.starter = starter;
    this.outbox = Outbox.of(call, this::leave);
    call.disableAutoRequest();
    outbox.request();
  }

  /** The client has gone. */
  private void leave() {
    gone = true;
    var running = process;
    if (running != null) {
      running.kill();
    }
    stopFeeding();
  }

  private void stopFeeding() {
    var thread = feeder;
    if (thread != null) {
      thread.interrupt();
    }
  }

  @Override
  public void onNext(ExecRequest message) {
    switch (message.getMessageCase()) {
      case START -> start(message.getStart());
      case STDIN -> input.add(Optional.of(message.getStdin()));
      case STDIN_END -> input.add(Optional.empty());
      case MESSAGE_NOT_SET -> outbox.request(); // of a newer client
    }
  }

  private void start(ExecStart start) {
    if (process != null) {
      outbox.fail(Status.INVALID_ARGUMENT.withDescription("started twice").asRuntimeException());
      return;
    }
    ExecProcess running;
    try {
      running = starter.apply(start);
    } catch (StatusRuntimeException e) {
      outbox.fail(e);
      return;
    } catch (LaunchException e) {
      outbox.fail(Errors.dependencyUnavailable(String.valueOf(e.getMessage())));
      return;
    }
    process = running;
    if (gone) {
      running.kill();
    }
    var stdout =
        new Copier(running.stdout(), bytes -> ExecReply.newBuilder().setStdout(bytes).build());
    var stderr =
        new Copier(running.stderr(), bytes -> ExecReply.newBuilder().setStderr(bytes).build());
    stdout.start("exec-stdout");
    stderr.start("exec-stderr");
    if (start.getStdin()) {
      feeder = Thread.ofPlatform().daemon().name("exec-stdin").start(() -> feed(running));
    } else {
      close(running);
    }
    Thread.ofVirtual().name("exec-end").start(() -> await(running, stdout, stderr));
    outbox.request();
  }

  private void feed(ExecProcess running) {
    try {
      while (true) {
        var bytes = input.take();
        if (bytes.isEmpty()) {
          break;
        }
        bytes.get().writeTo(running.stdin());
        running.stdin().flush();
        outbox.request();
      }
    } catch (IOException | InterruptedException _) {
      // it does not read any more, or is gone
    }
    close(running);
  }

  private static void close(ExecProcess running) {
    try {
      running.stdin().close();
    } catch (IOException _) {
      // it has closed its end first
    }
  }

  /** Tells what the program prints on one of its outputs, on a thread of its own. */
  private final class Copier {
    private final InputStream output;
    private final Function<ByteString, ExecReply> message;

    private final AtomicLong blocks = new AtomicLong();
    private volatile boolean reading;
    private @Nullable Thread thread;

    Copier(InputStream output, Function<ByteString, ExecReply> message) {
      this.output = output;
      this.message = message;
    }

    void start(String name) {
      // a platform thread: reading from a pipe would hold a virtual one's carrier
      thread = Thread.ofPlatform().daemon().name(name).start(this::copy);
    }

    private void copy() {
      var block = new byte[BLOCK];
      try {
        while (true) {
          reading = true;
          int count = output.read(block);
          reading = false;
          if (count < 0) {
            return;
          }
          blocks.incrementAndGet();
          outbox.send(message.apply(ByteString.copyFrom(block, 0, count)));
        }
      } catch (IOException _) {
        // closed with the process
      } catch (InterruptedException | Outbox.ClientGoneException _) {
        leave();
      }
    }

    /**
     * After the program's end: waits until all that was printed has been told. A process in the
     * background that holds the output open is not waited for: once nothing has come for a while,
     * the reading is left to itself.
     */
    void drain() throws InterruptedException {
      var copying = thread;
      while (copying != null) {
        long before = blocks.get();
        if (copying.join(LINGER) || (reading && blocks.get() == before)) {
          return;
        }
      }
    }
  }

  private void await(ExecProcess running, Copier stdout, Copier stderr) {
    try {
      int code = running.awaitExit();
      stopFeeding();
      stdout.drain();
      stderr.drain();
      outbox.send(ExecReply.newBuilder().setExitCode(code).build());
      outbox.complete();
    } catch (InterruptedException | Outbox.ClientGoneException _) {
      // nobody wants to know
    }
  }

  @Override
  public void onError(Throwable cause) {
    leave();
  }

  @Override
  public void onCompleted() {
    if (process == null) {
      outbox.fail(
          Status.INVALID_ARGUMENT.withDescription("nothing was started").asRuntimeException());
    } else {
      input.add(Optional.empty());
    }
  }
}
