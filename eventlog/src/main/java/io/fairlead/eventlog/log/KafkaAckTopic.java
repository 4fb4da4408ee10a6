package io.fairlead.eventlog.log;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.acks.AckTopic;
import io.fairlead.eventlog.codec.AckCodec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Acknowledgements over Kafka. Its clients are made when they are first needed. */
final class KafkaAckTopic implements AckTopic, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaAckTopic.class);
  private static final TopicPartition PARTITION = new TopicPartition(KAFKA_NAME, 0);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final Duration PAUSE = Duration.ofMillis(500);

  /** Silence after which the topic may be missing: somebody says something every second or so. */
  private static final Duration SILENCE = Duration.ofSeconds(5);

  private final KafkaLogConfig config;
  private final Time time;
  private final Set<Reader> readers = ConcurrentHashMap.newKeySet();

  /** Guards the producer. */
  private final ReentrantLock lock = new ReentrantLock();

  private Optional<KafkaProducer<byte[], byte[]>> producer = Optional.empty();
  private boolean closed;

  KafkaAckTopic(KafkaLogConfig config, Time time) {
    this.config = config;
    this.time = time;
  }

  @Override
  public void publish(Collection<Acknowledgement> words) {
    try {
      var open = producer();
      var sent = new ArrayList<Future<?>>();
      for (var word : words) {
        sent.add(
            open.send(
                new ProducerRecord<>(
                    KAFKA_NAME, 0, AckCodec.key(word.member()), AckCodec.value(word))));
      }
      long limit = config.timeouts().append().plusSeconds(1).toMillis();
      for (var answer : sent) {
        answer.get(limit, TimeUnit.MILLISECONDS);
      }
    } catch (ExecutionException e) {
      var cause = e.getCause() == null ? e : e.getCause();
      throw failed(KafkaEventLog.words(cause), cause);
    } catch (TimeoutException e) {
      throw failed("no answer", e);
    } catch (InterruptedException | InterruptException e) {
      Thread.currentThread().interrupt();
      throw failed("interrupted", e);
    } catch (KafkaException e) {
      throw failed(KafkaEventLog.words(e), e);
    }
  }

  private static GatewayException failed(String why, Throwable cause) {
    return new GatewayException(
        Outcome.UNKNOWN, "cannot write to " + KAFKA_NAME + ": " + why, cause);
  }

  private KafkaProducer<byte[], byte[]> producer() {
    lock.lock();
    try {
      if (closed) {
        throw new KafkaException("closed");
      }
      if (producer.isEmpty()) {
        ensure(); // else brokers might make the topic as they like
        producer = Optional.of(KafkaClients.plainProducer(config, "acks-producer"));
      }
      return producer.get();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public AutoCloseable read(Listener listener) {
    var reader = new Reader(listener);
    readers.add(reader);
    reader.thread.start();
    return reader;
  }

  /** Makes the topic where it is missing; whoever is first. */
  private void ensure() {
    try (var admin = KafkaClients.admin(config, "acks-admin")) {
      create(admin);
    }
  }

  private void create(Admin admin) {
    var settings = new TreeMap<String, String>();
    // the last words and not much more: who starts reads all that is there
    settings.put(
        TopicConfig.CLEANUP_POLICY_CONFIG,
        TopicConfig.CLEANUP_POLICY_COMPACT + "," + TopicConfig.CLEANUP_POLICY_DELETE);
    settings.put(TopicConfig.RETENTION_MS_CONFIG, millis(Duration.ofHours(1)));
    settings.put(TopicConfig.DELETE_RETENTION_MS_CONFIG, millis(Duration.ofMinutes(10)));
    settings.put(TopicConfig.SEGMENT_MS_CONFIG, millis(Duration.ofMinutes(10)));
    settings.put(TopicConfig.SEGMENT_BYTES_CONFIG, Integer.toString(16 << 20));
    settings.put(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime");
    var topic = new NewTopic(KAFKA_NAME, 1, (short) config.replicationFactor()).configs(settings);
    try {
      admin
          .createTopics(List.of(topic))
          .all()
          .get(config.timeouts().call().plusSeconds(1).toMillis(), TimeUnit.MILLISECONDS);
      LOG.atInfo()
          .addKeyValue("event", "topic.created")
          .addKeyValue("topic", KAFKA_NAME)
          .addKeyValue("replicationFactor", config.replicationFactor())
          .log("Topic made");
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw new KafkaException("cannot make topic " + KAFKA_NAME, e.getCause());
      }
    } catch (TimeoutException e) {
      throw new KafkaException("cannot make topic " + KAFKA_NAME, e);
    } catch (InterruptedException e) {
      throw new InterruptException(e); // which restores the interrupt
    }
  }

  private static String millis(Duration duration) {
    return Long.toString(duration.toMillis());
  }

  /** Reads on a thread of its own, which alone touches the consumer but for its wake-up. */
  private final class Reader implements AutoCloseable {
    private final Listener listener;
    private final Thread thread;
    private volatile Optional<KafkaConsumer<byte[], byte[]>> consumer = Optional.empty();
    private volatile boolean over;

    Reader(Listener listener) {
      this.listener = listener;
      this.thread =
          Thread.ofPlatform().name(config.clientId() + "-acks-reader").unstarted(this::run);
    }

    private void run() {
      boolean told = false;
      while (!over) {
        try {
          ensure();
          readOn();
        } catch (WakeupException | InterruptException _) {
          // close woke it
        } catch (RuntimeException e) {
          if (!told) {
            told = true;
            LOG.atWarn()
                .addKeyValue("event", "acks.unread")
                .addKeyValue("cause", KafkaEventLog.words(e))
                .log("What members acknowledge cannot be read, trying on");
          }
          pause();
        } finally {
          consumer.ifPresent(KafkaAckTopic::closeQuietly);
          consumer = Optional.empty();
        }
      }
    }

    /** From the beginning, until it is silent for too long. */
    private void readOn() {
      var open = KafkaClients.softConsumer(config, "acks-consumer");
      consumer = Optional.of(open);
      if (over) {
        return;
      }
      open.assign(List.of(PARTITION));
      open.seekToBeginning(List.of(PARTITION));
      long heardNanos = time.nanoTime();
      while (!over && time.nanoTime() - heardNanos < SILENCE.toNanos()) {
        for (var record : open.poll(POLL)) {
          heardNanos = time.nanoTime();
          AckCodec.decode(record.value()).ifPresent(listener::onWord);
        }
      }
    }

    private void pause() {
      try {
        time.sleep(PAUSE);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        over = true; // only close interrupts it
      }
    }

    @Override
    public void close() {
      over = true;
      consumer.ifPresent(KafkaConsumer::wakeup);
      thread.interrupt();
      try {
        thread.join();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
      readers.remove(this);
    }
  }

  private static void closeQuietly(KafkaConsumer<byte[], byte[]> consumer) {
    boolean interrupted = Thread.interrupted();
    try {
      consumer.close(CloseOptions.timeout(Duration.ZERO));
    } catch (KafkaException e) {
      LOG.atDebug().setCause(e).log("Consumer not closed cleanly");
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    for (var reader : List.copyOf(readers)) {
      reader.close();
    }
    lock.lock();
    try {
      closed = true;
      producer.ifPresent(open -> open.close(Duration.ZERO));
    } finally {
      lock.unlock();
    }
  }
}
