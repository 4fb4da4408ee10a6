package io.fairlead.standalone.pods.run;

import io.fairlead.core.run.Time;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.fabric.FabricSpec;
import io.fairlead.devkit.posix.Libc;
import io.fairlead.standalone.pods.PodRunnerConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;

/** Two nodes, and supervisors over a fake API. */
public final class Machine implements AutoCloseable {
  private final Fabric fabric;
  private final Path directory;

  private Machine(Fabric fabric, Path directory) {
    this.fabric = fabric;
    this.directory = directory;
  }

  public static Machine create(String id, Path directory) {
    Assumptions.assumeTrue(Libc.effectiveUserId() == 0, "namespaces need root");
    return new Machine(Fabric.create(FabricSpec.of(id, List.of("node-a", "node-b"))), directory);
  }

  public Fabric fabric() {
    return fabric;
  }

  public PodSupervisor supervisor(FakePodApi api) {
    var supervisor =
        new PodSupervisor(
            new Kit(
                api,
                fabric,
                Sandbox.of(new RunUser(65534, 65534, "/")),
                Images.in(PodRunnerConfig.images(fabric.id())),
                directory,
                "10.96.0.10",
                "cluster.local",
                Time.system()),
            Duration.ofSeconds(1));
    supervisor.start();
    return supervisor;
  }

  public static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(30))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .until(condition);
  }

  @Override
  public void close() {
    fabric.close();
    Images.remove(PodRunnerConfig.images(fabric.id()));
  }
}
