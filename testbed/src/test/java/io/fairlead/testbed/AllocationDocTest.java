package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.FaultPoint;
import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code docs/allocation.md} has the fault points of the code, and names tests that exist. */
@Timeout(60)
class AllocationDocTest {
  private static final FaultPointPage PAGE = new FaultPointPage("allocation.md");
  private static final List<FaultPoint> POINTS = FaultPoint.of(FaultPoint.Process.OWNER);
  private static final Pattern DRAWN = Pattern.compile("\\* ([a-z]+(?:\\.[a-z-]+)?)(?![a-z.-])");

  @Test
  void listsThePointsInTheirOrder() throws IOException {
    assertThat(PAGE.rows())
        .isEqualTo(
            POINTS.stream()
                .map(point -> List.of(point.toString(), point.done(), point.open()))
                .toList());
  }

  @Test
  void drawsEveryPoint() throws IOException {
    var drawings = new StringBuilder();
    var parts = PAGE.text().split("```", -1);
    for (int i = 1; i < parts.length; i += 2) {
      drawings.append(parts[i]);
    }
    var drawn = DRAWN.matcher(drawings).results().map(match -> match.group(1)).toList();
    assertThat(drawn).containsAll(POINTS.stream().map(FaultPoint::toString).toList());
    assertThat(drawn).allMatch(name -> FaultPoint.parse(name).isPresent());
  }

  @Test
  void namesTestsThatExist() throws IOException {
    assertThat(PAGE.missingTests()).isEmpty();
  }
}
