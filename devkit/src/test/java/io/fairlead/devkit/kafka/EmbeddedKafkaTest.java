package io.fairlead.devkit.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.devkit.process.LaunchException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class EmbeddedKafkaTest {
  private static final String TOPIC = "road";

  @TempDir Path directory;

  @Test
  void refusesAHostThatClientsCannotConnectTo() {
    var config = EmbeddedKafka.Config.in(directory);
    assertThatThrownBy(() -> config.withHost("0.0.0.0")).hasMessageContaining("0.0.0.0");
    assertThatThrownBy(() -> config.withPorts(9092, 9092)).hasMessageContaining("9092");
  }

  @Test
  void readsItsOptions() {
    var config =
        EmbeddedKafkaMain.config(
            List.of("--data-dir", "d", "--port", "19092", "--set", "num.io.threads=2"));
    assertThat(config.bootstrapServers()).isEqualTo("127.0.0.1:19092");
    assertThat(EmbeddedKafka.settings(config)).containsEntry("num.io.threads", "2");
    assertThatThrownBy(() -> EmbeddedKafkaMain.config(List.of("--data-dir", "d", "--set", "x")))
        .hasMessageContaining("--set");
  }

  @Test
  void readsWhatOneOfSeveralKnowsOfTheOthers() {
    var id = "AAAAAAAAAAAAAAAAAAAAAQ";
    var voters = "1@127.0.0.1:11,2@127.0.0.1:12,3@127.0.0.1:13";
    var config =
        EmbeddedKafkaMain.config(
            List.of("--data-dir", "d", "--cluster-id", id, "--node-id", "2", "--voters", voters));
    assertThat(EmbeddedKafka.settings(config))
        .containsEntry("node.id", "2")
        .containsEntry("controller.quorum.voters", voters)
        .containsEntry("transaction.state.log.replication.factor", "3")
        .containsEntry("transaction.state.log.min.isr", "2");
    assertThatThrownBy(() -> EmbeddedKafkaMain.config(List.of("--data-dir", "d", "--node-id", "2")))
        .hasMessageContaining("--cluster-id");
    assertThatThrownBy(() -> KafkaQuorum.parseVoters("1@127.0.0.1:11,2"))
        .hasMessageContaining("'2'");
    assertThatThrownBy(() -> new KafkaQuorum(id, 4, KafkaQuorum.parseVoters(voters)))
        .hasMessageContaining("node 4");
  }

  @Test
  void namesThePortThatIsTaken() throws IOException {
    var config = EmbeddedKafka.Config.in(directory);
    try (var taken =
        new ServerSocket(config.controllerPort(), 1, InetAddress.ofLiteral("127.0.0.1"))) {
      assertThatThrownBy(() -> EmbeddedKafka.start(config))
          .isInstanceOf(LaunchException.class)
          .hasMessageContaining("controller port")
          .hasMessageContaining(Integer.toString(taken.getLocalPort()));
    }
  }

  @Test
  @Tag("slow")
  void keepsTheLogOverARestart() throws Exception {
    var config = EmbeddedKafka.Config.in(directory.resolve("kafka"));
    try (var broker = EmbeddedKafka.start(config)) {
      createTopic(broker.bootstrapServers());
      appendInTransaction(broker.bootstrapServers(), "one");
      assertThat(readAll(broker.bootstrapServers(), 1)).containsExactly("one");
    }
    var moved = EmbeddedKafka.Config.in(directory.resolve("kafka"));
    try (var broker = EmbeddedKafka.start(moved)) { // on other ports
      appendInTransaction(broker.bootstrapServers(), "two");
      assertThat(readAll(broker.bootstrapServers(), 2)).containsExactly("one", "two");
    }
  }

  @Test
  @Tag("slow")
  void refusesADirectoryInUseAndLeavesItsUserAlone() throws Exception {
    var config = EmbeddedKafka.Config.in(directory.resolve("kafka"));
    try (var broker = EmbeddedKafka.start(config)) {
      var second = EmbeddedKafka.Config.in(directory.resolve("kafka"));
      assertThatThrownBy(() -> EmbeddedKafka.start(second))
          .isInstanceOf(LaunchException.class)
          .hasMessageContaining("in use")
          .hasMessageContaining(directory.resolve("kafka").toString());
      createTopic(broker.bootstrapServers());
    }
  }

  @Test
  @Tag("slow")
  void keepsWhatWasConfirmedWhenKilled() throws Exception {
    var config = EmbeddedKafka.Config.in(directory.resolve("kafka"));
    var killed = KafkaProcess.start(config);
    createTopic(killed.bootstrapServers());
    appendInTransaction(killed.bootstrapServers(), "one");
    killed.kill();
    assertThat(killed.isAlive()).isFalse();

    var before = System.nanoTime();
    try (var broker = KafkaProcess.start(config)) {
      System.out.println(
          "ready after kill -9: "
              + Duration.ofNanos(System.nanoTime() - before).toMillis()
              + " ms");
      appendInTransaction(broker.bootstrapServers(), "two");
      assertThat(readAll(broker.bootstrapServers(), 2)).containsExactly("one", "two");
    }
  }

  @Test
  @Tag("slow")
  void threeBrokersGoOnWithoutOne() throws Exception {
    var configs = KafkaQuorum.loopback(directory, 3);
    var brokers = startTogether(configs);
    try {
      var all =
          configs.stream()
              .map(EmbeddedKafka.Config::bootstrapServers)
              .collect(Collectors.joining(","));
      createTopic(all);
      appendInTransaction(all, "one");
      brokers.getFirst().kill();
      appendInTransaction(all, "two");
      brokers.set(0, KafkaProcess.start(configs.getFirst()));
      brokers.get(1).kill(); // what it led is with the others, also what happened meanwhile
      appendInTransaction(all, "three");
      assertThat(readAll(all, 3)).containsExactly("one", "two", "three");
    } finally {
      brokers.forEach(KafkaProcess::kill);
    }
  }

  private static List<KafkaProcess> startTogether(List<EmbeddedKafka.Config> configs)
      throws Exception {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var starting =
          configs.stream().map(c -> threads.submit(() -> KafkaProcess.start(c))).toList();
      var started = new ArrayList<KafkaProcess>();
      for (var one : starting) {
        started.add(one.get());
      }
      return started;
    }
  }

  @Test
  @Tag("slow")
  void showsTheLogOfAChildThatDidNotStart() {
    var config =
        EmbeddedKafka.Config.in(directory.resolve("kafka"))
            .withOverrides(Map.of("log.flush.interval.messages", "never"));
    assertThatThrownBy(() -> KafkaProcess.start(config))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("log.flush.interval.messages");
  }

  private static void createTopic(String bootstrap)
      throws ExecutionException, InterruptedException {
    try (var admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      admin
          .createTopics(List.of(new NewTopic(TOPIC, Optional.of(1), Optional.empty())))
          .all()
          .get();
    }
  }

  private static void appendInTransaction(String bootstrap, String value) {
    Map<String, Object> settings =
        Map.of("bootstrap.servers", bootstrap, "transactional.id", "road-0", "acks", "all");
    try (var producer =
        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      producer.initTransactions();
      producer.beginTransaction();
      var _ = producer.send(new ProducerRecord<>(TOPIC, "key", value));
      producer.commitTransaction();
    }
  }

  private static List<String> readAll(String bootstrap, int count) {
    Map<String, Object> settings =
        Map.of("bootstrap.servers", bootstrap, "isolation.level", "read_committed");
    try (var consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      var partition = new TopicPartition(TOPIC, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      var values = new ArrayList<String>();
      var deadlineNanos = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (values.size() < count && System.nanoTime() - deadlineNanos < 0) {
        consumer.poll(Duration.ofMillis(200)).forEach(record -> values.add(record.value()));
      }
      return List.copyOf(values);
    }
  }
}
