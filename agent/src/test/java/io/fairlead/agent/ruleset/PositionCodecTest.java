package io.fairlead.agent.ruleset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Topic;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class PositionCodecTest {
  private static final LogIdentity LOG =
      new LogIdentity("Wl7vJ3eXTiG9VgXoY0yqAA", "c2VydmljZXMtdG9waWMtaQ");

  @ParameterizedTest
  @ValueSource(
      strings = {"", "s:1", "s:871,p7:12", "p0:4294967295,p1:4294967296,p15:999999999999999999"})
  void readsWhatItWrote(String offsets) {
    var position = Position.parse(LOG, offsets).orElseThrow();
    assertThat(PositionCodec.decode(PositionCodec.encode(position))).contains(position);
  }

  @Test
  void otherWordsDoNotMatter() {
    var words = PositionCodec.encode(Position.parse(LOG, "s:5").orElseThrow());
    words.put(PositionCodec.FORMAT, 77L);
    words.put(PositionCodec.NEXT_ID, 78L);
    assertThat(PositionCodec.decode(words)).contains(Position.parse(LOG, "s:5").orElseThrow());
    assertThat(words.keySet().stream().filter(k -> !PositionCodec.isPosition(k)))
        .containsExactly(PositionCodec.FORMAT, PositionCodec.NEXT_ID);
  }

  @Test
  void aStepChangesOnlyTheWordsOfItsPartition() {
    var before = PositionCodec.encode(Position.parse(LOG, "s:5,p3:8589934592").orElseThrow());
    var after =
        PositionCodec.encode(
            Position.parse(LOG, "s:5,p3:8589934592")
                .orElseThrow()
                .with(new LogPartition(Topic.PODS, 3), 8589934593L));
    after.entrySet().removeAll(before.entrySet());
    assertThat(after).containsExactly(java.util.Map.entry(0x1_0000L + 2 * 4, 1L));
  }

  @Test
  void noPositionWhereOneWasNeverWrittenOrIsDamaged() {
    assertThat(PositionCodec.decode(new TreeMap<>())).isEmpty();
    for (var key : PositionCodec.encode(Position.start(LOG)).keySet()) {
      var words = PositionCodec.encode(Position.start(LOG));
      words.remove(key);
      assertThat(PositionCodec.decode(words)).as("without %s", key).isEmpty();
    }
  }

  @Test
  void refusesAnIdentityThatDoesNotFit() {
    assertThatThrownBy(() ->
            PositionCodec.encode(
                Position.start(new LogIdentity("x".repeat(1000), "y".repeat(100)))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1101 bytes");
  }
}
