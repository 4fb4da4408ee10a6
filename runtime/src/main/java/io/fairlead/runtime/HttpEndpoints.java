package io.fairlead.runtime;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP side of a process, for operators: {@code /livez}, {@code /readyz} and its other name
 * {@code /healthz} (200 or 503; {@code ?verbose} lists the checks as Kubernetes does), {@code
 * /metrics}. One virtual thread for each request.
 */
public final class HttpEndpoints implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HttpEndpoints.class);
  private static final String TEXT = "text/plain; charset=utf-8";

  private record Answer(int code, String contentType, String body) {}

  private interface Page {
    Answer get(HttpExchange exchange);
  }

  private final HttpServer server;
  private final ExecutorService threads;

  private HttpEndpoints(HttpServer server, ExecutorService threads) {
    this.server = server;
    this.threads = threads;
  }

  /**
   * Listens and serves.
   *
   * @throws ListenException the address cannot be listened on
   */
  public static HttpEndpoints start(HostPort listen, Health health, Metrics metrics) {
    HttpServer server;
    try {
      server = HttpServer.create(listen.bindAddress(), 64);
    } catch (IOException | RuntimeException e) {
      throw new ListenException("--http-listen", listen, e);
    }
    var threads = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("http-", 0).factory());
    server.setExecutor(threads);
    page(server, "/livez", exchange -> checks("livez", health.liveness(), exchange));
    page(server, "/readyz", exchange -> checks("readyz", health.readiness(), exchange));
    page(server, "/healthz", exchange -> checks("healthz", health.readiness(), exchange));
    page(
        server,
        "/metrics",
        exchange -> {
          var accept = exchange.getRequestHeaders().getFirst("Accept");
          var page = metrics.page(Objects.requireNonNullElse(accept, ""));
          return new Answer(200, page.contentType(), page.text());
        });
    server.createContext("/", exchange -> send(exchange, text(404, "not found\n")));
    server.start();
    return new HttpEndpoints(server, threads);
  }

  private static void page(HttpServer server, String path, Page page) {
    server.createContext(
        path,
        exchange -> {
          Answer answer;
          if (!exchange.getRequestURI().getPath().equals(path)) { // contexts are prefixes
            answer = text(404, "not found\n");
          } else {
            answer =
                switch (exchange.getRequestMethod()) {
                  case "GET", "HEAD" -> guarded(page, exchange);
                  default -> {
                    exchange.getResponseHeaders().set("Allow", "GET, HEAD");
                    yield text(405, "only GET and HEAD\n");
                  }
                };
          }
          send(exchange, answer);
        });
  }

  private static Answer guarded(Page page, HttpExchange exchange) {
    try {
      return page.get(exchange);
    } catch (RuntimeException e) {
      LOG.atWarn()
          .setCause(e)
          .addKeyValue("path", exchange.getRequestURI().getPath())
          .log("HTTP request failed");
      return text(500, "failed: " + e + "\n");
    }
  }

  private static Answer checks(String name, List<Health.Result> results, HttpExchange exchange) {
    var lines = new ArrayList<String>();
    boolean good = true;
    for (var result : results) {
      if (result.trouble().isEmpty()) {
        lines.add("[+]" + result.name() + " ok");
      } else {
        good = false;
        lines.add("[-]" + result.name() + " failed: " + result.trouble().get());
      }
    }
    var query = exchange.getRequestURI().getQuery();
    boolean verbose =
        query != null && List.of(query.split("&")).stream().anyMatch(HttpEndpoints::isVerbose);
    if (good && !verbose) {
      return text(200, "ok");
    }
    lines.add(name + " check " + (good ? "passed" : "failed"));
    return text(good ? 200 : 503, String.join("\n", lines) + "\n");
  }

  private static boolean isVerbose(String parameter) {
    return parameter.equals("verbose") || parameter.startsWith("verbose=");
  }

  private static Answer text(int code, String text) {
    return new Answer(code, TEXT, text);
  }

  private static void send(HttpExchange exchange, Answer answer) throws IOException {
    try (exchange) {
      exchange.getResponseHeaders().set("Content-Type", answer.contentType());
      var body = answer.body().getBytes(StandardCharsets.UTF_8);
      boolean head = exchange.getRequestMethod().equals("HEAD");
      exchange.sendResponseHeaders(answer.code(), head ? -1 : body.length);
      if (!head) {
        exchange.getResponseBody().write(body);
      }
    }
  }

  /** The port it listens on, also where 0 was asked for. */
  public int port() {
    InetSocketAddress address = server.getAddress();
    return address.getPort();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
