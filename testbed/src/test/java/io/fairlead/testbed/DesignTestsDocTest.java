package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The tables of {@code docs/design-tests.md} against the sources of the tests that they name. */
@Timeout(60)
class DesignTestsDocTest {
  private static final Path PAGE = TestSources.HOME.resolve("docs").resolve("design-tests.md");

  /** Of the page: how a test is written there. */
  private static final Pattern TEST = Pattern.compile("`(\\w+)\\.(\\w+)`");

  @Test
  void everyRuleHasATest() throws IOException {
    var rules = rules();
    assertThat(rules).hasSizeGreaterThan(60);
    assertThat(rules.entrySet())
        .as("rules without a test in " + PAGE)
        .noneMatch(rule -> TEST.matcher(rule.getValue()).results().findAny().isEmpty());
  }

  @Test
  void everyTestThatIsNamedExists() throws IOException {
    var sources = TestSources.all();
    var faults = new ArrayList<String>();
    rules()
        .forEach((rule, tests) ->
            TEST.matcher(tests)
                .results()
                .filter(test ->
                    Optional.ofNullable(sources.get(test.group(1)))
                        .filter(source -> TestSources.hasMethod(source, test.group(2)))
                        .isEmpty())
                .forEach(test -> faults.add(rule + ": " + test.group())));
    assertThat(faults).as("no such test").isEmpty();
  }

  @Test
  void noTestStandsTwiceInOneLine() throws IOException {
    rules()
        .forEach((rule, tests) -> {
          var named = TEST.matcher(tests).results().map(test -> test.group()).toList();
          assertThat(new HashSet<>(named)).as(rule).hasSameSizeAs(named);
        });
  }

  /** What is named as tests, by rule. */
  private static Map<String, String> rules() throws IOException {
    var rules = new LinkedHashMap<String, String>();
    for (var line : Files.readAllLines(PAGE)) {
      var cells = List.of(line.split("\\|", -1));
      if (cells.size() != 4 || cells.get(1).startsWith("---") || cells.get(1).equals(" rule ")) {
        continue;
      }
      var twice = rules.put(cells.get(1).strip(), cells.get(2));
      assertThat(twice).as("a second line of " + cells.get(1)).isNull();
    }
    return rules;
  }
}
