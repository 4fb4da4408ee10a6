package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.FaultPoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code docs/allocation.md} has the fault points of the code, and names tests that exist. */
@Timeout(60)
class AllocationDocTest {
  private static final Path PAGE = TestSources.HOME.resolve("docs").resolve("allocation.md");
  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| `([a-z.-]+)` \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\|$");
  private static final Pattern DRAWN = Pattern.compile("\\* ([a-z]+(?:\\.[a-z-]+)?)(?![a-z.-])");
  private static final Pattern TEST = Pattern.compile("`(\\w+(?:Test|Contract))\\.(\\w+)`");

  @Test
  void listsThePointsInTheirOrder() throws IOException {
    var rows =
        ROW.matcher(Files.readString(PAGE))
            .results()
            .map(row -> List.of(row.group(1), row.group(2), row.group(3)))
            .toList();
    assertThat(rows)
        .isEqualTo(
            Arrays.stream(FaultPoint.values())
                .map(point -> List.of(point.toString(), point.done(), point.open()))
                .toList());
  }

  @Test
  void drawsEveryPoint() throws IOException {
    var drawings = new StringBuilder();
    var parts = Files.readString(PAGE).split("```", -1);
    for (int i = 1; i < parts.length; i += 2) {
      drawings.append(parts[i]);
    }
    var drawn = DRAWN.matcher(drawings).results().map(match -> match.group(1)).toList();
    assertThat(drawn)
        .containsAll(Arrays.stream(FaultPoint.values()).map(FaultPoint::toString).toList());
    assertThat(drawn).allMatch(name -> FaultPoint.parse(name).isPresent());
  }

  @Test
  void namesTestsThatExist() throws IOException {
    var sources = TestSources.all();
    var missing = new ArrayList<String>();
    for (var match : TEST.matcher(Files.readString(PAGE)).results().toList()) {
      if (!TestSources.hasMethod(sources.getOrDefault(match.group(1), ""), match.group(2))) {
        missing.add(match.group());
      }
    }
    assertThat(missing).isEmpty();
  }
}
