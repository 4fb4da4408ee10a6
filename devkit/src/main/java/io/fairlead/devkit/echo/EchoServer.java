package io.fairlead.devkit.echo;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.fairlead.devkit.process.LaunchException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A backend to look at: answers every HTTP/1.1 request with one line that names its Pod, its node
 * and whom it sees as client, such as {@code pod=backend-0 node=node-a client=10.244.1.3:40312},
 * and closes the connection when the client asks for it. {@code GET /healthz} answers 200 until
 * {@code PUT /healthz} with a status code in the body says otherwise. Soft. Listens in the network
 * namespace of the thread that starts it; serves on virtual threads.
 */
public final class EchoServer implements AutoCloseable {
  private static final int BACKLOG = 1024;

  private final Identity identity;
  private final List<HttpServer> servers = new ArrayList<>();
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicInteger probeStatus = new AtomicInteger(200);

  private EchoServer(Identity identity) {
    this.identity = identity;
  }

  /** What the answers say of the server. */
  public record Identity(String pod, String node) {}

  /**
   * Listens on all the ports, which answer alike; 0 stands for one that is free.
   *
   * @param host an address of the namespace, or 0.0.0.0
   * @throws LaunchException when one cannot be listened on (which); none is then
   */
  public static EchoServer start(Identity identity, String host, List<Integer> ports) {
    var server = new EchoServer(identity);
    try {
      for (var port : ports) {
        server.listen(new InetSocketAddress(InetAddress.ofLiteral(host), port));
      }
    } catch (RuntimeException e) {
      server.close();
      throw e;
    }
    return server;
  }

  private void listen(InetSocketAddress address) {
    try {
      var server = HttpServer.create(address, BACKLOG);
      server.setExecutor(executor);
      server.createContext("/", this::echo);
      server.createContext("/healthz", this::health);
      server.start();
      servers.add(server);
    } catch (IOException e) {
      throw new LaunchException(
          "%s cannot listen on %s:%d: %s"
              .formatted(
                  identity.pod(), address.getHostString(), address.getPort(), e.getMessage()),
          e);
    }
  }

  private void echo(HttpExchange exchange) throws IOException {
    var client = exchange.getRemoteAddress();
    answer(
        exchange,
        200,
        "pod=%s node=%s client=%s:%d\n"
            .formatted(
                identity.pod(),
                identity.node(),
                client.getAddress().getHostAddress(),
                client.getPort()));
  }

  private void health(HttpExchange exchange) throws IOException {
    switch (exchange.getRequestMethod()) {
      case "GET", "HEAD" -> {
        var status = probeStatus.get();
        answer(exchange, status, status < 400 ? "ok\n" : "failing\n");
      }
      case "PUT" -> {
        var text =
            new String(exchange.getRequestBody().readNBytes(16), StandardCharsets.US_ASCII).strip();
        if (text.matches("[2-5][0-9][0-9]")) {
          answerProbesWith(Integer.parseInt(text));
          answer(exchange, 200, "healthz answers " + text + "\n");
        } else {
          answer(exchange, 400, "'" + text + "' is no status code from 200 to 599\n");
        }
      }
      default -> answer(exchange, 405, "allowed are GET, HEAD and PUT\n");
    }
  }

  private static void answer(HttpExchange exchange, int status, String text) throws IOException {
    try (exchange) {
      exchange.getRequestBody().transferTo(java.io.OutputStream.nullOutputStream());
      exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
      if ("close".equalsIgnoreCase(exchange.getRequestHeaders().getFirst("Connection"))) {
        exchange.getResponseHeaders().set("Connection", "close");
      }
      var body = text.getBytes(StandardCharsets.UTF_8);
      var withoutBody =
          exchange.getRequestMethod().equals("HEAD") || status == 204 || status == 304;
      exchange.sendResponseHeaders(status, withoutBody ? -1 : body.length);
      if (!withoutBody) {
        exchange.getResponseBody().write(body);
      }
    }
  }

  /**
   * What {@code GET /healthz} answers from now on.
   *
   * @param status 200 to 599
   */
  public void answerProbesWith(int status) {
    if (status < 200 || status > 599) {
      throw new IllegalArgumentException("status " + status + ": allowed are 200 to 599");
    }
    probeStatus.set(status);
  }

  /** What it listens on, in the order of the ports given. */
  public List<InetSocketAddress> addresses() {
    return servers.stream().map(HttpServer::getAddress).toList();
  }

  /** Closes the ports and every connection at once. */
  @Override
  public void close() {
    servers.forEach(server -> server.stop(0));
    executor.shutdownNow();
  }
}
