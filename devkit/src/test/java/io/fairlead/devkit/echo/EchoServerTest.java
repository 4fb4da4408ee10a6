package io.fairlead.devkit.echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.devkit.process.ChildProcess;
import io.fairlead.devkit.process.Command;
import io.fairlead.devkit.process.LaunchException;
import io.fairlead.devkit.process.Ports;
import io.fairlead.devkit.process.Stdout;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class EchoServerTest {
  private static final EchoServer.Identity IDENTITY =
      new EchoServer.Identity("backend-0", "node-a");

  @TempDir Path directory;

  /**
   * One request on a connection of its own; read to the end, which comes only when the server
   * closes it.
   */
  private static String ask(InetSocketAddress server, String method, String path, String body)
      throws IOException {
    try (var socket = new Socket(server.getAddress(), server.getPort())) {
      var request =
          "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
              .formatted(method, path, body.length(), body);
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      var answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      assertThat(answer).containsIgnoringCase("connection: close");
      return answer.substring("HTTP/1.1 ".length(), "HTTP/1.1 200".length())
          + " "
          + answer
              .substring(answer.indexOf("\r\n\r\n") + 4)
              .replace(":" + socket.getLocalPort(), ":PORT")
              .strip();
    }
  }

  @Test
  void saysWhoAnsweredOnEveryPort() throws IOException {
    try (var server = EchoServer.start(IDENTITY, "127.0.0.1", List.of(0, 0))) {
      assertThat(server.addresses()).hasSize(2).doesNotHaveDuplicates();
      for (var address : server.addresses()) {
        assertThat(ask(address, "GET", "/any/path", ""))
            .isEqualTo("200 pod=backend-0 node=node-a client=127.0.0.1:PORT");
      }
    }
  }

  @Test
  void switchesItsHealth() throws IOException {
    try (var server = EchoServer.start(IDENTITY, "127.0.0.1", List.of(0))) {
      var address = server.addresses().getFirst();
      assertThat(ask(address, "GET", "/healthz", "")).isEqualTo("200 ok");
      server.answerProbesWith(503);
      assertThat(ask(address, "GET", "/healthz", "")).isEqualTo("503 failing");
      assertThat(ask(address, "PUT", "/healthz", "200")).startsWith("200");
      assertThat(ask(address, "GET", "/healthz", "")).isEqualTo("200 ok");
      assertThat(ask(address, "PUT", "/healthz", "ill")).startsWith("400").contains("'ill'");
      assertThat(ask(address, "DELETE", "/healthz", "")).startsWith("405");
      assertThatThrownBy(() -> server.answerProbesWith(42)).hasMessageContaining("42");
    }
  }

  @Test
  void namesThePortThatIsTaken() throws IOException {
    try (var first = EchoServer.start(IDENTITY, "127.0.0.1", List.of(0))) {
      var port = first.addresses().getFirst().getPort();
      var free = Ports.free("127.0.0.1");
      assertThatThrownBy(() -> EchoServer.start(IDENTITY, "127.0.0.1", List.of(free, port)))
          .isInstanceOf(LaunchException.class)
          .hasMessageContaining("127.0.0.1:" + port);
      Ports.requireFree("the port before it", "127.0.0.1", free);
    }
  }

  @Test
  void runsAsAProgram() throws IOException {
    var port = Ports.free("127.0.0.1");
    var arguments =
        List.of(
            "--pod", "p", "--node", "n", "--host", "127.0.0.1", "--port", Integer.toString(port));
    var command =
        Command.java("echo", EchoServerMain.class, List.of(), arguments, directory.resolve("log"));
    try (var child = ChildProcess.start(command.withStdout(Stdout.PIPE));
        var output = child.process().inputReader()) {
      assertThat(output.readLine()).isEqualTo("ready 127.0.0.1:" + port);
      assertThat(
              ask(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port), "GET", "/", ""))
          .startsWith("200 pod=p node=n");
    }
  }

  @Test
  void refusesWrongOptions() {
    assertThatThrownBy(() -> EchoServerMain.start(List.of("--pod", "p", "--node", "n")))
        .hasMessageContaining("--port");
    assertThatThrownBy(() -> EchoServerMain.start(List.of("--port", "80", "--node", "n")))
        .hasMessageContaining("--pod");
  }
}
