package io.fairlead.endpoints.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Topic;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class GracePeriodsTest {
  private static final Instant NOON = TestObjects.NOON;

  private final GracePeriods periods = new GracePeriods();
  private ClusterImage image = TestObjects.image();

  static LogEntry stored(Pod pod, Instant accepted) {
    return new LogEntry(
        new LogPartition(Topic.PODS, 1),
        7,
        accepted,
        new LogEvent.Stored(
            pod,
            new Envelope(
                new UUID(0, 1),
                accepted,
                "user:test",
                Optional.empty(),
                Optional.empty(),
                Optional.empty())));
  }

  private static long at(int seconds) {
    return Duration.ofSeconds(seconds).toNanos();
  }

  private static Pod ending(Pod pod, Instant deadline) {
    return new Pod(pod.meta(), pod.spec(), pod.status().deletedBy(deadline), pod.source());
  }

  private static Pod web() {
    return TestObjects.pod("web-1", "web", "n1", "10.244.1.10");
  }

  /** A record of the Pod is read. */
  private void read(Pod pod, Instant accepted, int second) {
    var delta = TestObjects.delta(image, pod);
    image = delta.apply();
    periods.update(delta, image, List.of(stored(pod, accepted)), NOON, at(second));
  }

  @Test
  void runsFromTheRecordOnWhateverTheClockOfWhoeverDecided() {
    for (var clock : List.of(NOON.minus(Duration.ofDays(400)), NOON.plus(Duration.ofDays(400)))) {
      read(ending(web(), clock.plusSeconds(30)), clock, 100);
      assertThat(periods.over(at(129))).isEmpty();
      assertThat(periods.over(at(130))).containsExactly(web().name());
      var gone = TestObjects.deletion(image, web());
      image = gone.apply();
      periods.update(gone, image, List.of(), NOON, at(131));
      assertThat(periods.over(at(1000))).isEmpty();
    }
  }

  @Test
  void anotherRecordOfThePodDoesNotMakeItBeginAnew() {
    var pod = ending(web(), NOON.plusSeconds(30));
    read(pod, NOON, 0);
    read(TestObjects.with(pod, Pod.Phase.FAILED), NOON.plusSeconds(20), 20);
    assertThat(periods.over(at(30))).hasSize(1);
  }

  @Test
  void askedForAgainItComesEarlierAndNeverLater() {
    read(ending(web(), NOON.plusSeconds(30)), NOON, 0);
    read(ending(web(), NOON.minusSeconds(3600).plusSeconds(30)), NOON.minusSeconds(3600), 10);
    assertThat(periods.over(at(29))).isEmpty();
    assertThat(periods.over(at(30))).hasSize(1); // not at 40, though its clock says so
    read(ending(web(), NOON.minusSeconds(7200).plusSeconds(5)), NOON.minusSeconds(7200), 12);
    assertThat(periods.over(at(16))).isEmpty();
    assertThat(periods.over(at(17))).hasSize(1);
  }

  @Test
  void aLaterPodOfTheNameHasItsOwn() {
    read(ending(web(), NOON.plusSeconds(1)), NOON, 0);
    var meta = web().meta();
    var later =
        new Pod(
            new io.fairlead.core.model.ObjectMeta(
                meta.namespace(),
                meta.name(),
                TestObjects.uid("later"),
                meta.labels(),
                meta.annotations(),
                meta.created()),
            web().spec(),
            web().status(),
            web().source());
    read(ending(later, NOON.plusSeconds(30)), NOON, 10);
    assertThat(periods.over(at(39))).isEmpty();
    assertThat(periods.over(at(40))).hasSize(1);
  }

  /** As at a start from a snapshot. */
  @Test
  void whatIsKnownWithoutItsRecordHasWhatIsLeftByTheClock() {
    var pod = ending(web(), NOON.plusSeconds(600));
    var delta = TestObjects.delta(image, pod);
    periods.update(delta, delta.apply(), List.of(), NOON, at(0));
    assertThat(periods.over(at(599))).isEmpty();
    assertThat(periods.over(at(600))).hasSize(1);
  }
}
