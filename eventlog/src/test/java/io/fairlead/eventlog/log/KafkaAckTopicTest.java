package io.fairlead.eventlog.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.Time;
import io.fairlead.devkit.kafka.EmbeddedKafka;
import io.fairlead.devkit.kafka.KafkaProcess;
import io.fairlead.eventlog.acks.AckTopic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Over a broker in a process of its own. */
@Tag("slow")
class KafkaAckTopicTest extends AckTopicContract {
  private static final KafkaLogConfig.Timeouts TIMEOUTS =
      new KafkaLogConfig.Timeouts(
          Duration.ofSeconds(60),
          Duration.ofSeconds(2),
          Duration.ofSeconds(2),
          Duration.ofSeconds(20),
          Duration.ofMillis(200));

  @TempDir private static Path directory;
  private static KafkaProcess kafka;

  @BeforeAll
  static void startBroker() {
    kafka = KafkaProcess.start(EmbeddedKafka.Config.in(directory.resolve("data")));
  }

  @AfterAll
  static void stopBroker() {
    kafka.close();
  }

  @Override
  EventLog connect() {
    return KafkaEventLog.open(
        KafkaLogConfig.of(kafka.bootstrapServers(), "test")
            .withReplicationFactor(1)
            .withPodsPartitions(2)
            .withTimeouts(TIMEOUTS),
        Time.system());
  }

  @Override
  void lose() {
    admin(
        admin -> admin.deleteTopics(List.of(AckTopic.KAFKA_NAME)).all().get(10, TimeUnit.SECONDS));
  }

  @Override
  void stop() {
    kafka.kill();
  }

  @Override
  void restart() {
    kafka = KafkaProcess.start(kafka.config());
  }

  @Test
  void theTopicIsNoPartOfTheLogAndOfOnePartition() {
    try (var log = connect();
        var other = connect()) {
      var before = log.identity();
      log.acks().publish(List.of());
      Awaitility.await("the topic is there")
          .atMost(Duration.ofSeconds(30))
          .until(() -> {
            var topics = admin(admin -> admin.listTopics().names().get(10, TimeUnit.SECONDS));
            return topics.contains(AckTopic.KAFKA_NAME);
          });
      var found =
          admin(admin ->
              admin
                  .describeTopics(List.of(AckTopic.KAFKA_NAME))
                  .allTopicNames()
                  .get(10, TimeUnit.SECONDS));
      assertThat(found.get(AckTopic.KAFKA_NAME)).isNotNull();
      assertThat(found.values().iterator().next().partitions()).hasSize(1);
      assertThat(other.identity()).isEqualTo(before);
      assertThat(before.toString())
          .doesNotContain(found.values().iterator().next().topicId().toString());
    }
  }

  private interface AdminCall<T> {
    T with(Admin admin) throws Exception;
  }

  private static <T> T admin(AdminCall<T> call) {
    try (var admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      return call.with(admin);
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
