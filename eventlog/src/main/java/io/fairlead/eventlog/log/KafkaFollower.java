package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.codec.UnreadableRecordException;
import io.fairlead.eventlog.log.FollowListener.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads partitions on a thread of its own, which owns everything but the latch and the consumer's
 * wake-up. Soft state: a position.
 *
 * <p>Kafka's consumer neither says that it lost its brokers nor that a topic of the same name is
 * another one. So every second a question about the topics' ids goes along; without an answer
 * nothing is read until one says that the log is still the same.
 */
final class KafkaFollower implements Follower {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaFollower.class);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration PAUSE_WHEN_LOST = Duration.ofMillis(100);

  private final Supplier<KafkaConsumer<byte[], byte[]>> consumers;
  private final KafkaAdmin admin;
  private final KafkaLogConfig config;
  private final Map<TopicPartition, LogPartition> partitions = new HashMap<>();
  private final FollowListener listener;
  private final Time time;
  private final Consumer<KafkaFollower> onClosed;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile @Nullable KafkaConsumer<byte[], byte[]> consumer;
  private volatile @Nullable Thread thread;
  private final EventCodec.Decoder decoder = new EventCodec.Decoder();
  private Position position;
  private Optional<Connection> state = Optional.empty();
  private Optional<KafkaFuture<Map<String, TopicDescription>>> check = Optional.empty();
  private long nextCheckNanos;

  KafkaFollower(
      Supplier<KafkaConsumer<byte[], byte[]>> consumers,
      KafkaAdmin admin,
      KafkaLogConfig config,
      List<LogPartition> partitions,
      Position from,
      FollowListener listener,
      Time time,
      Consumer<KafkaFollower> onClosed) {
    this.consumers = consumers;
    this.admin = admin;
    this.config = config;
    partitions.forEach(partition -> this.partitions.put(KafkaAdmin.kafka(partition), partition));
    this.position = from;
    this.listener = listener;
    this.time = time;
    this.onClosed = onClosed;
    this.nextCheckNanos = time.nanoTime();
  }

  void start(String name) {
    var started = Thread.ofPlatform().name(name).unstarted(this::run);
    thread = started;
    started.start();
  }

  private void run() {
    try {
      while (closed.getCount() > 0) {
        checkLog();
        if (state.equals(Optional.of(Connection.CONNECTED))) {
          read();
        } else {
          var _ = closed.await(PAUSE_WHEN_LOST.toMillis(), TimeUnit.MILLISECONDS);
        }
      }
    } catch (Throwable t) {
      if (closed.getCount() > 0) {
        listener.onFault(t);
      }
    } finally {
      var open = consumer;
      if (open != null) {
        closeQuietly(open);
      }
      onClosed.accept(this);
    }
  }

  /** Asks, or takes the answer; never waits. */
  private void checkLog() {
    if (check.isPresent() && check.get().isDone()) {
      var answered = check.get();
      check = Optional.empty();
      boolean asked = state.equals(Optional.of(Connection.CONNECTED));
      nextCheckNanos = time.nanoTime() + (asked ? config.timeouts().check().toNanos() : 0);
      try {
        admin.finishCheck(answered);
        become(Connection.CONNECTED, "");
      } catch (GatewayException e) {
        become(Connection.LOST, e.getMessage());
      }
    }
    if (check.isEmpty() && time.nanoTime() - nextCheckNanos >= 0) {
      admin.requireSame();
      check = Optional.of(admin.startCheck());
    }
  }

  private void become(Connection next, @Nullable String cause) {
    if (state.equals(Optional.of(next))) {
      return;
    }
    state = Optional.of(next);
    switch (next) {
      case CONNECTED ->
          LOG.atInfo()
              .addKeyValue("event", "log.connected")
              .addKeyValue("position", position)
              .log("Log reached");
      case LOST ->
          LOG.atWarn()
              .addKeyValue("event", "log.lost")
              .addKeyValue("position", position)
              .addKeyValue("cause", cause)
              .log("Log not reached");
    }
    listener.onConnection(next);
  }

  private void read() {
    KafkaConsumer<byte[], byte[]> reader;
    try {
      reader = opened();
    } catch (KafkaException e) {
      become(Connection.LOST, KafkaEventLog.words(e)); // names of brokers that do not resolve now
      return;
    }
    try {
      deliver(reader.poll(POLL));
    } catch (WakeupException _) {
      // close woke it
    } catch (OffsetOutOfRangeException e) {
      // A topic that was made anew is why offsets are missing, more often than not
      try {
        admin.check();
      } catch (GatewayException unreachable) {
        become(Connection.LOST, unreachable.getMessage());
        return;
      }
      throw missing(e);
    } catch (RetriableException | AuthenticationException | AuthorizationException e) {
      become(Connection.LOST, KafkaEventLog.words(e));
    }
  }

  private KafkaConsumer<byte[], byte[]> opened() {
    var open = consumer;
    if (open == null) {
      open = consumers.get();
      consumer = open;
      if (closed.getCount() == 0) {
        open.wakeup(); // close may have come before there was anything to wake
      }
      open.assign(partitions.keySet());
      for (var partition : partitions.entrySet()) {
        open.seek(partition.getKey(), position.of(partition.getValue()));
      }
    }
    return open;
  }

  private void deliver(ConsumerRecords<byte[], byte[]> records) {
    var applied = position;
    for (var next : records.nextOffsets().entrySet()) {
      applied = applied.with(partition(next.getKey()), next.getValue().offset());
    }
    if (applied.equals(position)) {
      return;
    }
    var entries = new ArrayList<LogEntry>(records.count());
    for (var record : records) {
      var partition = partition(new TopicPartition(record.topic(), record.partition()));
      read(partition, record).ifPresent(entries::add);
    }
    position = applied;
    listener.onEntries(List.copyOf(entries), applied);
  }

  private Optional<LogEntry> read(LogPartition partition, ConsumerRecord<byte[], byte[]> record) {
    Optional<LogEvent> event;
    try {
      event = decoder.decode(record.key(), record.value());
    } catch (UnreadableRecordException e) {
      throw new UnreadableRecordException(
          "record at %s:%d: %s".formatted(partition, record.offset(), e.getMessage()), e);
    }
    event.ifPresent(read -> Layout.verify(config.partitioning(), partition, record.offset(), read));
    return event.map(read ->
        new LogEntry(partition, record.offset(), Instant.ofEpochMilli(record.timestamp()), read));
  }

  private LogPartition partition(TopicPartition partition) {
    var known = partitions.get(partition);
    if (known == null) {
      throw new IllegalStateException("read from " + partition + ", which nobody asked for");
    }
    return known;
  }

  private MissingOffsetException missing(OffsetOutOfRangeException e) {
    var words = new ArrayList<String>();
    e.offsetOutOfRangePartitions()
        .forEach((partition, offset) ->
            words.add("offset %d of partition %s".formatted(offset, partition(partition))));
    words.sort(String::compareTo);
    return new MissingOffsetException(
        String.join(", ", words) + ": not in the log; records were deleted or lost");
  }

  private static void closeQuietly(KafkaConsumer<byte[], byte[]> consumer) {
    try {
      consumer.close(CloseOptions.timeout(Duration.ZERO));
    } catch (KafkaException e) {
      LOG.atDebug().setCause(e).log("Consumer not closed cleanly");
    }
  }

  @Override
  public void close() {
    closed.countDown();
    var open = consumer;
    if (open != null) {
      open.wakeup();
    }
    var running = thread;
    if (running == null || Thread.currentThread().equals(running)) {
      return; // its own listener closes it: it ends after that call
    }
    boolean interrupted = false;
    while (running.isAlive()) {
      try {
        running.join();
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
