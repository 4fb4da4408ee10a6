package io.fairlead.devkit.fabric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fairlead.devkit.echo.EchoServer;
import io.fairlead.devkit.posix.Libc;
import io.fairlead.devkit.posix.PosixException;
import io.fairlead.devkit.process.ChildProcess;
import io.fairlead.devkit.process.Command;
import io.fairlead.devkit.process.Stdout;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("kernel")
@Timeout(120)
final class FabricTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);
  private static final FabricSpec SPEC = FabricSpec.of("devkit1", List.of("node-a", "node-b"));

  @TempDir Path directory;

  @BeforeAll
  static void needsRoot() {
    Assumptions.assumeTrue(Libc.effectiveUserId() == 0, "network namespaces need root");
  }

  @Test
  void podsReachEachOtherAcrossNodes() throws IOException {
    try (var fabric = Fabric.create(SPEC)) {
      var a = fabric.node("node-a").addPod("client");
      var b = fabric.node("node-b").addPod("backend-0");
      assertThat(a.address()).isEqualTo("10.244.1.2");
      assertThat(b.address()).isEqualTo("10.244.2.2");
      assertThat(hear(a.namespace(), b.namespace(), b.address())).isEqualTo(a.address());
      assertThat(hear(b.namespace(), a.namespace(), a.address())).isEqualTo(b.address());
      ping(fabric, a.namespace(), b.address());
    }
  }

  @Test
  void nodesReachPodsNodesAndTheMiddle() throws IOException {
    try (var fabric = Fabric.create(SPEC)) {
      var a = fabric.node("node-a");
      var b = fabric.node("node-b");
      var near = a.addPod("near");
      var far = b.addPod("far");
      // probes come from the node's own address
      assertThat(hear(a.namespace(), near.namespace(), near.address())).isEqualTo(a.address());
      assertThat(hear(a.namespace(), far.namespace(), far.address())).isEqualTo(a.address());
      assertThat(hear(a.namespace(), b.namespace(), b.address())).isEqualTo(a.address());
      // a Pod that asks the middle, and is known there by its own address
      assertThat(hear(near.namespace(), fabric.fabricNamespace(), fabric.fabricAddress()))
          .isEqualTo(near.address());
    }
  }

  @Test
  void thisMachineReachesTheNodesAndTheyReachIt() throws IOException {
    try (var fabric = Fabric.create(SPEC)) {
      var node = fabric.node("node-a");
      for (var target :
          Map.of(
                  node.namespace(), node.address(),
                  fabric.fabricNamespace(), fabric.fabricAddress())
              .entrySet()) {
        try (var server = NetnsSockets.listen(target.getKey(), any(target.getValue()));
            var client = java.nio.channels.SocketChannel.open()) {
          client.socket().connect(server.getLocalAddress(), (int) LIMIT.toMillis());
          assertThat(client.isConnected()).isTrue();
        }
      }
      try (var here = java.nio.channels.ServerSocketChannel.open()) {
        here.bind(any(fabric.managementAddress()));
        try (var client =
            NetnsSockets.connect(
                node.namespace(), (InetSocketAddress) here.getLocalAddress(), LIMIT)) {
          assertThat(client.isConnected()).isTrue();
        }
      }
    }
  }

  @Test
  void nothingReachesTheOutside() throws IOException {
    var forwarding = Files.readString(Path.of("/proc/sys/net/ipv4/ip_forward"));
    try (var fabric = Fabric.create(SPEC)) {
      var pod = fabric.node("node-a").addPod("client");
      var outside = new java.util.ArrayList<>(List.of("8.8.8.8", "192.0.2.1", "10.96.0.1"));
      for (var own : NetworkInterface.networkInterfaces().toList()) {
        own.inetAddresses()
            .filter(address -> address instanceof java.net.Inet4Address)
            .map(InetAddress::getHostAddress)
            .filter(address -> !address.startsWith("127."))
            .filter(address -> !address.equals(fabric.managementAddress()))
            .forEach(outside::add);
      }
      for (var namespace :
          List.of(pod.namespace(), fabric.node("node-a").namespace(), fabric.fabricNamespace())) {
        for (var address : outside) {
          assertThatThrownBy(() ->
                  NetnsSockets.connect(
                      namespace, new InetSocketAddress(InetAddress.ofLiteral(address), 53), LIMIT))
              .as("%s to %s", namespace, address)
              .hasMessageMatching("(Network is unreachable|No route to host).*");
        }
      }
      assertThatThrownBy(() ->
              NetnsSockets.connect(pod.namespace(), at(fabric.managementAddress(), 53), LIMIT))
          .hasMessageMatching("(Network is unreachable|No route to host).*");
    }
    assertThat(Path.of("/proc/sys/net/ipv4/ip_forward")).hasContent(forwarding);
  }

  @Test
  void twoInstancesLiveSideBySide() throws IOException {
    try (var one = Fabric.create(SPEC);
        var two = Fabric.create(FabricSpec.of("devkit2", List.of("node-a")))) {
      assertThat(one.nodeNetwork()).isNotEqualTo(two.nodeNetwork());
      var first = one.node("node-a");
      var second = two.node("node-a");
      for (var node : List.of(first, second)) {
        try (var server = NetnsSockets.listen(node.namespace(), any(node.address()));
            var client = java.nio.channels.SocketChannel.open()) {
          client.socket().connect(server.getLocalAddress(), (int) LIMIT.toMillis());
          assertThat(client.isConnected()).isTrue();
        }
      }
      assertThatThrownBy(
              () -> NetnsSockets.connect(first.namespace(), at(second.address(), 80), LIMIT))
          .hasMessageMatching("(Network is unreachable|No route to host).*");
      var sameId = FabricSpec.of("devkit2", List.of("node-c"));
      assertThatThrownBy(() -> Fabric.create(sameId)).hasMessageContaining("in use");
      assertThatThrownBy(() -> Fabric.clear("devkit2")).hasMessageContaining("in use");
      var sameNumber =
          FabricSpec.of("devkit3", List.of("node-a"))
              .withNumber(Integer.parseInt(two.fabricAddress().split("\\.", -1)[2]));
      assertThatThrownBy(() -> Fabric.create(sameNumber)).hasMessageContaining("number");
    }
  }

  @Test
  void clearsWhatACrashLeftAndNothingElse() throws IOException {
    try (var other = Fabric.create(FabricSpec.of("devkit2", List.of("node-a")))) {
      // a JVM of its own builds a fabric with a process outside of its family, and is killed with
      // -9
      var crashed =
          ChildProcess.start(
              Command.java(
                      "crash",
                      CrashMain.class,
                      List.of(),
                      List.of(directory.toString()),
                      directory.resolve("crash.log"))
                  .withStdout(Stdout.PIPE));
      long orphan;
      try (var reader = crashed.process().inputReader()) {
        var line = reader.readLine();
        assertThat(line).as(crashed.logTail(20)).isNotNull();
        orphan = Long.parseLong(line);
        crashed.kill();
      }
      assertThat(Path.of("/run/netns/fl-devkit4-node-a-pod")).exists();
      assertThat(Path.of("/etc/netns/fl-devkit4-node-a-pod/resolv.conf")).exists();
      assertThat(ProcessHandle.of(orphan)).isPresent();

      Fabric.clear("devkit4");

      assertThat(namespacesOf("devkit4")).isEmpty();
      assertThat(Path.of("/etc/netns/fl-devkit4-node-a-pod")).doesNotExist();
      assertThat(Path.of("/sys/class/net/fl-devkit4-m")).doesNotExist();
      await("orphan ended")
          .until(() -> ProcessHandle.of(orphan).filter(ProcessHandle::isAlive).isEmpty());
      assertThat(namespacesOf("devkit2")).hasSize(2);
      assertThat(other.node("node-a").addPod("still").address()).isEqualTo("10.244.1.2");
    }
    assertThat(namespacesOf("devkit2")).isEmpty();
  }

  /** Builds a fabric, starts in it what does not end with its parent, and waits to be killed. */
  static final class CrashMain {
    static void main(String[] args) throws IOException, InterruptedException {
      var fabric = Fabric.create(FabricSpec.of("devkit4", List.of("node-a")));
      var pod = fabric.node("node-a").addPod("pod");
      fabric.useResolvConf(pod.namespace(), ResolvConf.ofPod("10.96.0.10", "default", "x"));
      var words = new java.util.ArrayList<>(Fabric.prefix(pod.namespace()));
      words.addAll(List.of("sleep", "600"));
      var orphan =
          new ProcessBuilder(words)
              .redirectErrorStream(true)
              .redirectOutput(Path.of(args[0], "orphan.log").toFile())
              .start();
      System.out.println(orphan.pid());
      System.out.flush();
      Thread.sleep(Duration.ofMinutes(5));
    }
  }

  @Test
  void aRemovedPodIsGoneAndItsAddressRests() throws IOException {
    try (var fabric = Fabric.create(SPEC)) {
      var node = fabric.node("node-a");
      var first = node.addPod("backend-0");
      var process =
          fabric.process(
              first.namespace(), List.of("sleep", "600"), Map.of(), directory.resolve("log"));
      node.removePod("backend-0");
      assertThat(process.exitsWithin(LIMIT)).isTrue();
      assertThat(node.pods()).isEmpty();
      assertThat(namespacesOf("devkit1")).hasSize(3);
      assertThatThrownBy(
              () -> NetnsSockets.connect(node.namespace(), at(first.address(), 80), LIMIT))
          .hasMessageMatching("(Network is unreachable|No route to host).*");
      var again = node.addPod("backend-0");
      assertThat(again.address()).isEqualTo("10.244.1.3");
      assertThatThrownBy(() -> node.addPod("backend-0")).hasMessageContaining("backend-0");
    }
  }

  @Test
  void aPodGetsTheAddressItHadWhereThatIsFree() {
    try (var fabric = Fabric.create(SPEC)) {
      var node = fabric.node("node-a");
      assertThat(node.addPod("one", Optional.of("10.244.1.77")).address()).isEqualTo("10.244.1.77");
      // taken, of another node, the gateway's
      assertThat(node.addPod("two", Optional.of("10.244.1.77")).address()).isEqualTo("10.244.1.78");
      assertThat(node.addPod("three", Optional.of("10.244.2.9")).address())
          .isEqualTo("10.244.1.79");
      assertThat(node.addPod("four", Optional.of("10.244.1.1")).address()).isEqualTo("10.244.1.80");
    }
  }

  @Test
  void everyUserOfAPodMayListenOnEveryPort() throws IOException {
    try (var fabric = Fabric.create(SPEC)) {
      var pod = fabric.node("node-a").addPod("web");
      var read =
          NetnsSockets.<String, IOException>call(
              pod.namespace(),
              () -> Files.readString(Path.of("/proc/sys/net/ipv4/ip_unprivileged_port_start")));
      assertThat(read.strip()).isEqualTo("0");
    }
  }

  @Test
  void anIsolatedNodeIsCutOffUntilItRejoins() throws IOException {
    try (var fabric = Fabric.create(SPEC)) {
      var a = fabric.node("node-a");
      var b = fabric.node("node-b");
      try (var server = NetnsSockets.listen(b.namespace(), any(b.address()))) {
        var address = (InetSocketAddress) server.getLocalAddress();
        fabric.isolate(b);
        assertThatThrownBy(
                () -> NetnsSockets.connect(a.namespace(), address, Duration.ofMillis(300)))
            .isInstanceOf(IOException.class);
        fabric.rejoin(b);
        try (var client = NetnsSockets.connect(a.namespace(), address, LIMIT)) {
          assertThat(client.isConnected()).isTrue();
        }
      }
    }
  }

  @Test
  void aProcessHasItsOwnPidNetworkAndResolvConf() throws IOException {
    try (var fabric = Fabric.create(SPEC)) {
      var pod = fabric.node("node-a").addPod("client");
      fabric.useResolvConf(
          pod.namespace(), ResolvConf.ofPod("10.96.0.10", "shop", "cluster.local"));
      var log = directory.resolve("log");
      var process =
          fabric.process(
              pod.namespace(),
              List.of("sh", "-c", "cat /etc/resolv.conf; ip -br addr; echo $WHO is $$"),
              Map.of("WHO", "client"),
              log);
      assertThat(process.exitsWithin(LIMIT)).isTrue();
      assertThat(Files.readString(log))
          .contains(
              "nameserver 10.96.0.10",
              "search shop.svc.cluster.local svc.cluster.local cluster.local",
              "ndots:5",
              pod.address() + "/32",
              "client is " + process.pid());
    }
  }

  @Test
  void namesTheNamespaceThatIsNotThere() {
    assertThatThrownBy(() -> NetnsSockets.socket("fl-nowhere"))
        .isInstanceOf(PosixException.class)
        .hasMessageContaining("/run/netns/fl-nowhere")
        .hasMessageContaining("No such file");
  }

  @Test
  void datagramsStayInTheirNamespace() throws IOException {
    try (var fabric = Fabric.create(SPEC)) {
      var a = fabric.node("node-a").addPod("a");
      var b = fabric.node("node-b").addPod("b");
      try (var server = NetnsSockets.datagram(b.namespace(), any(b.address()));
          var client = NetnsSockets.datagram(a.namespace(), any(a.address()))) {
        client.send(utf8("hello"), server.getLocalAddress());
        var buffer = ByteBuffer.allocate(16);
        var sender = (InetSocketAddress) server.receive(buffer);
        assertThat(sender).isEqualTo(client.getLocalAddress());
        assertThat(buffer.flip()).isEqualTo(utf8("hello"));
      }
    }
  }

  @Test
  void anEchoServerOfThisJvmAnswersInsideAPod() throws IOException {
    try (var fabric = Fabric.create(SPEC)) {
      var client = fabric.node("node-b").addPod("client");
      var pod = fabric.node("node-a").addPod("backend-0");
      var identity = new EchoServer.Identity(pod.name(), pod.node());
      try (var _ =
              NetnsSockets.call(
                  pod.namespace(), () -> EchoServer.start(identity, pod.address(), List.of(8080)));
          var socket = NetnsSockets.connect(client.namespace(), at(pod.address(), 8080), LIMIT)) {
        socket.write(utf8("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
        assertThat(
                new String(socket.socket().getInputStream().readAllBytes(), StandardCharsets.UTF_8))
            .contains("pod=backend-0 node=node-a client=" + client.address() + ":");
      }
    }
  }

  @Test
  void isBuiltQuickly() {
    // a figure for the reader, no assertion: machines differ
    var start = System.nanoTime();
    try (var fabric = Fabric.create(FabricSpec.of("devkit5", List.of("a", "b", "c")))) {
      var built = System.nanoTime();
      for (var i = 0; i < 10; i++) {
        fabric.node("a").addPod("pod-" + i);
      }
      var added = System.nanoTime();
      System.out.printf(
          "3 nodes %d ms, a Pod %d ms%n",
          (built - start) / 1_000_000, (added - built) / 10_000_000);
      assertThat(fabric.node("a").pods()).hasSize(10);
    }
  }

  /** Connects and says whom the listener saw. */
  private static String hear(String from, String to, String address) throws IOException {
    try (var server = NetnsSockets.listen(to, any(address));
        var client =
            NetnsSockets.connect(from, (InetSocketAddress) server.getLocalAddress(), LIMIT);
        var accepted = server.accept()) {
      client.write(utf8("x"));
      assertThat(accepted.read(ByteBuffer.allocate(1))).isEqualTo(1);
      return ((InetSocketAddress) accepted.getRemoteAddress()).getAddress().getHostAddress();
    }
  }

  private void ping(Fabric fabric, String namespace, String address) {
    var ping =
        fabric.process(
            namespace,
            List.of("ping", "-c", "1", "-W", "5", address),
            Map.of(),
            directory.resolve("ping.log"));
    assertThat(ping.exitsWithin(Duration.ofSeconds(10))).isTrue();
    assertThat(ping.exitStatus()).as(ping.logTail(5)).hasValue(0);
  }

  private static List<String> namespacesOf(String id) throws IOException {
    try (var names = Files.list(Path.of("/run/netns"))) {
      return names
          .map(name -> name.getFileName().toString())
          .filter(name -> name.startsWith("fl-" + id + "-"))
          .toList();
    }
  }

  private static InetSocketAddress any(String address) {
    return at(address, 0);
  }

  private static InetSocketAddress at(String address, int port) {
    return new InetSocketAddress(InetAddress.ofLiteral(address), port);
  }

  private static ByteBuffer utf8(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }
}
