package io.fairlead.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
class RoleTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          plane        | /jdk/bin/java -cp /lib/fairlead-etcd.jar io.fairlead.standalone.plane.PlaneMain --data-dir /tmp/d --nodes 3
          etcd         | /usr/bin/etcd --name etcd --data-dir /tmp/d/etcd/data
          agent-node-b | /jdk/bin/java -cp /lib/fairlead-etcd.jar io.fairlead.agent.Main --node=node-b --data-dir=/tmp/d/agents/node-b
          echo         | /run/fairlead/images-x/java/bin/java -cp echo.jar io.fairlead.devkit.echo.EchoServerMain --pod web
                       | sh -c exec outside /java/bin/java -cp echo.jar io.fairlead.devkit.echo.EchoServerMain --pod web
                       | /sbin/ip netns exec n /jdk/bin/java io.fairlead.agent.Main --node=node-b --data-dir=/tmp/d/agents/node-b
                       | /usr/bin/etcd --name etcd --data-dir /tmp/data2/etcd
                       | /jdk/bin/java io.fairlead.standalone.plane.PlaneMain --data-dir /tmp/d2
                       | /jdk/bin/java io.fairlead.standalone.Main get svc --data-dir /tmp/d
                       | sleep infinity
          """)
  void isWhatRunsAndNotWhatStartsIt(@Nullable String role, String words) {
    assertThat(Role.of(List.of(words.split(" ", -1)), Path.of("/tmp/d")))
        .isEqualTo(Optional.ofNullable(role));
  }
}
