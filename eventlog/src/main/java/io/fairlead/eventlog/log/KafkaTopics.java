package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Topic;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the topics of the log where they are missing, and checks those that are there. Used once,
 * while a log is opened.
 */
final class KafkaTopics {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaTopics.class);

  private static final Duration RETRY = Duration.ofMillis(50);

  private final Admin admin;
  private final KafkaLogConfig config;
  private final Partitioning partitioning;
  private final Time time;

  KafkaTopics(Admin admin, KafkaLogConfig config, Time time) {
    this.admin = admin;
    this.time = time;
    this.config = config;
    this.partitioning = config.partitioning();
  }

  /**
   * One try.
   *
   * @throws ForeignLogException the topics are there, but not laid out as configured
   * @throws GatewayException nobody answers, or too few brokers are there to make the topics
   */
  LogIdentity ensure() {
    var topics = describe();
    var missing = new ArrayList<Topic>();
    for (var topic : Topic.values()) {
      if (!topics.containsKey(topic.kafkaName())) {
        missing.add(topic);
      }
    }
    if (!missing.isEmpty()) {
      create(missing);
      topics = describeMade();
    }
    verify(topics);
    return KafkaAdmin.identity(topics);
  }

  /** Brokers learn of new topics some moments after the controller made them. */
  private Map<String, TopicDescription> describeMade() {
    long deadline = time.nanoTime() + limit().toNanos();
    while (true) {
      var topics = describe();
      if (topics.size() == Topic.values().length) {
        return topics;
      }
      if (time.nanoTime() - deadline >= 0) {
        throw new GatewayException(
            Outcome.KNOWN_FAILED, "the topics of the log were made, but are not known yet");
      }
      try {
        time.sleep(RETRY);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new GatewayException(Outcome.KNOWN_FAILED, "interrupted", e);
      }
    }
  }

  private Map<String, TopicDescription> describe() {
    var found = new HashMap<String, TopicDescription>();
    admin
        .describeTopics(KafkaAdmin.TOPICS)
        .topicNameValues()
        .forEach((name, asked) ->
            unless(UnknownTopicOrPartitionException.class, asked, "look up topic " + name)
                .ifPresent(description -> found.put(name, description)));
    return found;
  }

  private void create(List<Topic> missing) {
    var wanted = new ArrayList<NewTopic>();
    for (var topic : missing) {
      wanted.add(
          new NewTopic(
                  topic.kafkaName(),
                  partitioning.partitions(topic),
                  (short) config.replicationFactor())
              .configs(settings()));
    }
    admin
        .createTopics(wanted)
        .values()
        .forEach((name, asked) -> {
          // another replica may be first
          if (unless(TopicExistsException.class, asked.thenApply(_ -> name), "make topic " + name)
              .isPresent()) {
            LOG.atInfo()
                .addKeyValue("event", "topic.created")
                .addKeyValue("topic", name)
                .addKeyValue("replicationFactor", config.replicationFactor())
                .log("Topic made");
          }
        });
  }

  private Map<String, String> settings() {
    var window = Long.toString(config.window().toMillis());
    var settings = new TreeMap<String, String>();
    settings.put(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);
    settings.put(TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG, window);
    settings.put(TopicConfig.DELETE_RETENTION_MS_CONFIG, window);
    settings.put(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime");
    settings.put(TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG, "false");
    settings.put(
        TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, Integer.toString(config.minInsyncReplicas()));
    return settings;
  }

  private void verify(Map<String, TopicDescription> topics) {
    var resources = new HashMap<ConfigResource, Topic>();
    for (var topic : Topic.values()) {
      resources.put(new ConfigResource(ConfigResource.Type.TOPIC, topic.kafkaName()), topic);
    }
    var configs =
        KafkaAdmin.get(
            admin.describeConfigs(resources.keySet()).all(),
            "read the settings of the topics",
            limit());
    var faults = new ArrayList<String>();
    resources.forEach((resource, topic) -> {
      var description = topics.get(topic.kafkaName());
      var config = configs.get(resource);
      if (description == null || config == null) {
        throw new GatewayException(
            Outcome.KNOWN_FAILED, "no answer for topic " + topic.kafkaName());
      }
      new Check(topic, faults).verify(description, config);
    });
    if (!faults.isEmpty()) {
      faults.sort(String::compareTo);
      throw new ForeignLogException("the log is not as configured: " + String.join("; ", faults));
    }
  }

  /** Gathers all that is wrong with one topic, so that it is put right at once. */
  private final class Check {
    private final Topic topic;
    private final List<String> faults;

    Check(Topic topic, List<String> faults) {
      this.topic = topic;
      this.faults = faults;
    }

    void verify(TopicDescription description, Config found) {
      int partitions = description.partitions().size();
      int wanted = partitioning.partitions(topic);
      if (partitions != wanted) {
        fault("has %d partitions, configured are %d".formatted(partitions, wanted));
      }
      mustBe(found, TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);
      mustBe(found, TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime");
      mustBeAtLeast(found, TopicConfig.MIN_COMPACTION_LAG_MS_CONFIG, config.window().toMillis());
      mustBeAtLeast(found, TopicConfig.DELETE_RETENTION_MS_CONFIG, config.window().toMillis());
      if (!config.isDevelopment()) {
        int replicas =
            description.partitions().stream()
                .mapToInt(partition -> partition.replicas().size())
                .min()
                .orElse(0);
        if (replicas < config.replicationFactor()) {
          fault(
              "has %d replicas, must have at least %d"
                  .formatted(replicas, config.replicationFactor()));
        }
        mustBe(found, TopicConfig.UNCLEAN_LEADER_ELECTION_ENABLE_CONFIG, "false");
        mustBeAtLeast(found, TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, config.minInsyncReplicas());
      }
    }

    private void mustBe(Config found, String name, String wanted) {
      var value = value(found, name);
      if (!value.equals(wanted)) {
        fault("has %s=%s, must be %s".formatted(name, value, wanted));
      }
    }

    private void mustBeAtLeast(Config found, String name, long least) {
      var value = value(found, name);
      if (Long.parseLong(value) < least) {
        fault("has %s=%s, must be at least %d".formatted(name, value, least));
      }
    }

    private String value(Config found, String name) {
      return Optional.ofNullable(found.get(name)).map(ConfigEntry::value).orElse("0");
    }

    private void fault(String words) {
      faults.add("topic " + topic.kafkaName() + " " + words);
    }
  }

  /** What was asked for, or empty where it failed as expected. */
  private <T> Optional<T> unless(
      Class<? extends Exception> expected, KafkaFuture<T> asked, String what) {
    try {
      return Optional.of(asked.get(limit().toMillis(), TimeUnit.MILLISECONDS));
    } catch (ExecutionException e) {
      if (expected.isInstance(e.getCause())) {
        return Optional.empty();
      }
      throw new GatewayException(Outcome.KNOWN_FAILED, "cannot " + what + ": " + e.getCause(), e);
    } catch (TimeoutException e) {
      throw new GatewayException(Outcome.KNOWN_FAILED, "cannot " + what + ": no answer", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new GatewayException(Outcome.KNOWN_FAILED, "cannot " + what + ": interrupted", e);
    }
  }

  private Duration limit() {
    return config.timeouts().call().plusSeconds(1);
  }
}
