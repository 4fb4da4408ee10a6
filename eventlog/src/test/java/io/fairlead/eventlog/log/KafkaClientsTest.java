package io.fairlead.eventlog.log;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Topic;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Utils;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is agreed on with Kafka and cannot be seen in what it answers. */
@Timeout(60)
class KafkaClientsTest {
  /**
   * The successor's producer fences the one before by that id; readers wait no longer than that.
   */
  @Test
  void aPartitionHasOneTransactionalIdAndItsTransactionsEndAfterFiveSeconds() {
    var config = KafkaLogConfig.of("localhost:9092", "test");
    assertThat(KafkaClients.producerSettings(config, LogPartition.SERVICES, "a"))
        .contains(
            entry("transactional.id", "fairlead.services-0"),
            entry("transaction.timeout.ms", 5_000),
            entry("acks", "all"),
            entry("enable.idempotence", true));
    assertThat(KafkaClients.producerSettings(config, new LogPartition(Topic.PODS, 7), "b"))
        .contains(entry("transactional.id", "fairlead.pods-7"));
  }

  @Test
  void thePodsOfANamespaceAreWhereKafkasOwnHashPutsThem() {
    var partitioning = new Partitioning(16);
    var names =
        new ArrayList<>(List.of("default", "kube-system", "a", "ab", "abc", "x".repeat(63)));
    for (int i = 0; i < 100; i++) {
      names.add("team-" + i);
    }
    for (var name : names) {
      int hash = Utils.murmur2(name.getBytes(StandardCharsets.UTF_8)) & 0x7fffffff;
      assertThat(partitioning.ofNamespace(name))
          .isEqualTo(new LogPartition(Topic.PODS, 1 + hash % 15));
    }
  }
}
