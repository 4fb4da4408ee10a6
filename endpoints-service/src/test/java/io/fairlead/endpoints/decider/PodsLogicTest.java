package io.fairlead.endpoints.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.decide.Decision;
import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Pod;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.RandomSource;
import io.fairlead.decider.DecisionContext;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class PodsLogicTest {
  private static final Pod LEASED = TestLeases.leased("dns-0", "30");

  private final FakeTime time = new FakeTime();
  private final PodLeases leases = new PodLeases();
  private final PodsLogic logic = new PodsLogic(leases, time);

  private Decision<PodOutcome> expire() {
    var delta = TestObjects.delta(ClusterImage.EMPTY, LEASED);
    leases.update(delta, delta.apply());
    return logic.decide(
        delta.apply(),
        new PodCommand.ExpirePod(LEASED.name(), LEASED.uid()),
        new DecisionContext(time.now(), RandomSource.seeded(1), "test", Map.of()));
  }

  @Test
  void endsAPodThatNobodyAppliedAgain() {
    assertThat(expire().changes()).hasSize(1);
  }

  @Test
  void keepsAPodThatSomebodyAppliedWhileItsEndWaited() {
    time.advance(Duration.ofSeconds(100));
    var _ = leases.renewed(LEASED.name(), time.nanoTime());
    assertThat(expire().changes()).isEmpty();
    time.advance(Duration.ofSeconds(30));
    assertThat(expire().changes()).hasSize(1);
  }
}
