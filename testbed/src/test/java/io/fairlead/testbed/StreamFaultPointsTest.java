package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoint.Process;
import io.fairlead.testbed.story.NodeStory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Replicas of endpoints-service and agents die at every point of their way while everything that
 * they have to do with goes on: nothing is lost, doubled or forgotten. {@code docs/fault-points.md}
 * says what each point is.
 */
@Tag("long") // some minutes
@Timeout(600)
class StreamFaultPointsTest {
  private static final List<FaultPoint> POINTS =
      Stream.concat(
              FaultPoint.of(Process.ENDPOINTS).stream(), FaultPoint.of(Process.AGENT).stream())
          .toList();

  private static NodeStory story;

  @BeforeAll
  static void start() throws IOException {
    Assumptions.assumeTrue(
        "root".equals(System.getProperty("user.name")),
        "needs root: network namespaces and nftables are made");
    story = NodeStory.start("points", Path.of("target", "points").toAbsolutePath());
  }

  @AfterAll
  static void stop() {
    if (story != null) {
      story.close();
    }
  }

  @Test
  void everyPointIsInOneAct() {
    var played = new ArrayList<FaultPoint>();
    acts().forEach(act -> played.addAll(act.points()));
    assertThat(played).containsExactlyInAnyOrderElementsOf(POINTS);
  }

  /** Deaths in one go, so that processes that are started again share the time. */
  record Act(String name, List<FaultPoint> points) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Act> acts() {
    return List.of(
        new Act(
            "streams open",
            List.of(
                FaultPoint.SESSION_OPENING,
                FaultPoint.SESSION_OPENED,
                FaultPoint.SESSION_LEASED,
                FaultPoint.STREAM_CAUGHT_UP,
                FaultPoint.STREAM_PART_SENT,
                FaultPoint.STREAM_FIRST_SENT,
                FaultPoint.HELLO_SENT,
                FaultPoint.STATE_TAKEN,
                FaultPoint.DISK_IMAGE,
                FaultPoint.DISK_RENAMED)),
        new Act(
            "nodes report",
            List.of(
                FaultPoint.REPORT_TAKEN,
                FaultPoint.REPORT_DECIDED,
                FaultPoint.SOURCE_TAKEN,
                FaultPoint.SOURCE_DECIDED,
                FaultPoint.REPORT_SENT,
                FaultPoint.SOURCE_SENT,
                FaultPoint.CHANGE_TAKEN,
                FaultPoint.DISK_JOURNAL,
                FaultPoint.DISK_WRITTEN)),
        new Act(
            "nodes acknowledge, people write",
            List.of(
                FaultPoint.ACK_TAKEN,
                FaultPoint.ACKS_PUBLISHED,
                FaultPoint.SLICE_ASKED,
                FaultPoint.SLICE_DECIDED,
                FaultPoint.DRAIN_MARKED,
                FaultPoint.WAIT_ANSWERING,
                FaultPoint.KERNEL_TRANSACTION,
                FaultPoint.KERNEL_WRITTEN,
                FaultPoint.ACK_SENT,
                FaultPoint.BOOKMARK_TAKEN,
                FaultPoint.FLOWS_DUE,
                FaultPoint.FLOWS_CLEANED)),
        new Act(
            "a node is lost",
            List.of(
                FaultPoint.NODE_LOSING,
                FaultPoint.NODE_LOST,
                FaultPoint.PODS_LOST,
                FaultPoint.PODS_COLLECTING,
                FaultPoint.PODS_COLLECTED)),
        new Act(
            "without a control plane", List.of(FaultPoint.DISK_READ, FaultPoint.DISK_PROGRAMMED)),
        new Act(
            "snapshots are kept, agents are moved",
            List.of(
                FaultPoint.SNAPSHOT_WRITTEN,
                FaultPoint.SNAPSHOT_RENAMED,
                FaultPoint.MOVE_ASKED,
                FaultPoint.MOVE_BEGUN)));
  }

  @ParameterizedTest
  @MethodSource("acts")
  void aProcessThatDiesLosesAndDoublesNothing(Act act) {
    story.dieAt(act.points(), () -> {});
    assertThat(act.points()).allMatch(story::wasReached);
  }
}
