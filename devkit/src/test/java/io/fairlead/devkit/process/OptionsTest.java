package io.fairlead.devkit.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class OptionsTest {
  @Test
  void keepsTheOrderOfARepeatedOption() {
    var options = Options.parse(List.of("--port", "2", "--port", "1"), Set.of("port", "host"));
    assertThat(options.all("port")).containsExactly("2", "1");
    assertThat(options.all("host")).isEmpty();
    assertThatThrownBy(() -> options.one("port")).hasMessageContaining("--port");
    assertThatThrownBy(() -> options.required("host")).hasMessageContaining("--host");
  }

  @Test
  void refusesWhatItDoesNotKnow() {
    assertThatThrownBy(() -> Options.parse(List.of("--prot", "1"), Set.of("port")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("unknown option '--prot'; known are [--port]");
    assertThatThrownBy(() -> Options.parse(List.of("--port"), Set.of("port")))
        .hasMessageContaining("needs a value");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "65536", "http", "", "-1"})
  void refusesWhatIsNoPort(String text) {
    assertThatThrownBy(() -> Options.port("port", text))
        .hasMessageContaining("--port")
        .hasMessageContaining("1 to 65535");
  }
}
