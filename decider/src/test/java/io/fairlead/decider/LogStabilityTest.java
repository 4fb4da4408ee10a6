package io.fairlead.decider;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.RandomSource;
import io.fairlead.eventlog.log.FakeEventLog;
import io.fairlead.eventlog.log.FakeKafka;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(20)
class LogStabilityTest {
  private static final LogPartition S = LogPartition.SERVICES;

  private final FakeTime time = new FakeTime();
  private final FakeKafka kafka = new FakeKafka(time);
  private final FakeEventLog log = kafka.connect();
  private final LogStability stability = new LogStability(log, List.of(S), time);
  private final RandomSource random = RandomSource.seeded(1);
  private final Logger logger = (Logger) LoggerFactory.getLogger(LogStability.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

  @BeforeEach
  void listen() {
    lines.start();
    logger.addAppender(lines);
  }

  @AfterEach
  void close() {
    logger.detachAppender(lines);
    log.close();
  }

  private List<LogEvent> event() {
    return List.of(
        new LogEvent.Stored(
            TestObjects.service("web", "10.96.0.7"),
            new Envelope(
                random.uuid(),
                TestObjects.NOON,
                "test",
                Optional.empty(),
                Optional.empty(),
                Optional.empty())));
  }

  private void leaveOpen() {
    kafka.leaveOpen(S, event());
  }

  /** As the successor of who left it open. */
  private void abort() {
    log.openAppender(S).close();
  }

  private void lookAfter(Duration more) {
    time.advance(more);
    stability.look();
  }

  private void lookForSeconds(int seconds) {
    for (int i = 0; i < seconds; i++) {
      lookAfter(Duration.ofSeconds(1));
    }
  }

  @Test
  void tellsOncePerEpisode() {
    lookForSeconds(3);
    assertThat(stability.stuck()).isZero();
    leaveOpen();
    lookForSeconds(2);
    assertThat(stability.stuck()).as("seen for 1 s").isZero();
    lookForSeconds(5);
    assertThat(stability.stuck()).isEqualTo(1);
    assertThat(lines.list).hasSize(1);
    assertThat(lines.list.getFirst().getKeyValuePairs().toString())
        .contains("log.unstable", "behind");

    abort();
    lookForSeconds(1);
    assertThat(stability.stuck()).isZero();
    leaveOpen();
    lookForSeconds(5);
    assertThat(stability.stuck()).isEqualTo(1);
    assertThat(lines.list).as("another episode").hasSize(2);
  }

  @Test
  void aLogThatGetsOnIsStableThoughEachLookFindsSomethingOpen() {
    for (int i = 0; i < 10; i++) {
      leaveOpen();
      lookForSeconds(1);
      abort();
    }
    assertThat(stability.stuck()).isZero();
    assertThat(lines.list).isEmpty();
  }

  @Test
  void whileTheLogIsAwayNothingIsKnownAnew() {
    leaveOpen();
    lookForSeconds(4);
    kafka.stop();
    lookForSeconds(5);
    assertThat(stability.stuck()).isEqualTo(1);
    kafka.start();
    lookForSeconds(1);
    assertThat(lines.list).hasSize(1);
  }
}
