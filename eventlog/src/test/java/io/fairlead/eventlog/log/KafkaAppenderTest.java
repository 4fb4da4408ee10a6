package io.fairlead.eventlog.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Service;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.codec.RandomEvents;
import java.time.Duration;
import java.util.List;
import java.util.TreeMap;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

@Timeout(60)
class KafkaAppenderTest {
  private final RandomEvents random = new RandomEvents(3, new Partitioning(16));
  private final MockProducer<byte[], byte[]> producer =
      new MockProducer<>(
          true, new RoundRobinPartitioner(), new ByteArraySerializer(), new ByteArraySerializer());

  static final List<RuntimeException> FENCED =
      List.of(
          new ProducerFencedException("newer epoch"),
          new InvalidProducerEpochException("newer epoch"),
          new KafkaException("in error state", new InvalidProducerEpochException("newer epoch")));

  @ParameterizedTest
  @FieldSource("FENCED")
  void isFencedForSureWhereNoCommitWasSent(RuntimeException cause) {
    var appender = appender();
    producer.sendException = cause;

    assertThatThrownBy(() -> appender.append(events())).isInstanceOf(FencedException.class);
    assertThat(producer.history()).isEmpty();
    assertThatThrownBy(() -> appender.append(events())).isInstanceOf(IllegalStateException.class);
  }

  /** Names that do not resolve for a moment must not end a process that takes a partition over. */
  @Test
  void aProducerThatCannotBeMadeIsTroubleOutside() {
    var config = KafkaLogConfig.of("no-such-host.invalid:9092", "test");
    assertThatThrownBy(() -> KafkaClients.producer(config, LogPartition.SERVICES, "x"))
        .isInstanceOf(GatewayException.class)
        .hasMessageContaining("cannot make a producer for s")
        .extracting(e -> ((GatewayException) e).outcome())
        .isEqualTo(Outcome.KNOWN_FAILED);
  }

  @ParameterizedTest
  @FieldSource("FENCED")
  void doesNotKnowWhatBecameOfACommitThatMayHaveBeenSentTwice(RuntimeException cause) {
    var appender = appender();
    producer.commitTransactionException = cause;

    assertThat(outcome(appender)).isEqualTo(Outcome.UNKNOWN);
    assertThatThrownBy(() -> appender.append(events())).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void doesNotKnowWhatBecameOfACommitThatTimedOut() {
    var appender = appender();
    producer.commitTransactionException = new TimeoutException("60 s");

    assertThat(outcome(appender)).isEqualTo(Outcome.UNKNOWN);
  }

  @Test
  void mayBeUsedAgainAfterARefusalThatWasAborted() {
    var appender = appender();
    producer.sendException = new NotEnoughReplicasException("1 of 2");
    assertThat(outcome(appender)).isEqualTo(Outcome.KNOWN_FAILED);
    assertThat(producer.transactionAborted()).isTrue();

    producer.sendException = null;
    appender.append(events());
    assertThat(producer.history()).hasSize(1);
    assertThat(producer.commitCount()).isEqualTo(1);
  }

  @Test
  void abortsLaterWhatCouldNotBeAbortedAtOnce() {
    var appender = appender();
    producer.sendException = new TimeoutException("no leader");
    producer.abortTransactionException = new TimeoutException("no coordinator");
    assertThat(outcome(appender)).isEqualTo(Outcome.KNOWN_FAILED);
    producer.sendException = null;
    assertThat(outcome(appender)).isEqualTo(Outcome.KNOWN_FAILED);

    producer.abortTransactionException = null;
    appender.append(events());
    assertThat(producer.transactionAborted()).isFalse(); // a new one was begun and committed
    assertThat(producer.history()).hasSize(1);
  }

  @Test
  void mustBeClosedWhereTheProducerCannotGoOn() {
    var appender = appender();
    producer.sendException = new NotEnoughReplicasException("1 of 2");
    producer.abortTransactionException = new KafkaException("fatal");

    assertThat(outcome(appender)).isEqualTo(Outcome.UNKNOWN);
    assertThatThrownBy(() -> appender.append(events())).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesARecordThatBrokersWouldRefuse() {
    var appender = appender();
    var service = (Service) random.object(Kind.SERVICE);
    var annotations = new TreeMap<String, String>();
    annotations.put("large", "x".repeat(1_000_000));
    var meta =
        new ObjectMeta(
            service.meta().namespace(),
            service.meta().name(),
            service.uid(),
            new TreeMap<>(),
            annotations,
            service.meta().created());
    var event = new LogEvent.Stored(new Service(meta, service.spec()), random.envelope());

    assertThatThrownBy(() -> appender.append(List.of(event)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(service.key().toString())
        .hasMessageContaining("allowed are 1000000");
    appender.append(events());
  }

  private Outcome outcome(PartitionAppender appender) {
    var thrown = catchThrowableOfType(GatewayException.class, () -> appender.append(events()));
    assertThat(thrown).isNotNull();
    return thrown.outcome();
  }

  private PartitionAppender appender() {
    producer.initTransactions();
    return new KafkaAppender(
        producer,
        LogPartition.SERVICES,
        new Partitioning(16),
        Duration.ofSeconds(3),
        () -> {},
        Time.system(),
        FaultPoints.NONE,
        _ -> {});
  }

  private List<LogEvent> events() {
    return List.of(new LogEvent.Stored(random.object(Kind.SERVICE), random.envelope()));
  }
}
