package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.table.TextTable.Heads;
import io.fairlead.cli.ObjectPrinter.Kinds;
import io.fairlead.cli.ObjectPrinter.Labels;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class WatchedRowsTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final Console console =
      new Console(
          InputStream.nullInputStream(),
          new PrintStream(out, true, StandardCharsets.UTF_8),
          new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8));
  private final WatchedRows<Pod> rows =
      new WatchedRows<>(
          new PodResource(),
          new ObjectPrinter(
              new ObjectPrinter.Style(
                  OutputFormat.NAME, Heads.SHOWN, Labels.HIDDEN, Kinds.ONE, "shop"),
              () -> Instant.EPOCH,
              console),
          console);

  private static Pod pod(String name) {
    return Pod.newBuilder()
        .setMetadata(ObjectMeta.newBuilder().setNamespace("shop").setName(name))
        .build();
  }

  private String printed() {
    var text = out.toString(StandardCharsets.UTF_8);
    out.reset();
    return text;
  }

  @Test
  void namesThatComeAndGoCostNothing() {
    rows.opened();
    var _ = rows.put(pod("first"));
    var _ = rows.synced();
    assertThat(rows.held()).isZero();
    for (int i = 0; i < 100; i++) {
      var _ = rows.put(pod("web-" + i));
      var _ = rows.gone(pod("web-" + i));
    }
    assertThat(rows.held()).isZero();
  }

  @Test
  void afterABrokenStreamWhatIsNotToldAgainIsGone() {
    rows.opened();
    var _ = rows.put(pod("stays"));
    var _ = rows.put(pod("goes"));
    var _ = rows.synced();
    assertThat(printed()).contains("stays", "goes");
    rows.opened();
    var _ = rows.put(pod("stays"));
    var _ = rows.put(pod("comes"));
    var _ = rows.synced();
    assertThat(printed()).contains("goes", "comes").doesNotContain("stays");
  }
}
