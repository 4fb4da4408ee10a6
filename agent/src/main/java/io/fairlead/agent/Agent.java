package io.fairlead.agent;

import io.fairlead.agent.client.RuntimeCommands;
import io.fairlead.agent.nft.Conntrack;
import io.fairlead.agent.nft.DataPlane;
import io.fairlead.agent.nft.DataPlaneConfig;
import io.fairlead.agent.nft.FlowGateway;
import io.fairlead.agent.nft.FlowPoints;
import io.fairlead.agent.nft.HostCheck;
import io.fairlead.agent.probe.Commands;
import io.fairlead.agent.probe.NodeCommands;
import io.fairlead.agent.source.PodSource;
import io.fairlead.agent.source.StaticManifests;
import io.fairlead.agent.stream.NodeIdentity;
import io.fairlead.agent.stream.NodeLoop;
import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.BuildInfo;
import io.fairlead.runtime.FaultPointDirectory;
import io.fairlead.runtime.Faults;
import io.fairlead.runtime.Health;
import io.fairlead.runtime.HttpEndpoints;
import io.fairlead.runtime.Metrics;
import io.fairlead.runtime.Shutdown;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node's agent. Ending it leaves the rules in the kernel, which go on to serve; what it knows
 * is on its disk.
 */
public final class Agent implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Agent.class);

  /** A loop that does one thing for that long hangs. */
  private static final Duration HANGS = Duration.ofMinutes(2);

  /** A change that waits that long for the kernel is late. */
  static final Duration LATE = Duration.ofMinutes(1);

  /**
   * Another agent has this node's name and came later. Started again, this one would come later
   * still: so a supervisor should leave it.
   */
  public static final int SUPERSEDED = 3;

  private final NodeLoop loop;
  private final Health health;
  private final HttpEndpoints http;
  private final Shutdown shutdown;
  private final AtomicInteger exitCode;

  private Agent(
      NodeLoop loop, Health health, HttpEndpoints http, Shutdown shutdown, AtomicInteger exitCode) {
    this.loop = loop;
    this.health = health;
    this.http = http;
    this.shutdown = shutdown;
    this.exitCode = exitCode;
  }

  /**
   * Programs the kernel of this process's network namespace.
   *
   * @throws io.fairlead.core.run.GatewayException nftables or the data directory cannot be used;
   *     says why
   */
  public static Agent start(AgentConfig config, Time time) {
    var points = FaultPointDirectory.of(config.faultPoints(), time);
    return start(
        config,
        time,
        RandomSource.secure(),
        () -> DataPlane.open(DataPlaneConfig.of(config.node()), points),
        () -> new FlowPoints(Conntrack.open(DataPlaneConfig.of(config.node())), points),
        points);
  }

  /**
   * Wires everything. Threads: the loop, the data plane's, conntrack's, virtual ones for probes,
   * manifests and HTTP, and gRPC's.
   *
   * @param kernel closed with the agent, as are the flows
   */
  public static Agent start(
      AgentConfig config,
      Time time,
      RandomSource random,
      Supplier<DataPlane> kernel,
      Supplier<? extends FlowGateway> flows) {
    return start(config, time, random, kernel, flows, FaultPoints.NONE);
  }

  private static Agent start(
      AgentConfig config,
      Time time,
      RandomSource random,
      Supplier<DataPlane> kernel,
      Supplier<? extends FlowGateway> flows,
      FaultPoints points) {
    var shutdown = new Shutdown();
    try {
      var health = new Health();
      var metrics = Metrics.ofProcess("agent");
      var exitCode = new AtomicInteger();
      var plane = shutdown.opened("data plane", kernel.get());
      try {
        warnOfHost(plane.checkHost(ranges(config)));
      } catch (RuntimeException e) { // advice only: it must not keep rules from being programmed
        LOG.atWarn().addKeyValue("event", "agent.host-unknown").setCause(e).log("Host not checked");
      }
      var kernelFlows = shutdown.opened("conntrack", flows.get());
      var loop =
          shutdown.opened(
              "loop",
              NodeLoop.start(
                  settings(config, commands(config, shutdown), points),
                  plane,
                  kernelFlows,
                  metrics,
                  time,
                  random,
                  ending(Faults.unready(health), exitCode, shutdown),
                  () -> {
                    exitCode.set(SUPERSEDED);
                    shutdown.stop();
                  }));
      health.ready("synced", () -> trouble(loop.isSynced() ? "" : "no rules known yet"));
      health.ready("kernel", () -> trouble(loop.kernelTrouble()));
      health.ready(
          "queue",
          () ->
              trouble(
                  loop.queuedFor().compareTo(LATE) < 0
                      ? ""
                      : "a change has been waiting for the kernel for "
                          + loop.queuedFor().toSeconds()
                          + " s"));
      health.ready("stream", () -> trouble(loop.streamTrouble()));
      health.live(
          "loop",
          () -> trouble(loop.busyFor().compareTo(HANGS) < 0 ? "" : "busy for " + loop.busyFor()));
      var http = shutdown.opened("http", HttpEndpoints.start(config.httpListen(), health, metrics));
      shutdown.onClose("readiness", health::drain);
      LOG.atInfo()
          .addKeyValue("event", "agent.started")
          .addKeyValue("node", config.node())
          .addKeyValue("addresses", config.nodeIps())
          .addKeyValue("http", http.port())
          .log("Agent started");
      return new Agent(loop, health, http, shutdown, exitCode);
    } catch (RuntimeException e) {
      shutdown.close();
      throw e;
    }
  }

  /**
   * A loop that came to a fault has ended, and nobody else takes changes in: so the process ends,
   * and whoever supervises it starts another one, from disk. The rules in the kernel serve
   * meanwhile.
   */
  private static FaultHandler ending(FaultHandler told, AtomicInteger exitCode, Shutdown shutdown) {
    return (what, cause) -> {
      told.fault(what, cause);
      exitCode.set(Faults.EXIT_CODE);
      shutdown.stop();
    };
  }

  private static Commands commands(AgentConfig config, Shutdown shutdown) {
    return Commands.split(
        config
            .podRuntime()
            .<Commands>map(address -> shutdown.opened("pod runtime", new RuntimeCommands(address)))
            .orElseGet(Commands::noRuntime),
        switch (config.execProbes()) {
          case REFUSED -> Commands.notOnNode();
          case ALLOWED -> new NodeCommands();
        });
  }

  private static NodeLoop.Settings settings(
      AgentConfig config, Commands commands, FaultPoints points) {
    return new NodeLoop.Settings(
        new NodeIdentity(
            config.node(),
            config.zone(),
            config.nodeIps(),
            config.podCidrs(),
            config.clusterCidrs(),
            BuildInfo.version()),
        config.endpoints(),
        switch (config.log()) {
          case SAME_ONLY -> NodeLoop.OtherLogPolicy.REFUSE;
          case ADOPT -> NodeLoop.OtherLogPolicy.ADOPT;
        },
        config.dataDirectory(),
        List.of(
            config
                .manifests()
                .<PodSource>map(
                    directory -> new StaticManifests(directory, config.node(), config.nodeIps()))
                .orElseGet(() -> new PodSource.Ended(StaticManifests.nameOn(config.node())))),
        commands,
        points);
  }

  private static Optional<String> trouble(String words) {
    return words.isEmpty() ? Optional.empty() : Optional.of(words);
  }

  /** Whether this host is fit for an agent; needs none that runs, and changes nothing. */
  public static List<HostCheck.Finding> check(AgentConfig config) {
    return HostCheck.all(ranges(config));
  }

  private static HostCheck.Ranges ranges(AgentConfig config) {
    var pods = new HashSet<>(config.clusterCidrs());
    pods.addAll(config.podCidrs());
    return new HostCheck.Ranges(config.serviceCidrs(), pods);
  }

  private static void warnOfHost(List<HostCheck.Finding> findings) {
    for (var finding : findings) {
      if (finding.level() != HostCheck.Level.OK) {
        LOG.atWarn()
            .addKeyValue("event", "agent.host")
            .addKeyValue("level", finding.level())
            .addKeyValue("what", finding.what())
            .addKeyValue("words", finding.words())
            .addKeyValue("remedy", finding.remedy().orElse(""))
            .log("The host keeps packets from where rules send them, or will");
      }
    }
  }

  /** Deletes our tables from the kernel of this process's network namespace. */
  public static void uninstall(AgentConfig config) {
    try (var plane = DataPlane.open(DataPlaneConfig.of(config.node()))) {
      plane.uninstall();
    }
  }

  /** What the loop knows of itself. */
  public NodeLoop loop() {
    return loop;
  }

  public Health health() {
    return health;
  }

  /** Where HTTP listens. */
  public int httpPort() {
    return http.port();
  }

  /** Waits for SIGTERM, SIGINT, {@link #stop} or a fault; only for {@code main}. */
  public void awaitStopped() throws InterruptedException {
    shutdown.awaitStopped();
  }

  /** Whether it is to end, by whatever reason. */
  public boolean isStopping() {
    return shutdown.isStopping();
  }

  /**
   * What its process ends with: not 0 after a fault, so that it is started again; {@link
   * #SUPERSEDED} where it should not be.
   */
  public int exitCode() {
    return exitCode.get();
  }

  /** Ends {@link #awaitStopped}. */
  public void stop() {
    shutdown.stop();
  }

  @Override
  public void close() {
    shutdown.close();
  }
}
