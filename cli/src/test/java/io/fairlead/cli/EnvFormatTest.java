package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a real shell makes of what {@code fairlead env} writes. */
@Timeout(20)
final class EnvFormatTest {
  private static final SequencedMap<String, String> SERVICES = new LinkedHashMap<>();

  static {
    SERVICES.put("WEB_SERVICE_HOST", "10.96.0.20");
    SERVICES.put("WEB_PORT", "tcp://10.96.0.20:80");
    SERVICES.put("SIX_PORT", "tcp://[2001:db8::1]:80");
  }

  /** No Service has them; a format that only suits addresses would be none. */
  private static final SequencedMap<String, String> NASTY = new LinkedHashMap<>();

  static {
    NASTY.put("EMPTY", "");
    NASTY.put("SPACES", "  a  b ");
    NASTY.put("QUOTES", "it's \"so\" `id` $(id) $HOME \\n");
    NASTY.put("LINES", "one\ntwo");
    NASTY.put("HASH", "a #b");
    NASTY.put("GLOB", "*");
    NASTY.put("TILDE", "~");
  }

  @TempDir private Path directory;

  /** What a shell has after it read that, each value as its bytes. */
  private Map<String, String> after(String script, Iterable<String> names)
      throws IOException, InterruptedException {
    var read = new LinkedHashMap<String, String>();
    for (var name : names) {
      var file = Files.writeString(directory.resolve("script"), script);
      var process =
          new ProcessBuilder(
                  "sh",
                  "-eu",
                  "-c",
                  "set -a; . \"$1\"; exec sh -c 'printf %s \"$" + name + "\"'",
                  "sh",
                  file.toString())
              .redirectErrorStream(true)
              .start();
      process.getOutputStream().close();
      var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(said).isZero();
      read.put(name, said);
    }
    return read;
  }

  @Test
  void aShellReadsBackWhatIsWrittenForIt() throws Exception {
    for (var variables : List.of(SERVICES, NASTY)) {
      assertThat(after(EnvFormat.SHELL.text(variables), variables.keySet())).isEqualTo(variables);
    }
  }

  @Test
  void aShellReadsAlsoADotenvFile() throws Exception {
    for (var variables : List.of(SERVICES, NASTY)) {
      assertThat(after(EnvFormat.DOTENV.text(variables), variables.keySet())).isEqualTo(variables);
    }
  }

  @Test
  void nothingOfAServiceIsQuotedInADotenvFile() {
    assertThat(EnvFormat.DOTENV.text(SERVICES))
        .as("docker run --env-file would take quotes as part of the value")
        .isEqualTo(EnvFormat.PLAIN.text(SERVICES))
        .isEqualTo(
            """
            WEB_SERVICE_HOST=10.96.0.20
            WEB_PORT=tcp://10.96.0.20:80
            SIX_PORT=tcp://[2001:db8::1]:80
            """);
  }

  /**
   * Kubernetes gives them to containers, whose shells inherit them without being able to name them.
   */
  @Test
  void aNameThatAShellCannotHoldIsACommentThereAndStaysElsewhere() throws Exception {
    var variables = new LinkedHashMap<String, String>();
    variables.put("3SCALE_SERVICE_HOST", "10.96.0.30");
    variables.putAll(SERVICES);
    assertThat(EnvFormat.SHELL.text(variables))
        .startsWith("# not a name in a shell: 3SCALE_SERVICE_HOST\n");
    assertThat(after(EnvFormat.SHELL.text(variables), SERVICES.keySet())).isEqualTo(SERVICES);
    for (var format : List.of(EnvFormat.PLAIN, EnvFormat.DOTENV)) {
      assertThat(format.text(variables)).startsWith("3SCALE_SERVICE_HOST=10.96.0.30\n");
    }
    assertThat(EnvFormat.JSON.text(variables)).contains("\"3SCALE_SERVICE_HOST\": \"10.96.0.30\"");
  }

  @Test
  void withoutVariablesThereAreNoLines() {
    var none = new LinkedHashMap<String, String>();
    assertThat(EnvFormat.PLAIN.text(none)).isEmpty();
    assertThat(EnvFormat.SHELL.text(none)).isEmpty();
    assertThat(EnvFormat.DOTENV.text(none)).isEmpty();
    assertThat(EnvFormat.JSON.text(none).strip()).isEqualTo("{}");
  }
}
