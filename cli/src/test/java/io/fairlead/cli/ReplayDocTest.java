package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The commands of docs/replay.md, run. */
@Timeout(60)
class ReplayDocTest {
  private static final Path PAGE = Path.of("..", "docs", "replay.md");
  private static final String FILE = "plane.log";
  private static final String WEB =
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec: {clusterIP: 10.96.0.20, ports: [{port: 80}], selector: {app: web}}
      """;
  private static final String POD =
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: web-1, labels: {app: web}}
      spec: {nodeName: node-a, containers: [{name: main, image: nginx}]}
      status: {podIP: 10.244.0.7}
      """;

  @TempDir private Path directory;

  @Test
  void printsWhatThePageShows() throws IOException {
    var page = Files.readString(PAGE);
    var example =
        Pattern.compile("```console\n(.*?)```", Pattern.DOTALL)
            .matcher(page)
            .results()
            .map(block -> block.group(1))
            .collect(Collectors.joining());
    try (var plane = new LocalControlPlane("replica-1")) {
      var cli = new CliFixture(plane.address());
      assertThat(cli.runWith(WEB, Map.of(), "apply", "-f", "-").code()).isZero();
      plane.advance(Duration.ofMinutes(1));
      assertThat(cli.runWith(POD, Map.of(), "apply", "-f", "-").code()).isZero();
      plane.advance(Duration.ofMinutes(1));
      assertThat(cli.run("delete", "svc", "web").code()).isZero();
      var printed = new StringBuilder();
      for (var line : example.lines().filter(l -> l.startsWith("$ fairlead ")).toList()) {
        var file = directory.resolve(FILE).toString();
        var words = line.replace(FILE, file).substring("$ fairlead ".length()).split(" ", -1);
        var ran = cli.run(words);
        assertThat(ran.code()).as("%s: %s", Arrays.toString(words), ran.err()).isZero();
        printed.append(line).append('\n');
        printed.append((ran.err() + ran.out()).replace(file, FILE));
      }
      // what the reading took is added
      assertThat(printed.toString().replaceAll("2026-10-25T12:\\S+Z", "2026-10-25T12:00:00Z"))
          .isEqualTo(example);
    }
  }
}
