package io.fairlead.endpoints.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class EndOffsetsTest {
  private static <T> CompletableFuture<T> async(Supplier<T> body) {
    var result = new CompletableFuture<T>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            result.complete(body.get());
          } catch (RuntimeException e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  @Test
  void thoseWhoComeDuringALookShareTheNextOne() throws Exception {
    var looks = new AtomicLong();
    var hold = new CountDownLatch(1);
    var offsets =
        new EndOffsets(() -> {
          long look = looks.incrementAndGet();
          try {
            hold.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          return Map.of(LogPartition.SERVICES, look);
        });
    var first = async(offsets::now);
    Awaitility.await().until(() -> looks.get() == 1);
    var others = new ArrayList<CompletableFuture<Map<LogPartition, Long>>>();
    for (int i = 0; i < 20; i++) {
      others.add(async(offsets::now));
    }
    hold.countDown();
    assertThat(first.get()).containsValue(1L);
    for (var other : others) {
      assertThat(other.get().values())
          .as("a look that began after they came")
          .allMatch(l -> l >= 2);
    }
    assertThat(looks.get()).isLessThanOrEqualTo(22);
  }

  @Test
  void troubleReachesAllWhoWaitAndTheNextOneLooksAgain() {
    var answers =
        new ArrayList<Supplier<Map<LogPartition, Long>>>(
            List.of(
                () -> {
                  throw new GatewayException(Outcome.KNOWN_FAILED, "away");
                },
                () -> Map.of(LogPartition.SERVICES, 7L)));
    var offsets = new EndOffsets(() -> answers.removeFirst().get());
    assertThatThrownBy(offsets::now).isInstanceOf(GatewayException.class);
    assertThat(offsets.now()).containsValue(7L);
  }
}
