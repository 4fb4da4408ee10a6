package io.fairlead.decider.grpc;

import com.google.protobuf.ByteString;
import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.FollowListener;
import io.fairlead.eventlog.log.MissingOffsetException;
import io.fairlead.v1.ReadLogReply;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;

/**
 * One caller that reads the log. Its follower's thread writes, and waits where the caller does not
 * take more; so nothing piles up here. A virtual thread of its own waits for the end and closes.
 */
final class LogRead implements FollowListener {
  /** When it is over. */
  enum Until {
    END,
    CALLER_LEAVES
  }

  private final EventLog log;
  private final Position from;
  private final Map<LogPartition, Long> ends;
  private final Until until;
  private final ServerCallStreamObserver<ReadLogReply> replies;
  private final Semaphore wake = new Semaphore(0);

  /** Empty: all was told. */
  private final CompletableFuture<Optional<Throwable>> done = new CompletableFuture<>();

  /** Whether the end was told; of the follower's thread. */
  private boolean endTold;

  LogRead(
      EventLog log,
      Position from,
      Map<LogPartition, Long> ends,
      Until until,
      ServerCallStreamObserver<ReadLogReply> replies) {
    this.log = log;
    this.from = from;
    this.ends = new TreeMap<>(ends);
    this.until = until;
    this.replies = replies;
    replies.setOnReadyHandler(wake::release);
    replies.setOnCancelHandler(() -> end(Status.CANCELLED.asRuntimeException()));
  }

  void start(Runnable whenDone) {
    Thread.ofVirtual().name("log-read").start(() -> run(whenDone));
  }

  /** The first reason counts. */
  void end(Throwable why) {
    done.complete(Optional.of(why));
    wake.release();
  }

  private void run(Runnable whenDone) {
    Optional<Throwable> why;
    try {
      if (from.coversOffsets(ends)) {
        onEntries(List.of(), from);
      }
      why = done.isDone() ? done.get() : follow();
    } catch (ExecutionException | RuntimeException e) {
      why = Optional.of(e);
    } catch (InterruptedException e) {
      why = Optional.of(Errors.shuttingDown());
    } finally {
      whenDone.run();
    }
    close(why);
  }

  /** Nobody writes any more when it returns: closing waits for the follower's thread. */
  private Optional<Throwable> follow() throws InterruptedException, ExecutionException {
    try (var _ = log.follow(ends.keySet(), from, this)) {
      return done.get();
    }
  }

  private void close(Optional<Throwable> why) {
    if (replies.isCancelled()) {
      return;
    }
    try {
      why.ifPresentOrElse(
          cause ->
              replies.onError(
                  cause instanceof MissingOffsetException
                      ? Errors.dependencyUnavailable("removed while it was read: begin again")
                      : Errors.of(cause)),
          replies::onCompleted);
    } catch (IllegalStateException _) {
      // the caller went away meanwhile
    }
  }

  @Override
  public void onEntries(List<LogEntry> entries, Position applied) {
    for (var entry : entries) {
      if (until == Until.END && entry.offset() >= ends.getOrDefault(entry.partition(), 0L)) {
        continue;
      }
      if (!awaitReady()) {
        return;
      }
      replies.onNext(ReadLogReply.newBuilder().setEntry(message(entry)).build());
    }
    if (endTold || done.isDone() || !applied.coversOffsets(ends)) {
      return;
    }
    endTold = true;
    var reached =
        switch (until) {
          case END -> new Position(log.identity(), new TreeMap<>(ends));
          case CALLER_LEAVES -> applied;
        };
    replies.onNext(ReadLogReply.newBuilder().setEnd(PositionCodec.proto(reached)).build());
    if (until == Until.END) {
      done.complete(Optional.empty());
    }
  }

  private boolean awaitReady() {
    while (!done.isDone()) {
      if (replies.isReady()) {
        return true;
      }
      try {
        wake.acquire();
        wake.drainPermits();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        end(Errors.shuttingDown());
      }
    }
    return false;
  }

  private static io.fairlead.v1.LogEntry message(LogEntry entry) {
    var message =
        io.fairlead.v1.LogEntry.newBuilder()
            .setPartition(entry.partition().toString())
            .setOffset(entry.offset())
            .setKey(entry.event().key().toString())
            .setAppended(Timestamps.proto(entry.timestamp()));
    EventCodec.value(entry.event())
        .ifPresent(value -> message.setRecord(ByteString.copyFrom(value)));
    return message.build();
  }

  /** The follower tries again; who reads waits, as long as it likes. */
  @Override
  public void onConnection(Connection state) {}

  @Override
  public void onFault(Throwable cause) {
    end(cause);
  }
}
