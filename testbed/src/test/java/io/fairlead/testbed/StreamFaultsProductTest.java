package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoint.Process;
import io.fairlead.testbed.cluster.Part;
import io.fairlead.testbed.story.NodeStory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each point of {@link StreamFaultPointsTest} by itself, with every other fault at that moment. The
 * variable STREAM_FAULTS chooses cases: a regular expression of their names.
 */
@Tag("long")
@Timeout(600)
class StreamFaultsProductTest {
  /** What happens besides. */
  enum Besides {
    NOTHING,
    KAFKA_DIES,
    ETCD_DIES,
    ALL_REPLICAS_DIE
  }

  record Case(FaultPoint point, Besides besides) {
    @Override
    public String toString() {
      return point + ", " + besides;
    }
  }

  private static NodeStory story;

  @BeforeAll
  static void start() throws IOException {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")),
        "needs root: network namespaces and nftables are made");
    story = NodeStory.start("product", Path.of("target", "product").toAbsolutePath());
  }

  @AfterAll
  static void stop() {
    if (story != null) {
      story.close();
    }
  }

  static List<Case> cases() {
    return Stream.of(Process.ENDPOINTS, Process.AGENT)
        .flatMap(process -> FaultPoint.of(process).stream())
        .flatMap(point -> Arrays.stream(Besides.values()).map(besides -> new Case(point, besides)))
        .filter(c -> c.toString().matches(System.getenv().getOrDefault("STREAM_FAULTS", ".*")))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void aDeathLosesNothingWhateverElseHappens(Case death) {
    story.dieAt(List.of(death.point()), () -> strike(death.besides()));
    assertThat(story.wasReached(death.point())).isTrue();
  }

  private static void strike(Besides besides) {
    var cluster = story.cluster();
    switch (besides) {
      case NOTHING -> {}
      case KAFKA_DIES -> {
        cluster.killKafka();
        cluster.restartKafka();
      }
      case ETCD_DIES -> {
        cluster.killEtcd();
        cluster.restartEtcd();
      }
      case ALL_REPLICAS_DIE -> cluster.endpoints().forEach(Part::kill);
    }
  }
}
