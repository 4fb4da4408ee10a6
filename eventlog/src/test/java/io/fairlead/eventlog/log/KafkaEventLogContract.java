package io.fairlead.eventlog.log;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.codec.RandomEvents;
import io.fairlead.eventlog.codec.UnreadableRecordException;
import io.fairlead.eventlog.load.LogReader;
import io.fairlead.log.v1.Record;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One broker for all tests of a class; each begins by deleting the topics. */
abstract class KafkaEventLogContract extends EventLogContract {
  private static final KafkaLogConfig.Timeouts TIMEOUTS =
      new KafkaLogConfig.Timeouts(
          Duration.ofSeconds(60),
          Duration.ofSeconds(4),
          Duration.ofSeconds(4),
          Duration.ofSeconds(20),
          Duration.ofMillis(200));

  private static @Nullable Broker started;
  private static @Nullable Admin client;

  private final RandomEvents random = new RandomEvents(4, PARTITIONING);
  private final List<AutoCloseable> opened = new ArrayList<>();

  /** A broker that keeps its address and its data through all that is done to it. */
  interface Broker extends AutoCloseable {
    String bootstrapServers();

    /** SIGKILL. */
    void kill();

    /** Returns when it serves clients again. */
    void restart();

    /** SIGSTOP: connections stay open, nothing is answered. */
    void pause();

    void resume();

    @Override
    void close();
  }

