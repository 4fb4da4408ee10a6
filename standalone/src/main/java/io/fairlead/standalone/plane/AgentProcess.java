package io.fairlead.standalone.plane;

import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.fabric.FabricNode;
import io.fairlead.devkit.process.ChildProcess;
import io.fairlead.devkit.process.Command;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.runtime.HostPort;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;

/** How the agent of one node runs: a process in the node's namespace. */
record AgentProcess(String node, Command command, HostPort http) {
  private static final Duration STOP_LIMIT = Duration.ofSeconds(10);
  private static final int TAIL = 5;

  /**
   * Of a node.
   *
   * @param endpoints where agents reach endpoints-service
   * @param podRuntime where they reach what runs Pods
   * @param podNetwork of all nodes
   * @param serviceNetwork that ClusterIPs come from
   */
  static AgentProcess of(
      PlaneConfig config,
      FabricNode node,
      HostPort endpoints,
      HostPort podRuntime,
      String podNetwork,
      String serviceNetwork)
      throws IOException {
    var name = node.name();
    var http = new HostPort(node.address(), PlanePorts.AGENT_HTTP);
    Files.createDirectories(config.manifests(name));
    var options =
        List.of(
            "--node=" + name,
            "--node-ip=" + node.address(),
            "--zone=zone-" + name.charAt(name.length() - 1),
            "--pod-cidrs=" + node.podNetwork(),
            "--cluster-cidrs=" + podNetwork,
            "--service-cidrs=" + serviceNetwork,
            "--endpoints=" + endpoints,
            "--pod-runtime=" + podRuntime,
            "--manifests=" + config.manifests(name),
            "--data-dir=" + config.dataDirectory().resolve("agents").resolve(name),
            "--http-listen=" + http);
    var command =
        Command.java(
                "agent-" + name,
                io.fairlead.agent.Main.class,
                List.of("-Xmx64m", "-Xss512k", "-XX:+UseCompactObjectHeaders"),
                options,
                config.agentLog(name))
            .through(Fabric.prefix(node.namespace()));
    return new AgentProcess(name, command, http);
  }

  Supervised.Child start() {
    return new Child(ChildProcess.start(command));
  }

  /**
   * Returns when it programs its node.
   *
   * @throws LaunchException it ended, or is not ready in time; with the end of its log
   */
  void awaitReady(Supervised agent) {
    try {
      Readiness.await(node, http, () -> !agent.isAlive());
    } catch (LaunchException e) {
      throw new LaunchException(
          "%s%nEnd of %s:%n%s".formatted(e.getMessage(), command.log(), logTail()), e);
    }
  }

  private String logTail() {
    try {
      var lines = Files.readAllLines(command.log());
      return String.join("\n", lines.subList(Math.max(0, lines.size() - TAIL), lines.size()));
    } catch (IOException e) {
      return e.toString();
    }
  }

  private record Child(ChildProcess process) implements Supervised.Child {
    @Override
    public long pid() {
      return process.pid();
    }

    @Override
    public boolean isAlive() {
      return process.isAlive();
    }

    @Override
    public void stop() {
      process.stop(STOP_LIMIT);
    }
  }
}
