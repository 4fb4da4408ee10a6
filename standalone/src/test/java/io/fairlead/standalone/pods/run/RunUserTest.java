package io.fairlead.standalone.pods.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
final class RunUserTest {
  @TempDir Path directory;

  private Path passwd() throws IOException {
    return Files.writeString(
        directory.resolve("passwd"),
        "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1001::%s:/bin/sh\nnobody:x:99:98::/:/bin/false\n"
            .formatted(directory));
  }

  @Test
  void isWhoCalledSudo() throws IOException {
    assertThat(RunUser.of(Map.of("SUDO_UID", "1000", "SUDO_GID", "1001"), passwd()))
        .isEqualTo(new RunUser(1000, 1001, directory.toString()));
  }

  @Test
  void isNobodyElse() throws IOException {
    var nobody = new RunUser(99, 98, "/");
    assertThat(RunUser.of(Map.of(), passwd())).isEqualTo(nobody);
    // sudo of root, and nonsense
    assertThat(RunUser.of(Map.of("SUDO_UID", "0", "SUDO_GID", "0"), passwd())).isEqualTo(nobody);
    assertThat(RunUser.of(Map.of("SUDO_UID", "x", "SUDO_GID", "1"), passwd())).isEqualTo(nobody);
    assertThat(RunUser.of(Map.of(), directory.resolve("none")))
        .isEqualTo(new RunUser(65534, 65534, "/"));
  }

  @Test
  void isNeverRoot() {
    assertThatThrownBy(() -> new RunUser(0, 1, "/")).hasMessageContaining("root");
    assertThatThrownBy(() -> new RunUser(1, 0, "/")).hasMessageContaining("root");
  }
}
