package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.v1.Node;
import io.fairlead.v1.ObjectMeta;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The examples of pages of docs: a manifest, and what commands print of it. */
@Timeout(60)
class DocExamplesTest {
  private static final String FILE = "web.yaml";
  private static final String UID = "(UID: +)[0-9a-f]{8}(-)[0-9a-f-]{27}";

  @TempDir private Path directory;

  private static String block(String page, String language) {
    var fence = "```" + language + "\n";
    int begin = page.indexOf(fence) + fence.length();
    return page.substring(begin, page.indexOf("```", begin));
  }

  @ParameterizedTest
  @ValueSource(strings = {"services.md", "environment.md", "endpointslices.md", "pods.md"})
  void printsWhatThePageShows(String name) throws IOException {
    var page = Files.readString(Path.of("..", "docs", name));
    var example = block(page, "console");
    var file = Files.writeString(directory.resolve(FILE), block(page, "yaml")).toString();
    try (var plane = new LocalControlPlane("replica-1")) {
      plane.openNode(
          Node.newBuilder().setMetadata(ObjectMeta.newBuilder().setName("node-a")).build());
      var cli = new CliFixture(plane.address());
      var printed = new StringBuilder();
      for (var line : example.lines().filter(l -> l.startsWith("$ fairlead ")).toList()) {
        var words = line.replace(FILE, file).substring("$ fairlead ".length()).split(" ", -1);
        var ran = cli.run(words);
        assertThat(ran.code()).as("%s: %s", Arrays.toString(words), ran.err()).isZero();
        printed.append(line).append('\n').append(ran.err()).append(ran.out());
      }
      // which uid it gets is by chance
      assertThat(printed.toString().replaceAll(UID, "$1$2"))
          .isEqualTo(example.replaceAll(UID, "$1$2"));
    }
  }
}
