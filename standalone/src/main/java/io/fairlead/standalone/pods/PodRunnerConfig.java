package io.fairlead.standalone.pods;

import io.fairlead.cli.plane.PlaneFiles;
import io.fairlead.core.model.Cidr;
import io.fairlead.runtime.HostPort;
import io.fairlead.standalone.pods.run.RunUser;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * How Pods are run as processes.
 *
 * @param listen of PodRuntime; programs can be run through it
 * @param allowFrom who may: this machine, and its nodes' agents for exec probes
 * @param directory for what containers print; made where it is missing
 * @param images a directory that every user reads, below which containers see the built-in image
 * @param user whom processes run as
 * @param nameserver that Pods ask
 * @param clusterDomain without a dot at the end
 * @param shutdownGrace what Pods get at most when this ends
 */
public record PodRunnerConfig(
    List<HostPort> allocator,
    List<HostPort> endpoints,
    List<HostPort> listen,
    List<Cidr> allowFrom,
    Path directory,
    Path images,
    RunUser user,
    String nameserver,
    String clusterDomain,
    Duration shutdownGrace) {
  public PodRunnerConfig {
    allocator = List.copyOf(allocator);
    endpoints = List.copyOf(endpoints);
    listen = List.copyOf(listen);
    allowFrom = List.copyOf(allowFrom);
    if (shutdownGrace.isNegative()) {
      throw new IllegalArgumentException("shutdown grace " + shutdownGrace + ": is negative");
    }
  }

  /** Where containers of an instance see the built-in image. */
  public static Path images(String instance) {
    return Path.of("/run/fairlead", "images-" + instance);
  }

  /**
   * The usual one: user from sudo's variables, nameserver 10.96.0.10, domain cluster.local, five
   * seconds at the end.
   *
   * @param dataDir of the instance
   */
  public static PodRunnerConfig in(
      Path dataDir,
      List<HostPort> allocator,
      List<HostPort> endpoints,
      List<HostPort> listen,
      List<Cidr> allowFrom) {
    return new PodRunnerConfig(
        allocator,
        endpoints,
        listen,
        allowFrom,
        dataDir.resolve("pods"),
        images(PlaneFiles.instanceId(dataDir)),
        RunUser.of(System.getenv()),
        "10.96.0.10",
        "cluster.local",
        Duration.ofSeconds(5));
  }
}
