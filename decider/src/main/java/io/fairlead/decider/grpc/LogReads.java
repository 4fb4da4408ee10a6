package io.fairlead.decider.grpc;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.v1.ReadLogBegin;
import io.fairlead.v1.ReadLogReply;
import io.fairlead.v1.ReadLogRequest;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Callers that read the log through this replica. Each has a follower of its own, which waits when
 * its caller does; so their number is bounded. Soft. Thread-safe.
 */
public final class LogReads implements AutoCloseable {
  /** Of one replica: each holds a connection to the log and what it fetched ahead. */
  public static final int MOST = 8;

  private final EventLog log;
  private final List<LogPartition> partitions;
  private final Set<LogRead> reads = ConcurrentHashMap.newKeySet();
  private final AtomicInteger open = new AtomicInteger();
  private volatile boolean closed;

  /**
   * Opens nothing yet.
   *
   * @param partitions that may be read here
   */
  public LogReads(EventLog log, Collection<LogPartition> partitions) {
    this.log = log;
    this.partitions = List.copyOf(partitions);
  }

  /**
   * Tells a caller the entries it asks for. To be called from the handler of the call; blocks only
   * until the log's offsets are known.
   *
   * @throws StatusRuntimeException INVALID, FOREIGN_LOG, LIMIT_REACHED, SHUTTING_DOWN
   */
  void open(ReadLogRequest request, StreamObserver<ReadLogReply> replies) {
    var wanted = partitions(request);
    var asked = position(request);
    if (closed) {
      throw Errors.shuttingDown();
    }
    if (open.incrementAndGet() > MOST) {
      open.decrementAndGet();
      throw Errors.limitReached("at most " + MOST + " readers of the log at one replica");
    }
    try {
      start(request, wanted, asked, (ServerCallStreamObserver<ReadLogReply>) replies);
    } catch (RuntimeException e) {
      open.decrementAndGet();
      throw e;
    }
  }

  private void start(
      ReadLogRequest request,
      List<LogPartition> wanted,
      Optional<Position> asked,
      ServerCallStreamObserver<ReadLogReply> replies) {
    var completeSince = log.completeSince(); // before anything is read: compaction goes on
    var starts = log.startOffsets(wanted);
    var ends = log.endOffsets(wanted);
    var from = from(wanted, asked, starts, ends);
    var read =
        new LogRead(
            log,
            from,
            ends,
            request.getFollow() ? LogRead.Until.CALLER_LEAVES : LogRead.Until.END,
            replies);
    replies.onNext(
        ReadLogReply.newBuilder()
            .setBegin(
                ReadLogBegin.newBuilder()
                    .setRetained(
                        PositionCodec.proto(new Position(log.identity(), new TreeMap<>(starts))))
                    .setFrom(PositionCodec.proto(from))
                    .setEnd(PositionCodec.proto(new Position(log.identity(), new TreeMap<>(ends))))
                    .setCompleteSince(Timestamps.proto(completeSince)))
            .build());
    reads.add(read);
    if (closed) {
      read.end(Errors.shuttingDown());
    }
    read.start(() -> {
      reads.remove(read);
      open.decrementAndGet();
    });
  }

  private List<LogPartition> partitions(ReadLogRequest request) {
    if (request.getPartitionsCount() == 0) {
      return partitions;
    }
    return request.getPartitionsList().stream()
        .distinct()
        .map(text ->
            LogPartition.parse(text)
                .filter(partitions::contains)
                .orElseThrow(() ->
                    Errors.invalid(
                        "partitions",
                        Reason.NOT_SUPPORTED,
                        "\"" + text + "\" is not read here, only " + partitions)))
        .toList();
  }

  private Optional<Position> position(ReadLogRequest request) {
    if (!request.hasFrom()) {
      return Optional.empty();
    }
    var position =
        PositionCodec.model(request.getFrom())
            .orElseThrow(() ->
                Errors.invalid(
                    "from",
                    Reason.INVALID,
                    "must be a position that this API gave out, e.g. s:871,p7:12"));
    if (!position.log().equals(log.identity())) {
      throw Errors.foreignLog(log.identity().toString(), position.log().toString());
    }
    return Optional.of(position);
  }

  /** What is not there any more is left out; what is not there yet nobody can have seen. */
  private Position from(
      List<LogPartition> wanted,
      Optional<Position> asked,
      Map<LogPartition, Long> starts,
      Map<LogPartition, Long> ends) {
    var from = new TreeMap<LogPartition, Long>();
    for (var partition : wanted) {
      long first = starts.getOrDefault(partition, 0L);
      long end = ends.getOrDefault(partition, first);
      long offset = asked.map(position -> position.of(partition)).orElse(first);
      if (offset > end) {
        throw Errors.invalid(
            "from",
            Reason.INVALID,
            "%s:%d is behind the end, which is %d".formatted(partition, offset, end));
      }
      from.put(partition, Math.max(first, offset));
    }
    return new Position(log.identity(), from);
  }

  /** How many read. */
  public int size() {
    return open.get();
  }

  /** Ends every read with UNAVAILABLE, and refuses those that come. */
  @Override
  public void close() {
    closed = true;
    reads.forEach(read -> read.end(Errors.shuttingDown()));
  }
}
