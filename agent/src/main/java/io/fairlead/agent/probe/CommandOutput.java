package io.fairlead.agent.probe;

import io.fairlead.agent.probe.ProbeResult.Failed;
import io.fairlead.agent.probe.ProbeResult.Passed;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** The beginning of what a program printed; the rest is dropped. Thread-safe. */
public final class CommandOutput {
  private static final int KEPT = 1 << 10;
  private static final int SHOWN = 160;

  private final ByteArrayOutputStream kept = new ByteArrayOutputStream();

  /** Takes some bytes in, of which the first are kept. */
  public synchronized void add(byte[] bytes, int count) {
    kept.write(bytes, 0, Math.min(count, KEPT - kept.size()));
  }

  /** What its end says, with the first line that it printed. */
  public ProbeResult ended(int code) {
    if (code == 0) {
      return new Passed("exit code 0");
    }
    var line = firstLine();
    return new Failed("exit code " + code + (line.isEmpty() ? "" : ": " + line));
  }

  private synchronized String firstLine() {
    var line =
        kept.toString(StandardCharsets.UTF_8)
            .lines()
            .map(String::strip)
            .filter(l -> !l.isEmpty())
            .findFirst()
            .orElse("");
    return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "...";
  }
}
