package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.codec.EventCodec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidPidMappingException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;

/**
 * The writer of one partition: a producer with the partition's transactional id. One thread at a
 * time; holds nothing durable.
 *
 * <p>A transaction has two halves. Until all records are acknowledged nothing is committed, and the
 * outcome of every failure is known. From the moment the commit is sent it is not: the client sends
 * a commit again whose answer was lost, and what the second one is told (fenced, for one) says
 * nothing of the first.
 */
final class KafkaAppender implements PartitionAppender {
  private enum State {
    USABLE,
    /**
     * A transaction that will never be committed is still to be aborted, before the next one
     * begins.
     */
    TO_ABORT,
    BROKEN
  }

  private final Producer<byte[], byte[]> producer;
  private final LogPartition partition;
  private final Partitioning partitioning;
  private final Duration limit;
  private final Runnable requireSameLog;
  private final Time time;
  private final FaultPoints points;
  private final Consumer<KafkaAppender> onClosed;
  private State state = State.USABLE;

  /**
   * @param producer after initTransactions
   * @param requireSameLog throws {@link ForeignLogException} once the log was found to be another
   */
  KafkaAppender(
      Producer<byte[], byte[]> producer,
      LogPartition partition,
      Partitioning partitioning,
      Duration limit,
      Runnable requireSameLog,
      Time time,
      FaultPoints points,
      Consumer<KafkaAppender> onClosed) {
    this.producer = producer;
    this.partition = partition;
    this.partitioning = partitioning;
    this.limit = limit;
    this.requireSameLog = requireSameLog;
    this.time = time;
    this.points = points;
    this.onClosed = onClosed;
  }

  @Override
  public LogPartition partition() {
    return partition;
  }

  @Override
  public void append(List<LogEvent> events) {
    Layout.requireHere(partitioning, partition, events);
    var records = new ArrayList<ProducerRecord<byte[], byte[]>>();
    for (var event : events) {
      var record = EventCodec.encode(partition, event);
      requireFits(event, record);
      records.add(record);
    }
    requireSameLog.run();
    begin();
    write(records);
    points.reached(FaultPoint.COMMIT_APPENDED);
    commit();
  }

  private static void requireFits(LogEvent event, ProducerRecord<byte[], byte[]> record) {
    int size = record.key().length + (record.value() == null ? 0 : record.value().length);
    for (var header : record.headers()) {
      size += header.key().length() + header.value().length;
    }
    if (size > KafkaClients.MAX_RECORD_BYTES) {
      throw new IllegalArgumentException(
          "%s takes %d bytes, allowed are %d"
              .formatted(event.key(), size, KafkaClients.MAX_RECORD_BYTES));
    }
  }

  private void begin() {
    switch (state) {
      case USABLE -> {}
      case TO_ABORT -> abort(new IllegalStateException("the abort before did not end"));
      case BROKEN -> throw new IllegalStateException("appender of " + partition + " is closed");
    }
    try {
      producer.beginTransaction();
    } catch (RuntimeException e) {
      throw beforeCommit(e);
    }
  }

  private void write(List<ProducerRecord<byte[], byte[]>> records) {
    long deadline = time.nanoTime() + limit.toNanos();
    try {
      var sent = new ArrayList<Future<RecordMetadata>>();
      for (var record : records) {
        sent.add(producer.send(record));
      }
      for (var future : sent) {
        future.get(Math.max(1, deadline - time.nanoTime()), TimeUnit.NANOSECONDS);
      }
    } catch (ExecutionException e) {
      throw beforeCommit(e.getCause() == null ? e : e.getCause());
    } catch (TimeoutException e) {
      throw beforeCommit(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw beforeCommit(e);
    } catch (RuntimeException e) {
      throw beforeCommit(e);
    }
  }

  private void commit() {
    try {
      producer.commitTransaction();
    } catch (RuntimeException e) {
      state = State.BROKEN;
      throw new GatewayException(
          Outcome.UNKNOWN, "commit to %s: %s".formatted(partition, KafkaEventLog.words(e)), e);
    }
  }

  /** The exception that says what became of a transaction whose commit was never sent. */
  private RuntimeException beforeCommit(Throwable cause) {
    if (isFenced(cause)) {
      state = State.BROKEN;
      return new FencedException(partition, cause);
    }
    abort(cause);
    return new GatewayException(
        Outcome.KNOWN_FAILED,
        "append to %s: %s".formatted(partition, KafkaEventLog.words(cause)),
        cause);
  }

  /** Returns when the appender may be used again, if only to try the abort once more. */
  private void abort(Throwable cause) {
    state = State.TO_ABORT;
    try {
      producer.abortTransaction();
      state = State.USABLE;
    } catch (org.apache.kafka.common.errors.TimeoutException | InterruptException e) {
      var failed =
          new GatewayException(
              Outcome.KNOWN_FAILED,
              "append to %s: %s".formatted(partition, KafkaEventLog.words(cause)),
              cause);
      failed.addSuppressed(e);
      throw failed;
    } catch (RuntimeException e) {
      state = State.BROKEN;
      if (isFenced(e)) {
        throw new FencedException(partition, e);
      }
      // Nothing was committed and nothing will be, but UNKNOWN is what makes the caller open
      // another appender
      var failed =
          new GatewayException(
              Outcome.UNKNOWN, "append to %s: %s".formatted(partition, KafkaEventLog.words(e)), e);
      failed.addSuppressed(cause);
      throw failed;
    }
  }

  /**
   * Whether the brokers said that a later producer has the transactional id. Kafka wraps it in
   * various ways.
   */
  private static boolean isFenced(Throwable e) {
    for (var cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof ProducerFencedException
          || cause instanceof InvalidProducerEpochException
          || cause instanceof InvalidPidMappingException) {
        return true;
      }
    }
    return false;
  }

  /** What is open is left to the successor's initTransactions, or to the transaction's time-out. */
  @Override
  public void close() {
    state = State.BROKEN;
    producer.close(Duration.ZERO);
    onClosed.accept(this);
  }
}
