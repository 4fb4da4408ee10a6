package io.fairlead.eventlog.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Manifests;
import io.fairlead.core.model.Acknowledgement.Member;
import io.fairlead.core.model.Acknowledgement.Refused;
import io.fairlead.core.model.Acknowledgement.Role;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.acks.AckPublisher;
import io.fairlead.eventlog.acks.AckTopic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every topic of acknowledgements does. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
abstract class AckTopicContract {
  static final LogIdentity LOG = new LogIdentity("services", "pods");

  private final List<AutoCloseable> opened = new ArrayList<>();

  /** Another client of the topic; closed by the test. */
  abstract EventLog connect();

  /** The topic is deleted. */
  abstract void lose();

  /** Kafka is away; then it is back. */
  abstract void stop();

  abstract void restart();

  @AfterEach
  void closeOpened() throws Exception {
    for (var resource : opened.reversed()) {
      resource.close();
    }
  }

  private AckTopic open() {
    var log = connect();
    opened.add(log);
    return log.acks();
  }

  /** The last word of each member that a reader was told. */
  private Map<Member, Acknowledgement> read(AckTopic topic) {
    var last = new ConcurrentHashMap<Member, Acknowledgement>();
    opened.add(topic.read(word -> last.put(word.member(), word)));
    return last;
  }

  private static Acknowledgement word(String node, long sequence) {
    var position = new Position(LOG, new TreeMap<>(Map.of(LogPartition.SERVICES, 10 + sequence)));
    return Acknowledgement.ofNode(
            node,
            7,
            sequence,
            Optional.of(position),
            "disk is full",
            List.of(new Refused("10.96.0.10:80/TCP", "no such file")))
        .with(new Manifests(2, "web.yaml:3: no name"));
  }

  private static Acknowledgement ofDns() {
    return new Acknowledgement(
        new Member(Role.DNS, "dns-1"),
        0,
        3,
        Optional.empty(),
        "",
        List.of(),
        Duration.ofSeconds(5),
        4);
  }

  private static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(60))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .until(condition);
  }

  @Test
  void everybodyReadsTheLastWordOfEachMember() {
    var one = open();
    var early = read(open());
    one.publish(List.of(word("node-a", 1), word("node-b", 1), ofDns()));
    one.publish(List.of(word("node-a", 2)));
    var late = read(open());

    for (var reader : List.of(early, late)) {
      await("all words are read", () -> reader.size() == 3 && newest(reader, "node-a") == 2);
      assertThat(reader.values())
          .containsExactlyInAnyOrder(word("node-a", 2), word("node-b", 1), ofDns());
    }
  }

  @Test
  void losingTheTopicLosesTheWordsAndNothingElse() {
    var topic = open();
    var reader = read(open());
    topic.publish(List.of(word("node-a", 1)));
    await("the first word", () -> newest(reader, "node-a") == 1);

    lose();
    try (var publisher = AckPublisher.start(topic, AckPublisher.Settings.DEFAULT, Time.system())) {
      publisher.say(word("node-a", 2));
      publisher.say(word("node-b", 1));
      await(
          "what is said afterwards is read",
          () -> newest(reader, "node-a") == 2 && newest(reader, "node-b") == 1);
    }
  }

  @Test
  void whileKafkaIsAwayWritersSaySoAndReadersWait() {
    var topic = open();
    var reader = read(open());
    topic.publish(List.of(word("node-a", 1)));
    await("the first word", () -> newest(reader, "node-a") == 1);

    stop();
    try {
      assertThatThrownBy(() -> topic.publish(List.of(word("node-a", 2))))
          .isInstanceOf(GatewayException.class)
          .hasMessageContaining("fairlead.acks");
    } finally {
      restart();
    }
    try (var publisher = AckPublisher.start(topic, AckPublisher.Settings.DEFAULT, Time.system())) {
      publisher.say(word("node-a", 3));
      await("what is said afterwards is read", () -> newest(reader, "node-a") == 3);
    }
  }

  private static long newest(Map<Member, Acknowledgement> words, String node) {
    var word = words.get(new Member(Role.NODE, node));
    return word == null ? 0 : word.sequence();
  }
}
