package io.fairlead.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FakeCoordinationTest extends CoordinationContract {
  private final FakeTime time = new FakeTime();
  private final FakeEtcd etcd = new FakeEtcd(time);

  @AfterEach
  void closeEtcd() {
    etcd.close();
  }

  @Override
  Coordination connect() {
    return etcd.client();
  }

  @Override
  void down() {
    etcd.down();
  }

  @Override
  void up() {
    etcd.up();
  }

  @Override
  void wipe() {
    etcd.wipe();
  }

  @Override
  void pass(Duration duration) {
    time.advance(duration);
  }

  @Override
  void passReally(Duration duration) {
    time.advance(duration);
  }

  @Test
  void onlyTheClientThatIsCutOffLosesItsLease() {
    var a = etcd.client();
    var b = etcd.client();
    var lost = new AtomicInteger();
    var leaseA = a.openLease(TTL, lost::incrementAndGet);
    var leaseB = b.openLease(TTL, () -> {});
    a.takeOwnership(LogPartition.SERVICES, "a", "a:1", new UUID(0, 1), leaseA);
    a.cutOff();
    time.advance(TTL);
    assertThat(leaseA.live()).isFalse();
    assertThat(leaseB.live()).isTrue();
    assertThat(b.owner(LogPartition.SERVICES)).isEmpty();
    await("told", () -> lost.get() == 1);
  }

  @Test
  void theLeaseOfAClientThatIsThereOutlivesTimeThatJumpsWhileItIsRenewed() {
    // as where the thread of a test moves time while the fake's own waits for a processor
    var jumping =
        new Time() {
          private final AtomicLong nanos = new AtomicLong();

          @Override
          public Instant now() {
            return Instant.EPOCH;
          }

          @Override
          public long nanoTime() {
            return nanos.getAndAdd(TTL.multipliedBy(2).toNanos());
          }

          @Override
          public void sleep(Duration duration) throws InterruptedException {
            new CountDownLatch(1).await(); // until the fake is closed
          }
        };
    try (var jumpy = new FakeEtcd(jumping)) {
      var a = jumpy.client();
      var lease = a.openLease(TTL, () -> {});
      a.takeOwnership(LogPartition.SERVICES, "a", "a:1", new UUID(0, 1), lease);
      for (int i = 0; i < 10; i++) {
        assertThat(a.owner(LogPartition.SERVICES)).isPresent();
      }
    }
  }

  @Test
  void aLostAnswerHidesAnEffect() {
    var a = etcd.client();
    var lease = a.openLease(TTL, () -> {});
    a.loseAnswers(1);
    assertThatThrownBy(
            () -> a.takeOwnership(LogPartition.SERVICES, "a", "a:1", new UUID(0, 1), lease))
        .isInstanceOfSatisfying(
            GatewayException.class,
            e -> assertThat(e.outcome()).isEqualTo(GatewayException.Outcome.UNKNOWN));
    assertThat(a.owner(LogPartition.SERVICES)).isPresent();
  }
}
