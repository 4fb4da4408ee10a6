package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoint.Process;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code docs/fault-points.md} has the fault points of endpoints-service and the agent. */
@Timeout(60)
class StreamFaultPointsDocTest {
  private static final FaultPointPage PAGE = new FaultPointPage("fault-points.md");

  @Test
  void listsThePointsInTheirOrder() throws IOException {
    assertThat(PAGE.rows())
        .isEqualTo(
            Stream.of(Process.ENDPOINTS, Process.AGENT)
                .flatMap(process -> FaultPoint.of(process).stream())
                .map(point -> List.of(point.toString(), point.done(), point.open()))
                .toList());
  }

  @Test
  void namesTestsThatExist() throws IOException {
    assertThat(PAGE.missingTests()).isEmpty();
  }
}
