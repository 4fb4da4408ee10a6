package io.fairlead.agent.nft;

import io.fairlead.devkit.fabric.NetnsSockets;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A node with Pods around it, each in a network namespace, and a machine outside the cluster; IPv4
 * and IPv6. Pod i has 10.244.i.2 and fd00:244:i::2, the node 10.244.i.1 and fd00:244:i::1 on its
 * link; the machine outside is 192.168.77.2 and fd00:77::2, the node's address towards it .1.
 */
final class Lab implements AutoCloseable {
  static final int PODS = 4;

  private final String id;
  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  private Lab(String id) {
    this.id = id;
  }

  static Lab create() throws IOException, InterruptedException {
    var lab = new Lab("nft-" + ProcessHandle.current().pid());
    try {
      lab.build();
      return lab;
    } catch (IOException | InterruptedException | RuntimeException e) {
      lab.close();
      throw e;
    }
  }

  private void build() throws IOException, InterruptedException {
    namespace(node());
    run(
        "ip",
        "netns",
        "exec",
        node(),
        "sysctl",
        "-qw",
        "net.ipv4.ip_forward=1",
        "net.ipv6.conf.all.forwarding=1");
    for (int i = 1; i <= PODS; i++) {
      join(pod(i), "p" + i, "10.244." + i + ".", "fd00:244:" + i + "::");
    }
    join(outside(), "out", "192.168.77.", "fd00:77::");
  }

  private void namespace(String name) throws IOException, InterruptedException {
    run("ip", "netns", "add", name);
    open.push(() -> run("ip", "netns", "delete", name));
    run("ip", "-n", name, "link", "set", "lo", "up");
    // else addresses of IPv6 are unusable until nobody objected
    run(
        "ip",
        "netns",
        "exec",
        name,
        "sysctl",
        "-qw",
        "net.ipv6.conf.all.accept_dad=0",
        "net.ipv6.conf.default.accept_dad=0");
  }

  private void join(String name, String link, String v4, String v6)
      throws IOException, InterruptedException {
    namespace(name);
    run(
        "ip", "-n", node(), "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns",
        name);
    for (var end : List.of(List.of(node(), link, "1"), List.of(name, "eth0", "2"))) {
      run("ip", "-n", end.get(0), "address", "add", v4 + end.get(2) + "/24", "dev", end.get(1));
      run(
          "ip",
          "-n",
          end.get(0),
          "address",
          "add",
          v6 + end.get(2) + "/64",
          "dev",
          end.get(1),
          "nodad");
      run("ip", "-n", end.get(0), "link", "set", end.get(1), "up");
    }
    run("ip", "-n", name, "route", "add", "default", "via", v4 + "1");
    run("ip", "-n", name, "route", "add", "default", "via", v6 + "1");
  }

  String node() {
    return id + "-node";
  }

  String pod(int i) {
    return id + "-pod" + i;
  }

  String outside() {
    return id + "-out";
  }

  Path nodeFile() {
    return Path.of("/run/netns", node());
  }

  static String v4(int pod) {
    return "10.244." + pod + ".2";
  }

  static String v6(int pod) {
    return "fd00:244:" + pod + "::2";
  }

  /** Answers every connection with {@code name client-address}, on both families. */
  void serve(String namespace, int port, String name) throws IOException {
    var server = NetnsSockets.listen(namespace, new InetSocketAddress("::", port));
    open.push(server);
    Thread.ofVirtual().start(() -> accept(server, name));
  }

  private static void accept(ServerSocketChannel server, String name) {
    try {
      while (true) {
        try (var connection = server.accept()) {
          var client =
              ((InetSocketAddress) connection.getRemoteAddress()).getAddress().getHostAddress();
          connection.write(StandardCharsets.UTF_8.encode(name + " " + client + "\n"));
        }
      }
    } catch (IOException _) {
      // closed: the end
    }
  }

