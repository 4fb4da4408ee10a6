package io.fairlead.core.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class PositionTest {
  private static final LogIdentity LOG = new LogIdentity("s", "p");

  @Test
  void readsWhatItWrites() {
    long seed = System.nanoTime();
    var random = new Random(seed);
    for (int i = 0; i < 1000; i++) {
      var next = new TreeMap<LogPartition, Long>();
      for (int j = random.nextInt(5); j > 0; j--) {
        var partition =
            random.nextInt(4) == 0
                ? LogPartition.SERVICES
                : new LogPartition(Topic.PODS, random.nextInt(100_000));
        next.put(partition, random.nextLong(1_000_000_000_000_000_000L));
      }
      var position = new Position(LOG, next);
      assertThat(Position.parse(LOG, position.offsets())).as("seed %s", seed).contains(position);
    }
  }

  @Test
  void tellsWhatIsDifferentSinceAnother() {
    var before = Position.parse(LOG, "s:3,p1:4").orElseThrow();
    var after = Position.parse(LOG, "s:3,p1:9,p2:1").orElseThrow();
    assertThat(after.since(before).offsets()).isEqualTo("p1:9,p2:1");
    assertThat(after.since(after).offsets()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "s:0", "s:0,p0:0"})
  void nothingReadIsTheStart(String offsets) {
    assertThat(Position.parse(LOG, offsets)).contains(Position.start(LOG));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        ",",
        "s",
        "s:",
        ":1",
        "s:1,",
        ",s:1",
        "s:1,,p0:1",
        "s:01",
        "s:-1",
        "s:+1",
        "s:1 ",
        "s:x",
        "s:1:2",
        "s0:1",
        "p:1",
        "p01:1",
        "p-1:1",
        "p100000:1",
        "q1:1",
        "P1:1",
        "s:1,s:2",
        "s:1000000000000000000",
        "s:1,p0",
        "s,p0:1",
        "s:\u0661"
      })
  void whatIsNoPositionIsNone(String offsets) {
    assertThat(Position.parse(LOG, offsets)).isEmpty();
  }
}
