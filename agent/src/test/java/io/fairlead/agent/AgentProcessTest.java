package io.fairlead.agent;

import static io.fairlead.agent.Waiting.await;
import static io.fairlead.agent.stream.FakeReplica.at;
import static io.fairlead.agent.stream.TestEntries.endpoint;
import static io.fairlead.agent.stream.TestEntries.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.stream.FakeReplica;
import io.fairlead.agent.stream.TestEntries;
import io.fairlead.core.view.Entry;
import io.fairlead.devkit.fabric.Fabric;
import io.fairlead.devkit.fabric.FabricNode;
import io.fairlead.devkit.fabric.FabricPod;
import io.fairlead.devkit.fabric.FabricSpec;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.devkit.posix.Libc;
import io.fairlead.devkit.process.ChildProcess;
import io.fairlead.devkit.process.Command;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The agent as a process on a node, with the real kernel and real connections. */
@Tag("kernel")
@Timeout(180)
class AgentProcessTest {
  /** As the launcher starts it. */
  private static final List<String> JVM =
      List.of(
          "-Xms8m",
          "-Xmn6m",
          "-Xmx64m",
          "-Xss512k",
          "-XX:+UseCompactObjectHeaders",
          "-XX:ReservedCodeCacheSize=32m",
          "-XX:MaxMetaspaceSize=64m",
          "-XX:CICompilerCount=1",
          "-XX:MinHeapFreeRatio=10",
          "-XX:MaxHeapFreeRatio=30",
          "-Dio.grpc.netty.shaded.io.netty.allocator.numDirectArenas=1",
          "-Dio.grpc.netty.shaded.io.netty.allocator.numHeapArenas=1",
          "-Dio.grpc.netty.shaded.io.netty.allocator.maxOrder=3");

  /** glibc keeps what libnftables frees in an arena for each thread otherwise. */
  private static final Map<String, String> ENVIRONMENT =
      Map.of("MALLOC_ARENA_MAX", "1", "MALLOC_TRIM_THRESHOLD_", "131072");

  private static final String VIP = "10.96.0.10";

  @TempDir Path directory;
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private int starts;

  private <T extends AutoCloseable> T opened(T resource) {
    opened.push(resource);
    return resource;
  }

  @BeforeEach
  void needsRoot() {
    Assumptions.assumeTrue(Libc.effectiveUserId() == 0, "nftables and namespaces need root");
  }

  @AfterEach
  void close() throws Exception {
    for (var resource : opened) {
      resource.close();
    }
  }

  private ChildProcess start(FabricNode node, FakeReplica replica, String... more) {
    var arguments =
        new ArrayList<>(
            List.of(
                "--node=node-a",
                "--endpoints=" + replica.address(),
                "--data-dir=" + directory.resolve("data"),
                "--http-listen=0.0.0.0:7484"));
    arguments.addAll(List.of(more));
    return opened(
        ChildProcess.start(
            Command.java(
                    "agent",
                    Main.class,
                    JVM,
                    arguments,
                    directory.resolve("agent-" + ++starts + ".log"))
                .withEnvironment(ENVIRONMENT)
                .through(Fabric.prefix(node.namespace()))));
  }

  private void serve(FabricPod pod) throws IOException {
    var server = opened(NetnsSockets.listen(pod.namespace(), new InetSocketAddress(8080)));
    Thread.ofVirtual().start(() -> accept(server, pod.name()));
  }

  private static void accept(ServerSocketChannel server, String name) {
    try {
      while (true) {
        try (var connection = server.accept()) {
          connection.write(StandardCharsets.UTF_8.encode(name));
        }
      }
    } catch (IOException _) {
      // closed at the end of the test
    }
  }

  private static String ask(FabricPod from, String vip) {
    try (var socket =
        NetnsSockets.connect(
            from.namespace(),
            new InetSocketAddress(InetAddress.ofLiteral(vip), 80),
            Duration.ofSeconds(2))) {
      var answer = ByteBuffer.allocate(64);
      while (socket.read(answer) >= 0) {
        // until the server closes
      }
      return StandardCharsets.UTF_8.decode(answer.flip()).toString();
    } catch (IOException e) {
      return "failed: " + e;
    }
  }