  /** Answers every datagram the same way. */
  void serveDatagrams(String namespace, int port, String name) throws IOException {
    var channel = NetnsSockets.datagram(namespace, new InetSocketAddress("::", port));
    open.push(channel);
    Thread.ofVirtual()
        .start(() -> {
          try {
            while (true) {
              var client = (InetSocketAddress) channel.receive(ByteBuffer.allocate(100));
              channel.send(
                  StandardCharsets.UTF_8.encode(
                      name + " " + client.getAddress().getHostAddress() + "\n"),
                  client);
            }
          } catch (IOException _) {
            // closed: the end
          }
        });
  }

  /** Connects and reads who answered, and whom it saw. */
  static Answer ask(String namespace, String address, int port, Duration limit) throws IOException {
    try (var socket =
        NetnsSockets.connect(namespace, new InetSocketAddress(address, port), limit)) {
      socket.socket().setSoTimeout((int) limit.toMillis());
      var line =
          new String(socket.socket().getInputStream().readAllBytes(), StandardCharsets.UTF_8)
              .strip();
      return answer(line);
    }
  }

  /** As {@link #ask} of several VIPs at once, all from the same port of the client: the servers. */
  static List<String> askFromPort(
      String namespace, int local, List<String> addresses, int port, Duration limit)
      throws IOException {
    var sockets = new ArrayList<java.nio.channels.SocketChannel>();
    var servers = new ArrayList<String>();
    try {
      for (var address : addresses) {
        var socket = NetnsSockets.socket(namespace);
        sockets.add(socket);
        socket.setOption(java.net.StandardSocketOptions.SO_REUSEADDR, true);
        socket.bind(new InetSocketAddress(local));
        socket.socket().connect(new InetSocketAddress(address, port), (int) limit.toMillis());
      }
      for (var socket : sockets) {
        socket.socket().setSoTimeout((int) limit.toMillis());
        var line =
            new String(socket.socket().getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        servers.add(answer(line.strip()).server());
      }
    } finally {
      for (var socket : sockets) {
        socket.close();
      }
    }
    return servers;
  }

  /** Sends a datagram and reads who answered. */
  static Answer askDatagram(String namespace, String address, int port, Duration limit)
      throws IOException {
    return exchange(namespace, 0, address, port, limit);
  }

  /** The same from that port of the client; who answered. */
  static String askFrom(String namespace, int local, String address, int port, Duration limit)
      throws IOException {
    return exchange(namespace, local, address, port, limit).server();
  }

  private static Answer exchange(
      String namespace, int local, String address, int port, Duration limit) throws IOException {
    var any = address.indexOf(':') < 0 ? "0.0.0.0" : "::";
    try (var channel = NetnsSockets.datagram(namespace, new InetSocketAddress(any, local))) {
      channel.connect(new InetSocketAddress(address, port));
      channel.write(ByteBuffer.wrap(new byte[] {'?'}));
      channel.socket().setSoTimeout((int) limit.toMillis());
      var packet = new java.net.DatagramPacket(new byte[100], 100);
      channel.socket().receive(packet);
      return answer(
          new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8).strip());
    }
  }

  private static Answer answer(String line) throws IOException {
    var parts = line.split(" ", 2);
    if (parts.length != 2) {
      throw new IOException("answered " + line);
    }
    return new Answer(parts[0], parts[1]);
  }

  /** Who answered, and the client's address as it saw it. */
  record Answer(String server, String client) {}

  /** Runs a program; what it printed. Its failure is one of the test. */
  static String run(String... command) throws IOException, InterruptedException {
    var process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException(String.join(" ", command) + ": " + output);
    }
    return output;
  }

  /** nft in the node's namespace. */
  String nft(String... words) throws IOException, InterruptedException {
    var command = new ArrayList<>(List.of("ip", "netns", "exec", node(), "nft"));
    command.addAll(List.of(words));
    return run(command.toArray(String[]::new));
  }

  @Override
  public void close() {
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
