package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The tables of {@code docs/conformance.md} against the rows that tests read and the sources of the
 * tests they name.
 */
@Timeout(60)
class ConformanceDocTest {
  private static final Path PAGE = TestSources.HOME.resolve("docs").resolve("conformance.md");
  private static final Path ROWS = Path.of("src", "test", "resources", "conformance");

  /** Of the page; with how {@code Class.method} is written there. */
  private static final Pattern TEST = Pattern.compile("`(\\w+)\\.(\\w+)`");

  private record Named(String type, String method) {}

  private record Line(List<Named> tests, String notYet) {}

  /** A test's source, and the ids that the files of rows of its module have. */
  private record Source(String text, List<String> rows) {
    boolean names(String id) {
      return Pattern.compile("(?<![A-Za-z0-9])" + id + "(?![0-9])").matcher(text).find()
          || text.contains("void " + id.toLowerCase(Locale.ROOT))
          || (text.contains("conformance") && rows.contains(id));
    }
  }

  @Test
  void everyRowThatTestsReadIsThereWithItsTest() throws IOException {
    var page = page();
    var missing = new ArrayList<String>();
    for (var module : TestSources.modules()) {
      rows(module)
          .forEach((id, file) -> {
            if (Optional.ofNullable(page.get(id)).filter(l -> !l.tests().isEmpty()).isEmpty()) {
              missing.add(id + " of " + file);
            }
          });
    }
    assertThat(missing).as("rows without a test in " + PAGE).isEmpty();
  }

  @Test
  void everyRowHasATestOrSaysThatItHasNone() throws IOException {
    var faults = new ArrayList<String>();
    page()
        .forEach((id, line) -> {
          if (!line.notYet().equals(line.tests().isEmpty() ? "x" : "")) {
            faults.add(id);
          }
        });
    assertThat(faults).as("rows with a test and an x, or with neither, in " + PAGE).isEmpty();
  }

  @Test
  void everyTestThatIsNamedExistsAndNamesTheRow() throws IOException {
    var sources = sources();
    var faults = new ArrayList<String>();
    page()
        .forEach((id, line) -> {
          for (var test : line.tests()) {
            var source = Optional.ofNullable(sources.get(test.type()));
            if (source
                .filter(s -> TestSources.hasMethod(s.text(), test.method()))
                .filter(s -> s.names(id))
                .isEmpty()) {
              faults.add(id + ": " + test);
            }
          }
        });
    assertThat(faults).as("no such test, or it does not name the row").isEmpty();
  }

  private static Map<String, Line> page() throws IOException {
    var lines = new LinkedHashMap<String, Line>();
    for (var text : Files.readAllLines(PAGE)) {
      var cells = text.split("(?<!\\\\)\\|", -1);
      if (cells.length != 6 || cells[1].isBlank() || cells[1].equals(" row ")) {
        continue;
      }
      if (cells[1].startsWith("---")) {
        continue;
      }
      var tests =
          TEST.matcher(cells[3])
              .results()
              .map(match -> new Named(match.group(1), match.group(2)))
              .toList();
      var twice = lines.put(cells[1].strip(), new Line(tests, cells[4].strip()));
      assertThat(twice).as("a second line of " + cells[1]).isNull();
    }
    return lines;
  }

  /** File by id. */
  private static Map<String, Path> rows(Path module) throws IOException {
    var rows = new TreeMap<String, Path>();
    var directory = module.resolve(ROWS);
    if (Files.isDirectory(directory)) {
      for (var file : TestSources.files(directory, ".tsv")) {
        for (var text : Files.readAllLines(file)) {
          var id = text.split("\t", 2)[0];
          if (id.matches("[A-Za-z]+-?[0-9]+")) {
            rows.put(id, file);
          }
        }
      }
    }
    return rows;
  }

  /** By name of the class. */
  private static Map<String, Source> sources() throws IOException {
    var sources = new TreeMap<String, Source>();
    for (var module : TestSources.modules()) {
      var ids = List.copyOf(rows(module).keySet());
      TestSources.of(module).forEach((name, text) -> sources.put(name, new Source(text, ids)));
    }
    return sources;
  }
}
