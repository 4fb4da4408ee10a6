package io.fairlead.bench;

import io.fairlead.agent.stream.FakeReplica;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.ServiceSpec.TrafficPolicy;
import io.fairlead.core.view.Endpoint;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.Entry.ServiceCidrEntry;
import io.fairlead.core.view.Entry.ServicePortEntry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.fabric.FabricNode;
import io.fairlead.devkit.process.Command;
import io.fairlead.testbed.cluster.Part;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * An agent's process on a node, as its README has it started, and the other end of its stream. Pods
 * and readiness stay out of it: what it is told are Services and endpoints.
 */
final class NodeAgent implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final int CHUNK = 1_000;
  private static final String HTTP_PORT = "7484";

  private final FakeReplica replica;
  private final Part part;
  private long greetings;
  private long session;

  /**
   * Not started yet.
   *
   * @param directory for its data and log
   * @param heap largest one, in MiB
   */
  NodeAgent(Fabric fabric, FabricNode node, Path directory, int heap) {
    this.replica = new FakeReplica(fabric.managementAddress());
    this.part =
        new Part(
            Command.java(
                    "agent-" + node.name(),
                    io.fairlead.agent.Main.class,
                    List.of(
                        "-Dlogback.statusListenerClass=ch.qos.logback.core.status.NopStatusListener",
                        "-Xms8m",
                        "-Xmn6m",
                        "-Xmx" + heap + "m",
                        "-Xss512k",
                        "-XX:+UseCompactObjectHeaders",
                        "-XX:ReservedCodeCacheSize=32m",
                        "-XX:MinHeapFreeRatio=10",
                        "-XX:MaxHeapFreeRatio=30",
                        "-XX:NativeMemoryTracking=summary",
                        "-Dio.grpc.netty.shaded.io.netty.allocator.maxOrder=3"),
                    List.of(
                        "--node=" + node.name(),
                        "--node-ip=" + node.address(),
                        "--cluster-cidrs="
                            + String.join(
                                ",", MadeUpRules.PODS.stream().map(Object::toString).toList()),
                        "--endpoints=" + replica.address(),
                        "--data-dir=" + directory.resolve("data-" + node.name()),
                        "--http-listen=" + node.address() + ":" + HTTP_PORT),
                    directory.resolve("agent-" + node.name() + ".log"))
                .withEnvironment(Map.of("MALLOC_ARENA_MAX", "1"))
                .through(Fabric.prefix(node.namespace())),
            node.address() + ":" + HTTP_PORT);
  }

  Part part() {
    return part;
  }

  /**
   * Starts it and waits until it greets: it has then programmed what is on its disk.
   *
   * @return how long that took, with the start of its JVM
   */
  Duration start() {
    long from = System.nanoTime();
    greetings = replica.greeted();
    part.launch();
    await("greets", () -> replica.greeted() > greetings);
    session++;
    return Duration.ofNanos(System.nanoTime() - from);
  }

  /** Offsets of the position it greeted with; "" where it knew nothing. */
  String greeting() {
    return replica.streams.getLast().hello.orElseThrow().getPosition().getOffsets();
  }

  /** All of these, at that offset of the log; until it says that its kernel has them. */
  void tell(long offset, List<? extends Entry> entries) {
    var stream = replica.streams.getLast();
    var position = FakeReplica.at("s:" + offset);
    stream.welcome(session).begin(1, Optional.empty());
    for (int from = 0; from < entries.size(); from += CHUNK) {
      stream.chunk(entries.subList(from, Math.min(entries.size(), from + CHUNK)), List.of());
    }
    stream.end(1, position);
    await("acknowledges", () -> stream.acknowledged().equals("s:" + offset));
  }

  private void await(String what, BooleanSupplier condition) {
    long giveUp = System.nanoTime() + LIMIT.toNanos();
    while (!condition.getAsBoolean()) {
      if (!part.isAlive()) {
        throw new IllegalStateException("the agent ended:\n" + part.logTail(20));
      }
      if (System.nanoTime() - giveUp > 0) {
        throw new IllegalStateException(
            "nothing heard within %s that the agent %s:\n%s"
                .formatted(LIMIT, what, part.logTail(20)));
      }
      LockSupport.parkNanos(1_000_000);
    }
  }

  /** The Services of {@link MadeUpRules#view}, and their range. */
  static List<Entry> entries(int services, int endpoints, int roundRobin) {
    var entries = new ArrayList<Entry>();
    entries.add(
        new ServiceCidrEntry(
            new EntryKey.ServiceCidr("kubernetes"), List.of(MadeUpRules.SERVICES)));
    for (int i = 0; i < services; i++) {
      entries.addAll(
          service(
              i,
              i < roundRobin ? Balancing.ROUND_ROBIN : Balancing.RANDOM,
              MadeUpRules.targets(i * endpoints, endpoints)));
    }
    return entries;
  }

  /** One Service and its endpoints. */
  static List<Entry> service(int number, Balancing balancing, List<Target> targets) {
    var frontend = MadeUpRules.frontend(number);
    var key =
        new EntryKey.ServicePort(
            new ObjectName("default", "service-" + number), "http", Protocol.TCP);
    var entries = new ArrayList<Entry>();
    entries.add(
        new ServicePortEntry(
            key,
            List.of(frontend.vip()),
            frontend.port(),
            balancing,
            Optional.empty(),
            TrafficPolicy.CLUSTER));
    for (var target : targets) {
      entries.add(
          new EndpointEntry(
              new EntryKey.Endpoint(
                  key,
                  UUID.nameUUIDFromBytes(target.toString().getBytes(StandardCharsets.UTF_8)),
                  target.address().family()),
              target.address(),
              target.port(),
              Optional.of("node-a"),
              Optional.empty(),
              new Endpoint.Conditions(true, true, false),
              new Endpoint.Hints(new TreeSet<>(), new TreeSet<>())));
    }
    return entries;
  }

  @Override
  public void close() {
    part.close();
    replica.close();
  }
}
