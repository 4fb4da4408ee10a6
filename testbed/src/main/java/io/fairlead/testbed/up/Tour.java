package io.fairlead.testbed.up;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The commands of a section of a Markdown file with the output that it shows: blocks of {@code sh},
 * each of which may be followed by a block of {@code text}. Pure.
 */
public final class Tour {
  private static final Pattern FENCE = Pattern.compile("```(\\S*)( fails)?\\s*");

  private Tour() {}

  /** Whether a block of commands shows an error. */
  public enum Ending {
    SUCCEEDS,
    FAILS
  }

  /**
   * A block of commands.
   *
   * @param line where it begins, for messages; the first of the file is 1
   * @param output what is shown below it; empty: nothing is shown
   */
  public record Step(int line, String commands, Ending ending, Optional<String> output) {}

  /**
   * The steps of one section, in order.
   *
   * @param markdown a whole file
   * @param heading of the section, with its {@code ##}; it ends at the next one of that level
   * @throws IllegalArgumentException when there is no such section, or a block is not closed
   */
  public static List<Step> steps(String markdown, String heading) {
    var lines = markdown.lines().toList();
    int first = lines.indexOf(heading);
    if (first < 0) {
      throw new IllegalArgumentException("no section '" + heading + "'");
    }
    var steps = new ArrayList<Step>();
    for (int i = first + 1; i < lines.size() && !lines.get(i).startsWith("## "); i++) {
      var fence = FENCE.matcher(lines.get(i));
      if (!fence.matches()) {
        continue;
      }
      int end = lines.subList(i + 1, lines.size()).indexOf("```");
      if (end < 0) {
        throw new IllegalArgumentException("line " + (i + 1) + ": this block is not closed");
      }
      var body = String.join("\n", lines.subList(i + 1, i + 1 + end)) + "\n";
      switch (fence.group(1)) {
        case "sh" ->
            steps.add(
                new Step(
                    i + 1,
                    body,
                    fence.group(2) == null ? Ending.SUCCEEDS : Ending.FAILS,
                    Optional.empty()));
        case "text" -> {
          var step = steps.removeLast();
          steps.add(new Step(step.line(), step.commands(), step.ending(), Optional.of(body)));
        }
        default -> {} // a picture, or a manifest
      }
      i += end + 1;
    }
    return List.copyOf(steps);
  }

  /**
   * The text without what differs from run to run: addresses, ages, identifiers, times, ports of
   * clients, and the width of columns, which depends on those. Well-known addresses stay.
   */
  public static String masked(String text) {
    return text.lines().map(Tour::maskedLine).collect(Collectors.joining("\n"));
  }

  private static String maskedLine(String line) {
    return line.replaceAll("\\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\b", "<uid>")
        .replaceAll("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z", "<time>")
        .replaceAll("\\b(?!10\\.96\\.0\\.(1|10|20)\\b)\\d{1,3}(\\.\\d{1,3}){3}\\b", "<address>")
        .replaceAll("<address>:\\d{2,5}\\b", "<address>:<port>")
        .replaceAll("\\b[sp]\\d*:\\d+\\b", "<position>")
        .replaceAll("\\b\\d+\\.\\d s\\b", "<seconds>")
        .replaceAll("\\b(\\d+[dhms]){1,2}\\b", "<age>")
        .replaceAll(" {2,}", "  ")
        .replaceAll("(?<=-SNAPSHOT  )(\\d+|<none>)(?=  )", "<lag>")
        .stripTrailing();
  }
}
