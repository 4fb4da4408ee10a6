package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.testbed.up.Shell;
import io.fairlead.testbed.up.Tour;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The README's tour prints what the README says. */
@Tag("kernel")
@Timeout(600)
class TourTest {
  private static final Path TOP = Path.of("..").toAbsolutePath().normalize();
  private static final Path DATA = Path.of("target", "tour").toAbsolutePath();

  /** A plane of its own, beside one that this machine may have. */
  private static final Shell SHELL =
      new Shell(
          TOP,
          Map.of("FAIRLEAD_DATA_DIR", DATA.toString(), "FAIRLEAD_PORTS", "free"),
          Duration.ofMinutes(2));

  @BeforeAll
  static void clear() throws IOException {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")),
        "needs root: network namespaces and nftables are made");
    SHELL.run("./fairlead down");
    if (Files.exists(DATA)) {
      try (var files = Files.walk(DATA)) {
        for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  @AfterAll
  static void stop() {
    if ("root".equals(System.getProperty("user.name"))) {
      SHELL.run("./fairlead down").ok();
    }
  }

  @Test
  void printsWhatTheReadmeShows() throws IOException {
    var steps = Tour.steps(Files.readString(TOP.resolve("README.md")), "## A tour");
    assertThat(steps).hasSizeGreaterThan(10);
    var softly = new SoftAssertions();
    for (var step : steps) {
      var result = SHELL.run(step.commands());
      softly
          .assertThat(result.exitCode() == 0)
          .as("README.md:%d succeeds: %s", step.line(), result)
          .isEqualTo(step.ending() == Tour.Ending.SUCCEEDS);
      step.output()
          .ifPresent(output ->
              softly
                  .assertThat(
                      Tour.masked(result.all().replace(DATA.toString(), "/var/lib/fairlead")))
                  .as("README.md:%d %s", step.line(), step.commands())
                  .isEqualTo(Tour.masked(output)));
    }
    softly.assertAll();
  }
}
