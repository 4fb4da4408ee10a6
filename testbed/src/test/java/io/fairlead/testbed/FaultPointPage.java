package io.fairlead.testbed;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** A page of the documentation about fault points. */
record FaultPointPage(String name) {
  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| `([a-z.-]+)` \\| ([^|]+) \\| ([^|]+) \\| ([^|]+) \\|$");
  private static final Pattern TEST = Pattern.compile("`(\\w+(?:Test|Contract))\\.(\\w+)`");

  String text() throws IOException {
    return Files.readString(TestSources.HOME.resolve("docs").resolve(name));
  }

  /** Of each point: name, what has happened, what has not. */
  List<List<String>> rows() throws IOException {
    return ROW.matcher(text())
        .results()
        .map(row -> List.of(row.group(1), row.group(2), row.group(3)))
        .toList();
  }

  /** Tests that it names and that are not there. */
  List<String> missingTests() throws IOException {
    var sources = TestSources.all();
    var missing = new ArrayList<String>();
    for (var match : TEST.matcher(text()).results().toList()) {
      if (!TestSources.hasMethod(sources.getOrDefault(match.group(1), ""), match.group(2))) {
        missing.add(match.group());
      }
    }
    return missing;
  }
}
