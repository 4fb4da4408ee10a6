package io.fairlead.endpoints.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class PodLeasesTest {
  private static final Pod LEASED = TestLeases.leased("dns-0", "30");

  private final PodLeases leases = new PodLeases();
  private ClusterImage image = ClusterImage.EMPTY;
  private int looked = -1;

  @BeforeEach
  void begin() {
    apply(LEASED, TestObjects.pod("forever", "dns", "node-a", "10.244.1.11"));
  }

  private void apply(Pod... pods) {
    var delta = TestObjects.delta(image, pods);
    image = delta.apply();
    leases.update(delta, image);
  }

  private static long at(int seconds) {
    return Duration.ofSeconds(seconds).toNanos();
  }

  /** Looks every second until then. */
  private List<ObjectName> overdue(int seconds) {
    while (looked < seconds - 1) {
      looked++;
      look(looked);
    }
    looked = seconds;
    return look(seconds);
  }

  private List<ObjectName> look(int seconds) {
    return leases.overdue(image, _ -> true, at(seconds)).stream().map(Pod::name).toList();
  }

  @Test
  void aPodThatIsNotAppliedAgainIsOverdue() {
    assertThat(overdue(0)).isEmpty();
    assertThat(overdue(29)).isEmpty();
    assertThat(overdue(30)).containsExactly(LEASED.name());
  }

  @Test
  void aPodThatIsAppliedAgainIsNot() {
    overdue(0);
    var _ = leases.renewed(LEASED.name(), at(20));
    assertThat(overdue(49)).isEmpty();
    assertThat(overdue(50)).containsExactly(LEASED.name());
  }

  @Test
  void aRefusedApplyIsNoRenewal() {
    overdue(0);
    leases.refused(leases.renewed(LEASED.name(), at(10)));
    assertThat(overdue(30)).containsExactly(LEASED.name());
    var _ = leases.renewed(LEASED.name(), at(31));
    leases.refused(leases.renewed(LEASED.name(), at(40)));
    assertThat(overdue(60)).isEmpty();
    assertThat(overdue(61)).containsExactly(LEASED.name());
  }

  @Test
  void aRefusalTakesNoLaterRenewalBack() {
    overdue(0);
    var refused = leases.renewed(LEASED.name(), at(10));
    var _ = leases.renewed(LEASED.name(), at(11));
    leases.refused(refused);
    assertThat(overdue(40)).isEmpty();
    assertThat(overdue(41)).containsExactly(LEASED.name());
  }

  /** Between the look and the decision. */
  @Test
  void whatWasAppliedAgainSinceItWasOverdueDidNotRunOut() {
    assertThat(overdue(30)).containsExactly(LEASED.name());
    assertThat(leases.ranOut(LEASED.name(), at(31))).isTrue();
    var _ = leases.renewed(LEASED.name(), at(32));
    assertThat(leases.ranOut(LEASED.name(), at(33))).isFalse();
    assertThat(leases.ranOut(LEASED.name(), at(62))).isTrue();
    apply(TestObjects.pod("dns-0", "dns", "node-a", "10.244.1.10"));
    assertThat(leases.ranOut(LEASED.name(), at(63))).as("no lease any more").isFalse();
  }

  /** Who owned it before may have been told of renewals that nobody here knows of. */
  @Test
  void aNewOwnerGivesTheWholeLeaseAgain() {
    var _ = leases.renewed(LEASED.name(), at(0));
    assertThat(leases.overdue(image, _ -> false, at(100))).isEmpty();
    looked = 100;
    assertThat(overdue(101)).isEmpty();
    assertThat(overdue(130)).isEmpty();
    leases.overdue(image, _ -> false, at(130));
    assertThat(overdue(131)).as("owned again").isEmpty();
    assertThat(overdue(161)).containsExactly(LEASED.name());
  }

  /** The process was stopped: renewals may wait in its sockets. */
  @Test
  void anOwnerThatDidNotLookGivesTheWholeLeaseAgain() {
    assertThat(overdue(10)).isEmpty();
    assertThat(look(100)).isEmpty();
    looked = 100;
    assertThat(overdue(129)).isEmpty();
    assertThat(overdue(130)).containsExactly(LEASED.name());
  }

  @Test
  void aPodWithoutALeaseOrOneThatIsTerminatingIsLeftAlone() {
    overdue(0);
    apply(TestObjects.terminating(LEASED), TestLeases.leased("dns-1", "soon"));
    assertThat(overdue(4000)).isEmpty();
  }

  @Test
  void anotherLeaseCounts() {
    overdue(0);
    apply(TestLeases.leased("dns-0", "60"));
    assertThat(overdue(59)).isEmpty();
    assertThat(overdue(60)).containsExactly(LEASED.name());
  }
}
