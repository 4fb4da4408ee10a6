package io.fairlead.core.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(10)
class FieldSelectorTest {
  private static final List<String> SUPPORTED = List.of("metadata.name", "spec.type", "spec.odd");
  private static final Map<String, String> FIELDS =
      Map.of("metadata.name", "web", "spec.type", "ClusterIP", "spec.odd", "a,b=c\\");

  @ParameterizedTest(name = "''{0}'' matches: {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "''|true",
        "' , '|true",
        "metadata.name=web|true",
        "metadata.name == web , spec.type=ClusterIP|true",
        "metadata.name=web,spec.type=ExternalName|false",
        "spec.type!=ExternalName|true",
        "spec.type!=ClusterIP|false",
        "metadata.name=|false",
        "metadata.name!=|true",
        "spec.odd=a\\,b\\=c\\\\|true",
        "spec.odd=a\\,b|false",
      })
  void matches(String text, boolean expected) {
    assertThat(FieldSelector.parse(text, SUPPORTED))
        .isInstanceOfSatisfying(
            FieldSelector.Parsed.Valid.class,
            valid ->
                assertThat(valid.selector().matches(f -> FIELDS.getOrDefault(f, "")))
                    .isEqualTo(expected));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "spec.ports=80|\"spec.ports\" is not a known field selector",
        "metadata.name|\"metadata.name\": must be field=value or field!=value",
        "metadata.name!web|must be field=value",
        "=x|\"\" is not a known field selector",
      })
  void refusesWhatCannotBeCompared(String text, String words) {
    assertThat(FieldSelector.parse(text, SUPPORTED))
        .isInstanceOfSatisfying(
            FieldSelector.Parsed.Invalid.class,
            invalid ->
                assertThat(invalid.message())
                    .contains(words)
                    .endsWith("supported are metadata.name, spec.type, spec.odd"));
  }
}
