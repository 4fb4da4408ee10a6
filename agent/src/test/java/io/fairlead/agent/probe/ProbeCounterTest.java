package io.fairlead.agent.probe;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.probe.ProbeResult.Failed;
import io.fairlead.agent.probe.ProbeResult.NotMade;
import io.fairlead.agent.probe.ProbeResult.Passed;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

@Timeout(60)
class ProbeCounterTest {
  @ParameterizedTest(name = "{0} {1}: {2}")
  @CsvFileSource(
      resources = "/conformance/readiness.tsv",
      delimiter = '\t',
      numLinesToSkip = 1,
      emptyValue = "",
      nullValues = "null")
  void saysWhatTheKubeletSays(
      String row,
      String situation,
      String expected,
      int successThreshold,
      int failureThreshold,
      @org.jspecify.annotations.Nullable String results,
      String verdict) {
    var counter = new ProbeCounter(successThreshold, failureThreshold);
    for (var result : (results == null ? "" : results).split(" ", -1)) {
      switch (result) {
        case "P" -> counter.count(new Passed("http 200"));
        case "F" -> counter.count(new Failed("http 503"));
        case "N" -> counter.count(new NotMade("no address"));
        default -> assertThat(result).isEmpty();
      }
    }
    assertThat(counter.verdict().map(v -> v.ready() ? "ready" : "unready").orElse("unknown"))
        .as(row + " " + situation + ": " + expected)
        .isEqualTo(verdict);
  }

  @Test
  void tellsOnlyOfTurns() {
    var counter = new ProbeCounter(1, 1);
    assertThat(counter.count(new Passed("http 200"))).isTrue();
    assertThat(counter.count(new Passed("http 204"))).isFalse();
    assertThat(counter.count(new Failed("timeout"))).isTrue();
    assertThat(counter.count(new Failed("connection refused"))).isFalse();
    assertThat(counter.verdict()).contains(new Verdict(false, "timeout"));
  }
}
