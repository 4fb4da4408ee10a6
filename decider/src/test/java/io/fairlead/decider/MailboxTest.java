package io.fairlead.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.FakeTime;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class MailboxTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final Mailbox<Integer> mailbox = new Mailbox<>(10);

  private CompletableFuture<Boolean> gathering(int wanted, Duration pause, Duration limit) {
    var done = new CompletableFuture<Boolean>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            mailbox.gather(wanted, pause, limit);
            done.complete(true);
          } catch (InterruptedException e) {
            done.completeExceptionally(e);
          }
        });
    return done;
  }

  @Test
  void gathersUntilSoManyAreThere() throws Exception {
    assertThat(mailbox.offer(1, _ -> false)).isTrue();
    var gathered = gathering(3, LONG, LONG);
    assertThat(mailbox.offer(2, _ -> false)).isTrue();
    assertThat(gathered).isNotDone();
    assertThat(mailbox.offer(3, _ -> false)).isTrue();
    assertThat(gathered.get(20, TimeUnit.SECONDS)).isTrue();
    assertThat(mailbox.take(10)).containsExactly(1, 2, 3);
  }

  @Test
  void gathersNoLongerWhenNobodyComes() throws Exception {
    assertThat(mailbox.offer(1, _ -> false)).isTrue();
    assertThat(gathering(3, Duration.ofMillis(1), LONG).get(20, TimeUnit.SECONDS)).isTrue();
    assertThat(gathering(3, LONG, Duration.ofMillis(1)).get(20, TimeUnit.SECONDS)).isTrue();
    assertThat(mailbox.take(10)).containsExactly(1);
  }

  @Test
  void whoIsWokenGathersNoLonger() throws Exception {
    var gathered = gathering(3, LONG, LONG);
    mailbox.wake();
    assertThat(gathered.get(20, TimeUnit.SECONDS)).isTrue();
    assertThat(mailbox.take(10)).isEmpty();
  }

  @Test
  void oneIsEnoughAgainAfterGathering() throws Exception {
    mailbox.gather(3, Duration.ofMillis(1), Duration.ofMillis(1));
    var taken = CompletableFuture.supplyAsync(this::takeOne);
    assertThat(mailbox.offer(7, _ -> false)).isTrue();
    assertThat(taken.get(20, TimeUnit.SECONDS)).isEqualTo(7);
  }

  private int takeOne() {
    try {
      return mailbox.take(1).getFirst();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The other one is there, or comes soon. */
  @Test
  void theNextBatchWaitsForWhoWasAnsweredJustNow() throws Exception {
    var time = new FakeTime();
    var gathering = new Gathering(mailbox, time, 10);
    long from = time.nanoTime();
    time.advance(Duration.ofSeconds(1));
    assertThat(mailbox.offer(1, _ -> false)).isTrue();
    gathering.answered(1, from);
    assertThat(mailbox.offer(2, _ -> false)).isTrue();
    gathering.await(); // both are there
    gathering.answered(2, from);
    time.advance(Duration.ofSeconds(1));
    gathering.await(); // too long ago
    gathering.answered(1, time.nanoTime());
    gathering.await(); // it took no time
    assertThat(mailbox.take(10)).containsExactly(1, 2);
  }
}
