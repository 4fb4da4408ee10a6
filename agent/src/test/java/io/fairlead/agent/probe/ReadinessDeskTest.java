package io.fairlead.agent.probe;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.stream.TestEntries;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.PortRef;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class ReadinessDeskTest {
  private static final Pod POD =
      TestEntries.pod(
          "web",
          "api",
          Optional.of(
              new Pod.Probe(
                  new Pod.TcpSocket(Optional.empty(), new PortRef.Number(80)),
                  Duration.ZERO,
                  Duration.ofSeconds(10),
                  Duration.ofSeconds(1),
                  1,
                  3)));

  private final Map<String, Verdict> found = new HashMap<>();
  private final ReadinessDesk desk =
      new ReadinessDesk(pod -> Optional.ofNullable(found.get(pod.name().name())));

  private void record(Optional<PodReadiness> readiness) {
    desk.put(TestEntries.entry(POD, readiness));
  }

  @ParameterizedTest(name = "found {0}, on record {1} of session {2}: {3}")
  @CsvSource({
    "unknown,   none,    0, silent",
    "unknown,   ready,   4, silent",
    "ready,     none,    0, says",
    "ready,     ready,   4, silent",
    "ready,     unready, 4, says",
    "ready,     unready, 5, says",
    "unready,   none,    0, says",
    "unready,   ready,   4, says",
    "unready,   unready, 5, silent",
    "unready,   lost,    4, says",
  })
  void saysWhatDiffersFromTheRecord(String verdict, String record, long session, String expected) {
    switch (verdict) {
      case "ready" -> found.put("web", new Verdict(true, "http 200"));
      case "unready" -> found.put("web", new Verdict(false, "http 503"));
      default -> found.clear();
    }
    record(
        switch (record) {
          case "ready" -> Optional.of(TestEntries.recorded(POD, true, session, "http 200"));
          case "unready" -> Optional.of(TestEntries.recorded(POD, false, session, "http 503"));
          case "lost" -> Optional.of(TestEntries.recorded(POD, false, session, "node lost"));
          default -> Optional.empty();
        });
    assertThat(desk.due(5).isEmpty() ? "silent" : "says").isEqualTo(expected);
  }

  @Test
  void saysAThingOnceUntilTheRecordOrTheSessionChanges() {
    found.put("web", new Verdict(true, "http 200"));
    record(Optional.empty());
    assertThat(desk.due(5)).hasSize(1);
    desk.found(POD.name());
    assertThat(desk.due(5)).isEmpty();
    record(Optional.of(TestEntries.recorded(POD, false, 5, "node lost")));
    assertThat(desk.due(5)).hasSize(1);
    desk.again();
    assertThat(desk.due(6)).hasSize(1);
    desk.remove(POD.name());
    desk.again();
    assertThat(desk.due(7)).isEmpty();
  }

  @Test
  void e10SaysOfARunOfAContainerThatItIsReadyAlthoughTheRecordSaysSoOfAnother() {
    found.put("web", new Verdict(true, "http 200"));
    var began = Instant.parse("2026-11-20T12:00:00Z");
    var pod =
        new Pod(
            POD.meta(),
            POD.spec(),
            new Pod.Status(
                Pod.Phase.RUNNING,
                POD.status().ips(),
                "",
                "",
                List.of(
                    new ContainerStatus(
                        "main", 1, new ContainerStatus.Running(began), Optional.empty())),
                Optional.empty()),
            POD.source());
    desk.put(TestEntries.entry(pod, Optional.of(recorded(pod, began.minusSeconds(60)))));
    assertThat(desk.due(5))
        .hasSize(1)
        .first()
        .extracting(r -> r.runs().get("main"))
        .isEqualTo(began);
    desk.put(TestEntries.entry(pod, Optional.of(recorded(pod, began))));
    assertThat(desk.due(5)).isEmpty();
  }

  private static PodReadiness recorded(Pod pod, Instant run) {
    var known = TestEntries.recorded(pod, true, 5, "http 200");
    return new PodReadiness(
        known.pod(),
        known.podUid(),
        true,
        known.node(),
        known.session(),
        known.sequence(),
        known.reason(),
        known.since(),
        new TreeMap<>(Map.of("main", run)),
        1,
        List.of());
  }
}
