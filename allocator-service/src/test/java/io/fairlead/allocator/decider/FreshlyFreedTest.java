package io.fairlead.allocator.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Service;
import io.fairlead.core.run.FakeTime;
import io.fairlead.eventlog.load.Manifest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class FreshlyFreedTest {
  private static final LogIdentity LOG = new LogIdentity("services", "pods");

  private final FakeTime time = new FakeTime();
  private final FreshlyFreed freed = new FreshlyFreed(time);
  private ClusterImage image = ClusterImage.EMPTY;

  private void step(ClusterDelta delta) {
    var next = delta.apply();
    freed.onUpdate(delta, next, new Manifest(Position.start(LOG), List.of()));
    image = next;
  }

  private void store(Service service) {
    step(TestObjects.delta(image, service));
  }

  private void delete(Service service) {
    step(TestObjects.deletion(image, service));
  }

  @Test
  void remembersForAMinuteWhatServicesLostTheOldestFirst() {
    var a = TestObjects.service("a", "10.96.0.7");
    var b = TestObjects.service("b", "10.96.0.3");
    store(a);
    store(b);
    assertThat(freed.recent()).isEmpty();
    delete(a);
    time.advance(Duration.ofSeconds(10));
    delete(b);
    assertThat(freed.recent()).containsExactly(Address.of("10.96.0.7"), Address.of("10.96.0.3"));
    time.advance(Duration.ofSeconds(50));
    assertThat(freed.recent()).containsExactly(Address.of("10.96.0.3"));
    time.advance(Duration.ofSeconds(10));
    assertThat(freed.recent()).isEmpty();
  }

  @Test
  void aServiceThatKeepsItsAddressFreesNothing() {
    store(TestObjects.service("a", "10.96.0.7"));
    store(TestObjects.service("a", "10.96.0.7"));
    assertThat(freed.recent()).isEmpty();
    store(TestObjects.service("a", "10.96.0.8"));
    assertThat(freed.recent()).containsExactly(Address.of("10.96.0.7"));
  }

  /** Every decision asks: with many addresses a copy for each would cost more than all the rest. */
  @Test
  void isCopiedOnlyWhenSomethingChanged() {
    var a = TestObjects.service("a", "10.96.0.7");
    store(a);
    delete(a);
    var recent = freed.recent();
    assertThat(freed.recent()).isSameAs(recent);
    store(TestObjects.service("b", "10.96.0.8"));
    assertThat(freed.recent()).isSameAs(recent);
    delete(TestObjects.service("b", "10.96.0.8"));
    assertThat(freed.recent()).hasSize(2);
    assertThat(recent).containsExactly(Address.of("10.96.0.7"));
  }

  @Test
  void forgetsTheOldestOfVeryMany() {
    for (int i = 0; i < FreshlyFreed.MOST + 5; i++) {
      var service = TestObjects.service("a", "10.96." + (i >> 8) + "." + (i & 255));
      store(service);
      delete(service);
    }
    assertThat(freed.recent()).hasSize(FreshlyFreed.MOST).startsWith(Address.of("10.96.0.5"));
  }
}