  private static String http(FabricNode node, String path) {
    try (var client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(URI.create("http://" + node.address() + ":7484" + path))
                  .build(),
              BodyHandlers.ofString())
          .body();
    } catch (IOException e) {
      return "failed: " + e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static String nft(FabricNode node, String words)
      throws IOException, InterruptedException {
    var process =
        new ProcessBuilder("ip", "netns", "exec", node.namespace(), "nft", words)
            .redirectErrorStream(true)
            .start();
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output;
  }

  @Test
  void servesConnectionsWhateverBecomesOfItAndOfTheControlPlane() throws Exception {
    var fabric = opened(Fabric.create(FabricSpec.of("agentp", List.of("node-a"))));
    var node = fabric.node("node-a");
    var client = node.addPod("client");
    var one = node.addPod("one");
    var two = node.addPod("two");
    serve(one);
    serve(two);
    var replica = opened(new FakeReplica(fabric.managementAddress()));
    var first = start(node, replica);
    await("greeting").atMost(Duration.ofSeconds(60)).until(() -> replica.greeted() == 1);
    var stream = replica.streams.getFirst();
    assertThat(stream.hello.orElseThrow().getNode().getAddressesList())
        .containsExactly(node.address());
    stream.welcome(7).reset(1, at("s:10"), service("web", VIP, one.address()));
    await("acknowledgement").until(() -> stream.acknowledged().equals("s:10"));
    assertThat(ask(client, VIP)).isEqualTo("one");
    assertThat(http(node, "/readyz")).isEqualTo("ok");
    assertThat(http(node, "/metrics")).contains("fairlead_agent_network_programming_duration");

    first.kill();
    assertThat(ask(client, VIP)).isEqualTo("one");

    var second = start(node, replica);
    await("greeting").atMost(Duration.ofSeconds(60)).until(() -> replica.greeted() == 2);
    var again = replica.streams.getLast();
    assertThat(again.hello.orElseThrow().getPosition().getOffsets()).isEqualTo("s:10");
    again
        .welcome(8)
        .delta(
            1,
            at("s:10"),
            at("s:11"),
            List.of(endpoint("web", two.address())),
            List.of(TestEntries.endpointKey("web", one.address())));
    await("acknowledgement").until(() -> again.acknowledged().equals("s:11"));
    assertThat(ask(client, VIP)).isEqualTo("two");

    replica.close();
    await("not ready").until(() -> http(node, "/readyz").contains("[-]stream failed"));
    assertThat(ask(client, VIP)).isEqualTo("two");
    second.stop(Duration.ofSeconds(10));
    assertThat(second.exitStatus()).hasValue(0);
    assertThat(ask(client, VIP)).isEqualTo("two");

    nft(node, "add table inet others");
    assertThat(start(node, replica, "--uninstall").exitsWithin(Duration.ofSeconds(60))).isTrue();
    assertThat(nft(node, "list tables").strip())
        .as("ours, and nobody else's")
        .isEqualTo("table inet others");
  }

  @Test
  void aClientThatKeepsItsUdpPortReachesALiveEndpointWhenItsOwnIsGone() throws Exception {
    var fabric = opened(Fabric.create(FabricSpec.of("agentu", List.of("node-a"))));
    var node = fabric.node("node-a");
    var client = node.addPod("client");
    var one = node.addPod("one");
    var two = node.addPod("two");
    serveDatagrams(one);
    serveDatagrams(two);
    var replica = opened(new FakeReplica(fabric.managementAddress()));
    start(node, replica);
    await("greeting").atMost(Duration.ofSeconds(60)).until(() -> replica.greeted() == 1);
    var stream = replica.streams.getFirst();
    stream.welcome(7).reset(1, at("s:10"), TestEntries.udpService("dns", VIP, one.address()));
    await("acknowledgement").until(() -> stream.acknowledged().equals("s:10"));
    try (var socket =
        NetnsSockets.datagram(
            client.namespace(),
            new InetSocketAddress(InetAddress.ofLiteral(client.address()), 20_000))) {
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral(VIP), 53));
      assertThat(askDatagram(socket)).isEqualTo("one");
      stream.delta(
          2,
          at("s:10"),
          at("s:11"),
          List.of(TestEntries.udpEndpoint("dns", two.address())),
          List.of(TestEntries.udpEndpointKey("dns", one.address())));
      await("acknowledgement").until(() -> stream.acknowledged().equals("s:11"));
      await("an answer of the live one").until(() -> askDatagram(socket).equals("two"));
    }
    assertThat(http(node, "/metrics"))
        .containsPattern("fairlead_agent_conntrack_flows_deleted_total [1-9]");
  }

  private void serveDatagrams(FabricPod pod) throws IOException {
    var server = opened(NetnsSockets.datagram(pod.namespace(), new InetSocketAddress(5353)));
    Thread.ofVirtual()
        .start(() -> {
          try {
            while (true) {
              var from = server.receive(ByteBuffer.allocate(64));
              server.send(StandardCharsets.UTF_8.encode(pod.name()), from);
            }
          } catch (IOException _) {
            // closed at the end of the test
          }
        });
  }

  /** One question, from the socket's port; who answered. */
  private static String askDatagram(DatagramChannel socket) {
    try {
      socket.write(ByteBuffer.wrap(new byte[] {'?'}));
      socket.socket().setSoTimeout(1_000);
      var packet = new DatagramPacket(new byte[64], 64);
      socket.socket().receive(packet);
      return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return "failed: " + e;
    }
  }

  @Test
  void staysSmallWithManyServices() throws Exception {
    var fabric = opened(Fabric.create(FabricSpec.of("agentm", List.of("node-a"))));
    var node = fabric.node("node-a");
    var replica = opened(new FakeReplica(fabric.managementAddress()));
    var agent = start(node, replica);
    await("greeting").atMost(Duration.ofSeconds(60)).until(() -> replica.greeted() == 1);
    var stream = replica.streams.getFirst();
    long idle = residentMegabytes(agent);
    var entries = new ArrayList<Entry>();
    for (int i = 0; i < 2_000; i++) {
      var third = i / 250;
      var fourth = i % 250 + 1;
      entries.addAll(
          service(
              "web-" + i,
              "10.96." + third + "." + fourth,
              "10.244." + third + "." + fourth,
              "10.245." + third + "." + fourth,
              "10.246." + third + "." + fourth));
    }
    stream.welcome(7).begin(1, java.util.Optional.empty());
    for (int from = 0; from < entries.size(); from += 1_000) {
      stream.chunk(entries.subList(from, Math.min(entries.size(), from + 1_000)), List.of());
    }
    stream.end(1, at("s:10"));
    await("acknowledgement")
        .atMost(Duration.ofSeconds(60))
        .until(() -> stream.acknowledged().equals("s:10"));
    long full = residentMegabytes(agent);
    System.out.println(
        "agent RSS: " + idle + " MB idle, " + full + " MB with 2,000 services of 3 endpoints");
    assertThat(full).isLessThan(200);
  }

  private static long residentMegabytes(ChildProcess process) {
    try (var lines = Files.lines(Path.of("/proc/" + process.pid() + "/status"))) {
      return lines
              .filter(line -> line.startsWith("VmRSS:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
              .findFirst()
              .orElseThrow()
          / 1024;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
