package io.fairlead.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class PlaneProcessTest {
  @Test
  void inheritsNothingThatChangesItsParts() {
    var kept =
        Map.of("PATH", "/bin", "HOME", "/root", "FAIRLEAD_HOME", "/opt", "LD_DEBUG_OUTPUT", "x");
    var environment = new HashMap<>(kept);
    for (var name :
        new String[] {
          "FAIRLEAD_NAMESPACE",
          "ETCD_LISTEN_METRICS_URLS",
          "JAVA_TOOL_OPTIONS",
          "JDK_JAVA_OPTIONS",
          "_JAVA_OPTIONS",
          "LD_PRELOAD",
          "LD_LIBRARY_PATH"
        }) {
      environment.put(name, "x");
    }

    PlaneProcess.scrub(environment);

    assertThat(environment).isEqualTo(kept);
  }
}
