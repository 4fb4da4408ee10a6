package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Kafka's clients with the settings the log needs. Stateless. */
final class KafkaClients {
  /** What the brokers accept by default, with room for headers and framing. */
  static final int MAX_RECORD_BYTES = 1_000_000;

  /** How long a transaction may be open before the coordinator aborts it, so that readers go on. */
  static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(5);

  private KafkaClients() {}

  static Admin admin(KafkaLogConfig config, String name) {
    var settings = common(config, name);
    settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, millis(config.timeouts().call()));
    settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, millis(config.timeouts().call()));
    return Admin.create(settings);
  }

  /**
   * A producer that knows nothing of its transactions yet.
   *
   * @throws GatewayException KNOWN_FAILED: it cannot be made now
   */
  static KafkaProducer<byte[], byte[]> producer(
      KafkaLogConfig config, LogPartition partition, String name) {
    try {
      return new KafkaProducer<>(
          producerSettings(config, partition, name),
          new ByteArraySerializer(),
          new ByteArraySerializer());
    } catch (KafkaException e) { // such as names of brokers that do not resolve at the moment
      throw new GatewayException(
          Outcome.KNOWN_FAILED,
          "cannot make a producer for %s: %s".formatted(partition, KafkaEventLog.words(e)),
          e);
    }
  }

  /** A producer that writes nothing; its transactional id is the client's own. */
  static KafkaProducer<byte[], byte[]> warmUpProducer(KafkaLogConfig config, String name) {
    var settings = producerSettings(config, LogPartition.SERVICES, name);
    settings.put(
        ProducerConfig.TRANSACTIONAL_ID_CONFIG,
        LogPartition.SERVICES.topic().kafkaName() + "-warm-up-" + config.clientId());
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** Of whoever writes the partition: the next one fences the one before. */
  static String transactionalId(LogPartition partition) {
    return partition.topic().kafkaName() + "-" + partition.index();
  }

  static Map<String, Object> producerSettings(
      KafkaLogConfig config, LogPartition partition, String name) {
    var settings = common(config, name);
    int limit = millis(config.timeouts().append());
    settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId(partition));
    settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, millis(TRANSACTION_TIMEOUT));
    settings.put(ProducerConfig.ACKS_CONFIG, "all");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, limit);
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, limit);
    settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, Math.max(1, limit * 2 / 3));
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 0); // the decider gathers what goes together
    settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 128 * 1024);
    settings.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 20);
    settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "none");
    return settings;
  }

  static KafkaConsumer<byte[], byte[]> consumer(KafkaLogConfig config, String name) {
    return new KafkaConsumer<>(
        consumerSettings(config, name), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static Map<String, Object> consumerSettings(KafkaLogConfig config, String name) {
    var settings = common(config, name);
    int limit = millis(config.timeouts().call());
    // The classic consumer reads only inside poll: nothing is fetched while a check of the log's
    // identity is awaited
    settings.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, "classic");
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    settings.put(ConsumerConfig.FETCH_MIN_BYTES_CONFIG, 1);
    settings.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, Math.min(500, limit / 2));
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 2000);
    settings.put(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG, limit);
    settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, limit);
    settings.put(ConsumerConfig.RETRY_BACKOFF_MS_CONFIG, 20);
    return settings;
  }

  /** Of what is said again anyway: one copy is enough. */
  static KafkaProducer<byte[], byte[]> plainProducer(KafkaLogConfig config, String name) {
    var settings = common(config, name);
    int limit = millis(config.timeouts().append());
    settings.put(ProducerConfig.ACKS_CONFIG, "1");
    settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, false);
    settings.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
    settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, limit);
    settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, limit);
    settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, Math.max(1, limit * 2 / 3));
    settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    settings.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 20);
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** Of what may be lost: goes on with what is there. */
  static KafkaConsumer<byte[], byte[]> softConsumer(KafkaLogConfig config, String name) {
    var settings = consumerSettings(config, name);
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_uncommitted");
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static Map<String, Object> common(KafkaLogConfig config, String name) {
    Map<String, Object> settings = new HashMap<>(config.security());
    settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, config.bootstrapServers());
    settings.put(CommonClientConfigs.CLIENT_ID_CONFIG, config.clientId() + "-" + name);
    settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MS_CONFIG, 50);
    settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 500);
    settings.put(
        CommonClientConfigs.SOCKET_CONNECTION_SETUP_TIMEOUT_MS_CONFIG,
        millis(config.timeouts().call()));
    settings.put(
        CommonClientConfigs.SOCKET_CONNECTION_SETUP_TIMEOUT_MAX_MS_CONFIG,
        millis(config.timeouts().call()));
    // Names of clients repeat within a process; JMX would complain of each
    settings.put(CommonClientConfigs.METRIC_REPORTER_CLASSES_CONFIG, "");
    settings.put(CommonClientConfigs.ENABLE_METRICS_PUSH_CONFIG, false);
    return settings;
  }

  static int millis(Duration duration) {
    return Math.toIntExact(Math.max(1, duration.toMillis()));
  }
}
