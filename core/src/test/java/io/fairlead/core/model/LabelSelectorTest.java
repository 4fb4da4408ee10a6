package io.fairlead.core.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(10)
class LabelSelectorTest {
  private static final Map<String, String> LABELS =
      Map.of("app", "web", "tier", "b", "size", "7", "example.com/x", "");

  private static LabelSelector parsed(String text) {
    return switch (LabelSelector.parse(text)) {
      case LabelSelector.Parsed.Valid(var selector) -> selector;
      case LabelSelector.Parsed.Invalid(var message) -> throw new AssertionError(message);
    };
  }

  @ParameterizedTest(name = "''{0}'' matches: {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "''|true",
        "' '|true",
        "app=web|true",
        "app == web , tier=b|true",
        "app=web,tier=c|false",
        "app!=web|false",
        "none!=web|true",
        "tier in (a, b)|true",
        "tier in (a)|false",
        "tier notin (a,c)|true",
        "none notin (a)|true",
        "none in (a)|false",
        "tier|true",
        "none|false",
        "!none|true",
        "!tier|false",
        "example.com/x=|true",
        "example.com/x in ()|true",
        "size>6|true",
        "size > 7|false",
        "size<8|true",
        "app>1|false",
      })
  void matches(String text, boolean expected) {
    var selector = parsed(text);
    assertThat(selector.matches(LABELS)).isEqualTo(expected);
    assertThat(parsed(selector.toString())).isEqualTo(selector);
  }

  @ParameterizedTest(name = "''{0}'' is refused: {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "app=web,|is no label key",
        "app=web tier=b|expected ','",
        "app is web|expected =, ==, !=, in, notin",
        "tier in a|expected '('",
        "tier in (a|expected ')'",
        "app!web|expected '='",
        "-bad=x|is no label key",
        "app=-bad-|is no label value",
        "size>big|is not a whole number",
        "!|is no label key",
      })
  void saysWhatIsWrong(String text, String words) {
    assertThat(LabelSelector.parse(text))
        .isInstanceOfSatisfying(
            LabelSelector.Parsed.Invalid.class,
            invalid -> assertThat(invalid.message()).contains(words));
  }
}
