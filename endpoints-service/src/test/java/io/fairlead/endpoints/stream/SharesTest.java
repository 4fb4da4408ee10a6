package io.fairlead.endpoints.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.RandomSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
class SharesTest {
  private static Shares shares(int mine, int b, int c) {
    return new Shares("a", new TreeMap<>(Map.of("a", mine, "b", b, "c", c)));
  }

  @ParameterizedTest
  @CsvSource({
    "all of many,          30,  0,  0, true",
    "an even spread,       10, 10, 10, false",
    "one more than others, 11, 10, 10, false",
    "a tenth above,        11,  9, 10, false",
    "more than a tenth,    13,  9,  8, true",
    "one alone,             1,  0,  0, false",
    "two of two,            2,  0,  0, false",
    "three of three,        3,  0,  0, true",
    "fewer than others,     5, 20,  5, false",
  })
  void tooManyIsWellAboveAFairShare(String name, int mine, int b, int c, boolean tooMany) {
    assertThat(shares(mine, b, c).tooMany(0.1)).as(name).isEqualTo(tooMany);
  }

  @Test
  void replicasThatAreNotReadyDoNotCount() {
    assertThat(
            Shares.of("a", List.of("b", "a", "c"), List.of("a", "gone", "b", "a", "gone")).held())
        .isEqualTo(Map.of("a", 2, "b", 1, "c", 0));
  }

  @Test
  void whoLacksMostComesFirst() {
    assertThat(shares(30, 9, 3).lacking()).containsExactly("c", "b");
    assertThat(shares(30, 9, 3).destinations(4)).containsExactly("c", "c", "c", "c");
    assertThat(shares(12, 6, 6).destinations(9)).containsExactly("b", "c", "b", "c");
    assertThat(shares(12, 6, 6).destinations(3)).hasSize(3);
  }

  @Test
  void whoHoldsItsShareSendsNobody() {
    assertThat(shares(10, 10, 10).destinations(9)).isEmpty();
    assertThat(shares(4, 20, 0).destinations(9)).isEmpty();
  }

  /** However they stand and in whichever order they look: in the end they hold about the same. */
  @Test
  void moveByMoveTheyComeToHoldTheSameAndStop() {
    long seed = RandomSource.secure().generator().nextLong();
    var random = RandomSource.seeded(seed).generator();
    for (int round = 0; round < 200; round++) {
      var held = new TreeMap<String, Integer>();
      int replicas = 2 + random.nextInt(4);
      int all = 0;
      for (int i = 0; i < replicas; i++) {
        int here = random.nextInt(100);
        held.put("r" + i, here);
        all += here;
      }
      int moves = 0;
      int fair = Math.ceilDiv(all, replicas);
      int needed = held.values().stream().mapToInt(here -> Math.max(0, here - fair)).sum();
      boolean changed = true;
      while (changed) {
        changed = false;
        for (var replica : new ArrayList<>(held.keySet())) {
          var to = new Shares(replica, new TreeMap<>(held)).destinations(1 + random.nextInt(5));
          for (var destination : to) {
            held.merge(replica, -1, Integer::sum);
            held.merge(destination, 1, Integer::sum);
            moves++;
            changed = true;
          }
        }
      }
      assertThat(held.values())
          .as("seed %d", seed)
          .allSatisfy(n -> assertThat(n).isLessThanOrEqualTo(fair));
      assertThat(moves).as("seed %d", seed).isEqualTo(needed);
    }
  }
}
