package io.fairlead.endpoints.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.RandomSource;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ResetTurnsTest {
  private final FakeTime time = new FakeTime();

  private static void nothing() {}

  @Test
  void soManyAsThereArePlacesGoAtOnceAndTheOthersInTheirOrder() {
    var turns = new ResetTurns(2, time);
    var first = turns.queue(ResetTurnsTest::nothing);
    var second = turns.queue(ResetTurnsTest::nothing);
    var woken = new ArrayList<String>();
    var third = turns.queue(() -> woken.add("third"));
    var fourth = turns.queue(() -> woken.add("fourth"));
    assertThat(first.hasCome()).isTrue();
    assertThat(second.hasCome()).isTrue();
    assertThat(third.hasCome()).isFalse();
    assertThat(turns.sending()).isEqualTo(2);
    assertThat(turns.waiting()).isEqualTo(2);
    time.advance(Duration.ofSeconds(3));
    second.close();
    assertThat(woken).containsExactly("third");
    assertThat(third.hasCome()).isTrue();
    assertThat(third.sinceNanos()).isEqualTo(time.nanoTime());
    assertThat(fourth.hasCome()).isFalse();
  }

  @Test
  void whoGoesAwayWhileItWaitsIsPassedOver() {
    var turns = new ResetTurns(1, time);
    var first = turns.queue(ResetTurnsTest::nothing);
    var second = turns.queue(ResetTurnsTest::nothing);
    var third = turns.queue(ResetTurnsTest::nothing);
    second.close();
    first.close();
    first.close(); // once more does no harm
    assertThat(third.hasCome()).isTrue();
    assertThat(turns.sending()).isEqualTo(1);
    third.close();
    assertThat(turns.sending() + turns.waiting()).isZero();
  }

  @Test
  void whoGivesUpItsPlaceQueuesBehindThoseWhoWait() {
    var turns = new ResetTurns(1, time);
    var first = turns.queue(ResetTurnsTest::nothing);
    var second = turns.queue(ResetTurnsTest::nothing);
    first.leave();
    assertThat(second.hasCome()).isTrue();
    first.queue();
    first.queue(); // it stands there once
    assertThat(first.hasCome()).isFalse();
    assertThat(turns.waiting()).isEqualTo(1);
    second.close();
    assertThat(first.hasCome()).isTrue();
  }

  @Test
  void whoSendsIsWokenWhenOthersBeginToWait() {
    var turns = new ResetTurns(1, time);
    var woken = new ArrayList<String>();
    var first = turns.queue(() -> woken.add("first"));
    woken.clear();
    var _ = turns.queue(ResetTurnsTest::nothing);
    assertThat(woken).containsExactly("first");
    assertThat(first.hasCome()).isTrue();
  }

  /** 5,000 nodes that come at once, and come and go at random. */
  @Test
  void neverMoreThanThereArePlaces() {
    long seed = RandomSource.secure().generator().nextLong();
    var random = RandomSource.seeded(seed).generator();
    var turns = new ResetTurns(16, time);
    var all = new ArrayDeque<ResetTurns.Turn>();
    for (int i = 0; i < 5000; i++) {
      all.add(turns.queue(ResetTurnsTest::nothing));
    }
    int done = 0;
    while (!all.isEmpty()) {
      var turn = all.removeFirst();
      if (turn.hasCome() && random.nextInt(4) == 0) {
        turn.leave();
        turn.queue();
        all.addLast(turn);
      } else if (turn.hasCome() || random.nextInt(50) == 0) {
        turn.close();
        done++;
      } else {
        all.addLast(turn);
      }
      assertThat(turns.sending())
          .as("seed %d, after %d", seed, done)
          .isEqualTo(Math.min(16, turns.sending() + turns.waiting()));
    }
    assertThat(turns.sending()).isZero();
  }

  @Test
  void noPlaceAtAllIsRefused() {
    assertThatThrownBy(() -> new ResetTurns(0, time)).isInstanceOf(IllegalArgumentException.class);
  }
}
