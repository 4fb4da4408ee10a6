package io.fairlead.core.decide;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.Change;
import io.fairlead.core.run.RandomSource;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class FeatureLevelDeciderTest {
  private static Decision<ServiceOutcome> raise(ClusterImage image, int level, String... lacking) {
    return ServicesDecider.decide(
        image,
        new ServiceCommand.RaiseFeatureLevel(level, List.of(lacking)),
        new ServicesContext(
            TestObjects.NOON,
            RandomSource.seeded(1),
            Set.of(),
            Map.of(),
            new LinkedHashSet<>(),
            ServiceSettings.DEFAULT));
  }

  private static ClusterImage at(int level) {
    return TestObjects.image(new FeatureLevel(level, new UUID(1, 2)));
  }

  @Test
  void aLogWithoutARecordHasTheFirstLevel() {
    assertThat(ClusterImage.EMPTY.featureLevel()).isEqualTo(1);
    var decision = raise(ClusterImage.EMPTY, 1, "somebody");
    assertThat(decision.changes()).isEmpty();
    assertThat(decision.reply())
        .isEqualTo(
            new ServiceOutcome.FeatureLevelRaised(Result.UNCHANGED, 1, OptionalLong.empty()));
  }

  @Test
  void isRaisedByARecordAndOnce() {
    var decision = raise(at(2), 4);
    assertThat(decision.changes())
        .singleElement()
        .satisfies(change ->
            assertThat(((Change.Put) change).object())
                .as("the same object")
                .isEqualTo(new FeatureLevel(4, new UUID(1, 2))));
    var working = at(2).with(decision.changes());
    assertThat(working.featureLevel()).isEqualTo(4);
    assertThat(raise(working, 4).reply())
        .isEqualTo(
            new ServiceOutcome.FeatureLevelRaised(Result.UNCHANGED, 4, OptionalLong.empty()));
    assertThat(raise(at(4), 4).reply())
        .isEqualTo(
            new ServiceOutcome.FeatureLevelRaised(Result.UNCHANGED, 4, OptionalLong.of(100)));
    var stored = TestObjects.stored(LogPartition.SERVICES, 7, new FeatureLevel(4, new UUID(1, 2)));
    assertThat(ServicesDecider.recall(stored)).isEqualTo(decision.reply().at(7));
  }

  @Test
  void isNeverLowered() {
    var decision = raise(at(3), 2);
    assertThat(decision.changes()).isEmpty();
    assertThat(decision.reply())
        .isEqualTo(
            new ServiceOutcome.Refused(
                new Refusal.Invalid(
                    FeatureLevel.KEY,
                    List.of(
                        new Violation(
                            "level",
                            Violation.Reason.INVALID,
                            "the log has feature level 3, which is never lowered")))));
  }

  @Test
  void isNotRaisedWhileSomebodyDoesNotSupportIt() {
    var decision = raise(at(1), 2, "dns/dns-1 supports up to 1");
    assertThat(decision.changes()).isEmpty();
    assertThat(decision.reply())
        .isEqualTo(
            new ServiceOutcome.Refused(
                new Refusal.UnsupportedFeatureLevel(2, List.of("dns/dns-1 supports up to 1"))));
  }
}