  /** To be called before all tests. */
  static void use(Broker broker) {
    started = broker;
    client = Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()));
  }

  @AfterAll
  static void stopBroker() {
    if (client != null) {
      client.close(Duration.ofSeconds(1));
      client = null;
    }
    if (started != null) {
      started.close();
      started = null;
    }
  }

  private static Broker broker() {
    return requireNonNull(started);
  }

  private static Admin admin() {
    return requireNonNull(client);
  }

  @BeforeEach
  void deleteTopics() {
    delete(KafkaAdmin.TOPICS);
  }

  @AfterEach
  void closeOpened() throws Exception {
    for (var resource : opened.reversed()) {
      resource.close();
    }
  }

  @Test
  void makesItsTopicsAsTheyAreMeantToBe() {
    try (var log = KafkaEventLog.open(config().withWindow(Duration.ofDays(7)), Time.system())) {
      var topics = get(admin().describeTopics(KafkaAdmin.TOPICS).allTopicNames());
      assertThat(requireNonNull(topics.get("fairlead.services")).partitions()).hasSize(1);
      assertThat(requireNonNull(topics.get("fairlead.pods")).partitions()).hasSize(4);
      assertThat(log.identity().servicesTopicId())
          .isEqualTo(requireNonNull(topics.get("fairlead.services")).topicId().toString());
      assertThat(log.identity().podsTopicId())
          .isEqualTo(requireNonNull(topics.get("fairlead.pods")).topicId().toString());
      for (var name : KafkaAdmin.TOPICS) {
        assertThat(setting(name, "cleanup.policy")).isEqualTo("compact");
        assertThat(setting(name, "min.compaction.lag.ms")).isEqualTo("604800000");
        assertThat(setting(name, "delete.retention.ms")).isEqualTo("604800000");
        assertThat(setting(name, "message.timestamp.type")).isEqualTo("LogAppendTime");
        assertThat(setting(name, "unclean.leader.election.enable")).isEqualTo("false");
        assertThat(setting(name, "min.insync.replicas")).isEqualTo("1");
      }
    }
  }

  @Test
  void saysAllThatIsWrongWithTopicsThatAreNotAsConfigured() {
    get(
        admin()
            .createTopics(
                List.of(
                    new NewTopic("fairlead.services", 3, (short) 1),
                    new NewTopic("fairlead.pods", 16, (short) 1)))
            .all());
    assertThatThrownBy(() ->
            KafkaEventLog.open(config().withWindow(Duration.ofDays(7)), Time.system()).close())
        .isInstanceOf(ForeignLogException.class)
        .hasMessageContaining("topic fairlead.pods has 16 partitions, configured are 4")
        .hasMessageContaining("topic fairlead.services has 3 partitions, configured are 1")
        .hasMessageContaining("has cleanup.policy=delete, must be compact")
        .hasMessageContaining("has message.timestamp.type=CreateTime, must be LogAppendTime")
        .hasMessageContaining("has min.compaction.lag.ms=0, must be at least 604800000")
        .hasMessageContaining("has delete.retention.ms=86400000, must be at least 604800000");
  }

  @Test
  void asksForReplicasOutsideDevelopment() {
    open();
    assertThatThrownBy(
            () -> KafkaEventLog.open(config().withReplicationFactor(3), Time.system()).close())
        .isInstanceOf(ForeignLogException.class)
        .hasMessageContaining("topic fairlead.pods has 1 replicas, must have at least 3")
        .hasMessageContaining("has min.insync.replicas=1, must be at least 2");
  }

  @Test
  void saysThatThereAreTooFewBrokers() {
    var config = config().withReplicationFactor(3).withTimeouts(opensWithin(Duration.ofMillis(1)));
    assertThatThrownBy(() -> KafkaEventLog.open(config, Time.system()).close())
        .isInstanceOf(GatewayException.class)
        .hasMessageContaining("make topic fairlead.")
        .hasMessageContaining("replication");
  }

  @Test
  void waitsForBrokersThatAreNotThereYet() throws Exception {
    kill();
    var opening = CompletableFuture.supplyAsync(this::connect, r -> Thread.ofVirtual().start(r));
    restart();
    opening.get(60, TimeUnit.SECONDS).close();
  }

  @Test
  void saysWhereItLookedInVain() {
    kill();
    try {
      var config = config().withTimeouts(opensWithin(Duration.ofMillis(1)));
      assertThatThrownBy(() -> KafkaEventLog.open(config, Time.system()).close())
          .isInstanceOf(GatewayException.class)
          .hasMessageContaining("cannot open the log at " + broker().bootstrapServers());
    } finally {
      restart();
    }
  }

  @Test
  void stopsAtARecordThatNobodyOfOursWrote() {
    var log = open();
    write(bytes("Pod/default/web"), bytes("hello"));
    var recorder = new Recorder();
    opened.add(
        log.follow(List.of(LogPartition.SERVICES), Position.start(log.identity()), recorder));

    assertThat(recorder.awaitFault())
        .isInstanceOf(UnreadableRecordException.class)
        .hasMessageContaining("record at s:0: Pod/default/web: ");
  }

  @Test
  void readsOnPastAKindThatMayBeIgnored() {
    var log = open();
    write(
        bytes("Lighthouse/default/web"),
        Record.newBuilder().setIgnorable(true).build().toByteArray());
    var recorder = new Recorder();
    opened.add(
        log.follow(List.of(LogPartition.SERVICES), Position.start(log.identity()), recorder));

    recorder.awaitEnd(log, List.of(LogPartition.SERVICES));
    assertThat(log.endOffsets(List.of(LogPartition.SERVICES)))
        .containsEntry(LogPartition.SERVICES, 1L);
    assertThat(recorder.entries()).isEmpty();
  }

  @Test
  void keepsTheImageThroughCompactionAndTheDeathOfTheBroker() {
    var log = open();
    var partition = LogPartition.SERVICES;
    var recorder = new Recorder();
    opened.add(log.follow(List.of(partition), Position.start(log.identity()), recorder));
    var appender = log.openAppender(partition);
    opened.add(appender);
    for (int i = 0; i < 200; i++) {
      var event = random.event();
      if (PARTITIONING.of(event.key()).equals(partition)) {
        appender.append(List.of(event));
      }
    }
    var last = new LogEvent.Stored(random.object(Kind.SERVICE_CIDR), random.envelope());
    compact(partition, () -> appender.append(List.of(last)));
    recorder.awaitEnd(log, List.of(partition));
    kill();
    restart();

    var everything = new ClusterDelta(ClusterImage.EMPTY);
    recorder.entries().forEach(everything::replay);
    var expected = everything.apply();
    try (var after = connect()) {
      var replayed = LogReader.readAll(after, Duration.ofSeconds(30)).image();
      assertThat(replayed.digest(partition)).isEqualTo(expected.digest(partition));
      assertThat(replayed.objects(partition)).isPositive();
    }
  }

  /**
   * What it costs to write and to read what was written; printed, since a shared machine's figures
   * prove nothing.
   */
  @Test
  void measuresAppendAndDelivery() {
    var log = open();
    var recorder = new TimedRecorder();
    opened.add(
        log.follow(List.of(LogPartition.SERVICES), Position.start(log.identity()), recorder));
    var appender = log.openAppender(LogPartition.SERVICES);
    opened.add(appender);
    int warmUp = 300;
    int measured = 2000;
    var commits = new ArrayList<Long>();
    var deliveries = new ArrayList<Long>();
    for (int i = 0; i < warmUp + measured; i++) {
      var event = new LogEvent.Stored(random.object(Kind.SERVICE), random.envelope());
      var delivered = recorder.expect();
      long start = System.nanoTime();
      appender.append(List.of(event));
      long committed = System.nanoTime();
      long seen = delivered.orTimeout(30, TimeUnit.SECONDS).join();
      if (i >= warmUp) {
        commits.add(committed - start);
        deliveries.add(seen - start);
      }
    }
    System.out.printf(
        "append %s, append to delivered %s (%d one after another)%n",
        percentiles(commits), percentiles(deliveries), measured);
  }

  private static String percentiles(List<Long> nanos) {
    var sorted = nanos.stream().sorted().toList();
    return "p50 %.2f ms, p99 %.2f ms, max %.2f ms"
        .formatted(
            sorted.get(sorted.size() / 2) / 1e6,
            sorted.get(sorted.size() * 99 / 100) / 1e6,
            sorted.getLast() / 1e6);
  }

  /** Completes with the moment of the next delivery. */
  private static final class TimedRecorder implements FollowListener {
    private volatile CompletableFuture<Long> next = new CompletableFuture<>();

    CompletableFuture<Long> expect() {
      var expected = new CompletableFuture<Long>();
      next = expected;
      return expected;
    }

    @Override
    public void onEntries(List<io.fairlead.core.record.LogEntry> entries, Position applied) {
      if (!entries.isEmpty()) {
        next.complete(System.nanoTime());
      }
    }

    @Override
    public void onConnection(Connection state) {}

    @Override
    public void onFault(Throwable cause) {
      next.completeExceptionally(cause);
    }
  }

  private static KafkaLogConfig config() {
    return KafkaLogConfig.of(broker().bootstrapServers(), "test")
        .withReplicationFactor(1)
        .withPodsPartitions(PARTITIONING.podsPartitions())
        .withWindow(Duration.ofMillis(1))
        .withTimeouts(TIMEOUTS);
  }

  private static KafkaLogConfig.Timeouts opensWithin(Duration limit) {
    return new KafkaLogConfig.Timeouts(
        limit, TIMEOUTS.call(), TIMEOUTS.append(), TIMEOUTS.takeOver(), TIMEOUTS.check());
  }

  @Override
  EventLog connect() {
    return KafkaEventLog.open(config(), Time.system());
  }

  @Override
  EventLog connectWithLongWindow() {
    return KafkaEventLog.open(config().withWindow(Duration.ofDays(7)), Time.system());
  }

  /** As a coordinator leaves it that dropped the marker; here of one that nobody will fence. */
  @Test
  void whatAForgottenTransactionWroteIsNeverSeen() {
    var log = connect();
    opened.add(log);
    var forgotten =
        new HashMap<>(KafkaClients.producerSettings(config(), LogPartition.SERVICES, "forgotten"));
    forgotten.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "forgotten");
    forgotten.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, 300_000);
    var producer =
        new KafkaProducer<>(forgotten, new ByteArraySerializer(), new ByteArraySerializer());
    opened.add(() -> producer.close(Duration.ZERO));
    producer.initTransactions();
    producer.beginTransaction();
    List<LogEvent> events =
        List.of(
            new LogEvent.Stored(random.object(Kind.SERVICE), random.envelope()),
            new LogEvent.Stored(random.object(Kind.SERVICE), random.envelope()));
    join(producer.send(EventCodec.encode(LogPartition.SERVICES, events.getFirst())));
    try (var appender = log.openAppender(LogPartition.SERVICES)) {
      assertThat(log.unstable(List.of(LogPartition.SERVICES)))
          .containsEntry(LogPartition.SERVICES, 0L);
      appender.append(events.subList(1, 2));
    }
    var recorder = new Recorder();
    opened.add(
        log.follow(List.of(LogPartition.SERVICES), Position.start(log.identity()), recorder));
    recorder.awaitEnd(log, List.of(LogPartition.SERVICES));
    assertThat(recorder.events()).containsExactly(events.getLast());
  }

  @Override
  void leaveOpen(EventLog log, LogPartition partition, List<LogEvent> events) {
    var producer = KafkaClients.producer(config(), partition, "hanging");
    opened.add(() -> producer.close(Duration.ZERO));
    producer.initTransactions();
    producer.beginTransaction();
    events.forEach(event -> join(producer.send(EventCodec.encode(partition, event))));
  }

  @Override
  void kill() {
    broker().kill();
  }

  @Override
  void restart() {
    broker().restart();
  }

  @Override
  void pause() {
    broker().pause();
  }

  @Override
  void unpause() {
    broker().resume();
  }

  @Override
  void recreate(Topic topic) {
    delete(List.of(topic.kafkaName()));
    connect().close();
  }

  @Override
  void deleteRecordsBefore(LogPartition partition, long offset) {
    alter(partition.topic(), Map.of("cleanup.policy", "delete"));
    var before = Map.of(KafkaAdmin.kafka(partition), RecordsToDelete.beforeOffset(offset));
    await("the broker goes by the policy")
        .atMost(Duration.ofSeconds(30))
        .until(() -> deleted(before));
    alter(partition.topic(), Map.of("cleanup.policy", "compact"));
  }

  /** False: the broker still goes by the policy of before, which it is told of some time later. */
  private static boolean deleted(Map<TopicPartition, RecordsToDelete> before) throws Exception {
    try {
      var _ = admin().deleteRecords(before).all().get(30, TimeUnit.SECONDS);
      return true;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof PolicyViolationException) {
        return false;
      }
      throw e;
    }
  }

  @Override
  void compact(LogPartition partition, Runnable append) {
    // the segment that is written to is never compacted: the next record begins another one
    alter(partition.topic(), Map.of("segment.ms", "1", "min.cleanable.dirty.ratio", "0.0"));
    int before = count(partition);
    append.run();
    await("compaction of " + partition)
        .atMost(Duration.ofSeconds(60))
        .until(() -> count(partition) < before);
  }

  private int count(LogPartition partition) {
    try (var log = connect()) {
      var recorder = new Recorder();
      try (var _ = log.follow(List.of(partition), Position.start(log.identity()), recorder)) {
        recorder.awaitEnd(log, List.of(partition));
      }
      return recorder.entries().size();
    }
  }

  private void write(byte[] key, byte[] value) {
    try (var producer =
        new KafkaProducer<>(
            Map.<String, Object>of("bootstrap.servers", broker().bootstrapServers()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      join(producer.send(new ProducerRecord<>("fairlead.services", 0, key, value)));
    }
  }

  private static void alter(Topic topic, Map<String, String> settings) {
    var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.kafkaName());
    var changes =
        settings.entrySet().stream()
            .map(s ->
                new AlterConfigOp(
                    new ConfigEntry(s.getKey(), s.getValue()), AlterConfigOp.OpType.SET))
            .toList();
    get(admin().incrementalAlterConfigs(Map.of(resource, changes)).all());
  }

  private static String setting(String topic, String name) {
    var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    var found = get(admin().describeConfigs(List.of(resource)).all());
    return requireNonNull(found.get(resource)).get(name).value();
  }

  private static void delete(List<String> topics) {
    for (var name : topics) {
      if (get(admin().listTopics().names()).contains(name)) {
        get(admin().deleteTopics(List.of(name)).all());
      }
    }
    await("topics deleted")
        .atMost(Duration.ofSeconds(30))
        .until(() -> get(admin().listTopics().names()).stream().noneMatch(topics::contains));
  }

  private static <T> T get(KafkaFuture<T> future) {
    return join(future.toCompletionStage().toCompletableFuture());
  }

  private static <T> T join(Future<T> future) {
    try {
      return future.get(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
