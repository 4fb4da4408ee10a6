package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.AgentConfig;
import io.fairlead.allocator.AllocatorConfig;
import io.fairlead.dns.DnsConfig;
import io.fairlead.endpoints.EndpointsConfig;
import io.fairlead.runtime.ConfigSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The tables in {@code docs/configuration.md} are the options that the processes have. After a
 * change: {@code mvn -pl testbed test -Dtest=ConfigurationDocTest -Dtest.jvm.extra=-Ddocs.update}.
 */
@Timeout(30)
class ConfigurationDocTest {
  private static final Path PAGE = Path.of("..", "docs", "configuration.md");

  private static final List<ConfigSchema> PROCESSES =
      List.of(AllocatorConfig.SCHEMA, EndpointsConfig.SCHEMA, DnsConfig.SCHEMA, AgentConfig.SCHEMA);

  @Test
  void pageHasTheOptionsOfEveryProcess() throws IOException {
    var page = Files.readString(PAGE);
    var introduction = page.substring(0, page.indexOf("\n## "));
    var expected =
        PROCESSES.stream()
            .map(s -> "\n## %s\n\n%s\n\n%s".formatted(s.process(), s.purpose(), s.markdown()))
            .collect(Collectors.joining("", introduction, ""));
    if (System.getProperty("docs.update") != null) {
      Files.writeString(PAGE, expected);
    }
    assertThat(Files.readString(PAGE)).isEqualTo(expected);
  }
}
