package io.fairlead.standalone.pods.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(20)
final class ExpansionTest {
  private static final Map<String, String> GIVEN = Map.of("A", "1", "B", "$(A)", "PATH", "/bin");

  @ParameterizedTest
  @CsvSource({
    "plain, plain",
    "$(A), 1",
    "x$(A)y$(A), x1y1",
    "$(NONE), $(NONE)",
    "$$(A), $(A)",
    "$$$(A), $1",
    "$$$$(A), $$(A)",
    "$A, $A",
    "cost $, cost $",
    "$(A, $(A",
    "$(), $()",
    "$(B), $(A)" // a value is not looked into again
  })
  void putsValuesInTheirPlaces(String word, String expected) {
    assertThat(Expansion.words(List.of(word), GIVEN)).containsExactly(expected);
  }

  @Test
  void variablesMayReferToEachOtherAndToThoseGiven() {
    assertThat(
            Expansion.variables(
                GIVEN, Map.of("X", "$(Z)-$(A)", "Z", "z", "PATH", "/opt:$(PATH)", "A", "2")))
        .isEqualTo(Map.of("A", "2", "B", "$(A)", "X", "z-2", "Z", "z", "PATH", "/opt:/bin"));
  }

  @Test
  void aCircleIsLeftAsItIs() {
    assertThat(Expansion.variables(Map.of(), Map.of("X", "a$(Y)", "Y", "b$(X)")))
        .containsOnlyKeys("X", "Y")
        .allSatisfy((_, value) -> assertThat(value).contains("$("));
  }
}
