package io.fairlead.eventlog.log;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Topic;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AbortTransactionOptions;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeProducersOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.DescribeTransactionsOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/**
 * Questions about the log, each bounded in time, and whether it is still the log it was.
 * Thread-safe. Once a topic was found to be another one, everything that asks gets that answer.
 */
final class KafkaAdmin implements AutoCloseable {
  private static final Set<TransactionState> UNDER_WAY =
      Set.of(
          TransactionState.ONGOING,
          TransactionState.PREPARE_ABORT,
          TransactionState.PREPARE_COMMIT,
          TransactionState.PREPARE_EPOCH_FENCE);

  static final List<String> TOPICS = Arrays.stream(Topic.values()).map(Topic::kafkaName).toList();

  private final Admin admin;
  private final Duration limit;
  private final LogIdentity identity;
  private volatile Optional<String> foreign = Optional.empty();

  KafkaAdmin(Admin admin, Duration limit, LogIdentity identity) {
    this.admin = admin;
    this.limit = limit;
    this.identity = identity;
  }

  LogIdentity identity() {
    return identity;
  }

  /** Last stable offsets where the isolation is READ_COMMITTED, else the ends. */
  Map<LogPartition, Long> ends(Collection<LogPartition> partitions, IsolationLevel isolation) {
    return offsets(partitions, OffsetSpec.latest(), isolation);
  }

  /** First offsets there are. */
  Map<LogPartition, Long> starts(Collection<LogPartition> partitions) {
    return offsets(partitions, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED);
  }

  private Map<LogPartition, Long> offsets(
      Collection<LogPartition> partitions, OffsetSpec which, IsolationLevel isolation) {
    requireSame();
    var asked = partitions.stream().collect(Collectors.toMap(KafkaAdmin::kafka, _ -> which));
    // both at once: an end is worth nothing where the topic is another
    var same = startCheck();
    var listed =
        admin.listOffsets(
            asked, new ListOffsetsOptions(isolation).timeoutMs(KafkaClients.millis(limit)));
    finishCheck(same);
    var offsets = get(listed.all(), "read the offsets of the log", limit);
    var answers = new TreeMap<LogPartition, Long>();
    for (var partition : partitions) {
      answers.put(
          partition,
          Optional.ofNullable(offsets.get(kafka(partition)))
              .map(ListOffsetsResultInfo::offset)
              .orElseThrow(() -> new IllegalStateException("no answer for " + partition)));
    }
    return answers;
  }

  /** Asks whether the topics are those they were, and returns at once. */
  KafkaFuture<Map<String, TopicDescription>> startCheck() {
    return admin
        .describeTopics(TOPICS, new DescribeTopicsOptions().timeoutMs(KafkaClients.millis(limit)))
        .allTopicNames();
  }

  /**
   * Waits for the answer.
   *
   * @throws ForeignLogException the topics were made anew
   * @throws GatewayException nobody answers, or a topic does not exist now
   */
  void finishCheck(KafkaFuture<Map<String, TopicDescription>> asked) {
    var found = identity(get(asked, "look up the topics of the log", limit));
    if (!found.equals(identity)) {
      foreign =
          Optional.of(
              "a topic was deleted and made anew: the log is now %s, it was %s"
                  .formatted(found, identity));
    }
    requireSame();
  }

  /** As far as it is known: asks nobody. */
  void requireSame() {
    foreign.ifPresent(words -> {
      throw new ForeignLogException(words);
    });
  }

  void check() {
    requireSame();
    finishCheck(startCheck());
  }

  /**
   * Ends the transactions that are open in a partition: to be asked by its writer after its fence,
   * when none can be. A broker that was killed can come back with a coordinator that ends a
   * transaction before its marker reached the partition, and drops the marker (seen with 4.3.1).
   * The records then wait there, and the next commit of the same producer would bring them to
   * light.
   *
   * <p>Only what is older than the last fence that the coordinator knows: whoever was itself fenced
   * meanwhile must not tear the transaction of the one who works now.
   *
   * @return how many there were
   * @throws GatewayException they may be open still
   */
  int abortForgotten(LogPartition partition) {
    var id = KafkaClients.transactionalId(partition);
    var fenced = // asked first: who fences later is later than all that is found then
        get(
            admin
                .describeTransactions(
                    List.of(id),
                    new DescribeTransactionsOptions().timeoutMs(KafkaClients.millis(limit)))
                .description(id),
            "look at the last fence",
            limit);
    if (UNDER_WAY.contains(fenced.state())) {
      return 0;
    }
    var open =
        get(
                admin
                    .describeProducers(
                        List.of(kafka(partition)),
                        new DescribeProducersOptions().timeoutMs(KafkaClients.millis(limit)))
                    .partitionResult(kafka(partition)),
                "look for open transactions",
                limit)
            .activeProducers()
            .stream()
            .filter(producer -> producer.currentTransactionStartOffset().isPresent())
            .filter(producer ->
                producer.producerId() != fenced.producerId()
                    || producer.producerEpoch() < fenced.producerEpoch())
            .toList();
    for (var producer : open) {
      var transaction =
          new AbortTransactionSpec(
              kafka(partition),
              producer.producerId(),
              (short) producer.producerEpoch(),
              Math.max(0, producer.coordinatorEpoch().orElse(0)));
      var _ =
          get(
              admin
                  .abortTransaction(
                      transaction,
                      new AbortTransactionOptions().timeoutMs(KafkaClients.millis(limit)))
                  .all(),
              "abort a forgotten transaction",
              limit);
    }
    return open.size();
  }

  static LogIdentity identity(Map<String, TopicDescription> topics) {
    return new LogIdentity(id(topics, Topic.SERVICES), id(topics, Topic.PODS));
  }

  private static String id(Map<String, TopicDescription> topics, Topic topic) {
    return Optional.ofNullable(topics.get(topic.kafkaName()))
        .map(description -> description.topicId().toString())
        .orElseThrow(() -> new IllegalStateException("no answer for " + topic.kafkaName()));
  }

  static TopicPartition kafka(LogPartition partition) {
    return new TopicPartition(partition.topic().kafkaName(), partition.index());
  }

  /** Kafka's own limit ends the call; ours is for a client that hangs. */
  static <T> T get(KafkaFuture<T> future, String what, Duration limit) {
    try {
      return future.get(limit.plusSeconds(1).toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      var cause = e.getCause() == null ? e : e.getCause();
      throw new GatewayException(
          Outcome.KNOWN_FAILED, "cannot " + what + ": " + cause.getMessage(), cause);
    } catch (TimeoutException e) {
      throw new GatewayException(Outcome.KNOWN_FAILED, "cannot " + what + ": no answer", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new GatewayException(Outcome.KNOWN_FAILED, "cannot " + what + ": interrupted", e);
    }
  }

  @Override
  public void close() {
    admin.close(Duration.ofSeconds(1));
  }
}
