package io.fairlead.agent;

import io.fairlead.agent.nft.HostCheck.Finding;
import io.fairlead.agent.nft.HostCheck.Level;
import java.util.List;

/** What was found of a host, for people. */
public final class HostReport {
  private static final String INDENT = " ".repeat(Level.WARNING.name().length() + 2);

  private HostReport() {}

  /** A line each, and one below with what to do; ends with a line break. */
  public static String text(List<Finding> findings) {
    var text = new StringBuilder();
    for (var finding : findings) {
      var level = finding.level().name();
      text.append(level).append(INDENT.substring(level.length()));
      text.append(finding.what()).append(' ').append(finding.words()).append('\n');
      finding.remedy().ifPresent(r -> text.append(INDENT).append("do: ").append(r).append('\n'));
    }
    return text.toString();
  }

  /** 1 where there is an ERROR, else 0. */
  public static int exitCode(List<Finding> findings) {
    return findings.stream().anyMatch(finding -> finding.level() == Level.ERROR) ? 1 : 0;
  }
}
