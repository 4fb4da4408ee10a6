package io.fairlead.standalone.pods.grpc;

import com.google.protobuf.ByteString;
import io.fairlead.api.Errors;
import io.fairlead.standalone.pods.run.RunLog;
import io.fairlead.v1.LogsReply;
import java.io.IOException;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One client's reading of one log, on a thread of its own. */
final class LogCopier {
  private static final Logger LOG = LoggerFactory.getLogger(LogCopier.class);

  private final RunLog log;
  private final OptionalLong tail;
  private final RunLog.Reader.AtEnd atEnd;
  private volatile @Nullable Thread thread;

  LogCopier(RunLog log, OptionalLong tail, RunLog.Reader.AtEnd atEnd) {
    this.log = log;
    this.tail = tail;
    this.atEnd = atEnd;
  }

  void start(Outbox<LogsReply> outbox) {
    thread = Thread.ofVirtual().name("logs").start(() -> copy(outbox));
  }

  /** The client has gone. */
  void leave() {
    var copying = thread;
    if (copying != null) {
      copying.interrupt();
    }
  }

  private void copy(Outbox<LogsReply> outbox) {
    try (var reader = log.read(tail)) {
      for (var bytes = reader.next(atEnd); bytes.length > 0; bytes = reader.next(atEnd)) {
        outbox.send(LogsReply.newBuilder().setData(ByteString.copyFrom(bytes)).build());
      }
      outbox.complete();
    } catch (IOException e) {
      LOG.atWarn().setCause(e).log("Cannot read a container's log");
      outbox.fail(Errors.dependencyUnavailable("cannot read the log: " + e.getMessage()));
    } catch (InterruptedException | Outbox.ClientGoneException _) {
      // nobody listens any more
    }
  }
}
