package io.fairlead.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.standalone.StartView.Style;
import io.fairlead.standalone.plane.Progress.State;
import io.fairlead.standalone.plane.Progress.Step;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class StartViewTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private StartView view(Style style) {
    return new StartView(new PrintStream(bytes, true, StandardCharsets.UTF_8), style);
  }

  private String shown() {
    var text = bytes.toString(StandardCharsets.UTF_8);
    bytes.reset();
    return text;
  }

  private static Step step(String part, State state, String text) {
    return new Step(part, state, text);
  }

  @Test
  void tellsPlainlyInOneOrderWhoeverIsReadyFirst() {
    var view = view(Style.PLAIN);
    view.show(List.of(step("kafka", State.WAITING, ""), step("etcd", State.WAITING, "")));
    view.show(List.of(step("etcd", State.READY, "127.0.0.1:2379")));
    assertThat(shown()).isEmpty();

    view.show(
        List.of(step("kafka", State.READY, "127.0.0.1:9092"), step("plane", State.READY, "1 s")));
    assertThat(shown())
        .isEqualTo(
            """
              kafka      ready      127.0.0.1:9092
              etcd       ready      127.0.0.1:2379
            """);
  }

  @Test
  void tellsWhatHappensAfterwardsOnce() {
    var view = view(Style.PLAIN);
    view.show(List.of(step("kafka", State.READY, ""), step("etcd", State.READY, "")));
    shown();

    view.show(List.of(step("etcd", State.RESTARTING, "ended by itself")));
    view.show(List.of(step("etcd", State.READY, "started again, pid 7")));
    view.show(List.of(step("kafka", State.STOPPING, ""), step("etcd", State.STOPPING, "")));
    view.show(List.of(step("etcd", State.STOPPED, "")));
    view.show(List.of(step("kafka", State.STOPPED, "")));
    view.show(List.of());

    assertThat(shown())
        .isEqualTo(
            """
              etcd       restarting ended by itself
              etcd       ready      started again, pid 7
              kafka      stopped
              etcd       stopped
            """);
  }

  @Test
  void redrawsItsLinesOnATerminal() {
    var view = view(Style.LIVE);
    view.show(List.of(step("kafka", State.STARTING, ""), step("etcd", State.WAITING, "")));
    assertThat(shown()).isEqualTo("  kafka      starting\033[K\n  etcd       waiting\033[K\n");

    view.show(List.of(step("kafka", State.READY, "127.0.0.1:9092")));
    assertThat(shown())
        .isEqualTo(
            "\033[2F  kafka      ready      127.0.0.1:9092\033[K\n  etcd       waiting\033[K\n");
    view.show(List.of());
    assertThat(shown()).isEmpty();
  }
}
