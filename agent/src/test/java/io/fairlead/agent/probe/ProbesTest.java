package io.fairlead.agent.probe;

import static io.fairlead.agent.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.fairlead.agent.probe.ProbeResult.Failed;
import io.fairlead.agent.probe.ProbeResult.Passed;
import io.fairlead.agent.probe.ProbeResult.Refused;
import io.fairlead.agent.stream.TestEntries;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class ProbesTest {
  private static final InetSocketAddress ANY =
      new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private HostLookup lookup = HostLookup.ofSystem();
  private Commands commands = Commands.none();

  @AfterEach
  void close() throws Exception {
    for (var resource : opened) {
      resource.close();
    }
  }

  private interface Page {
    void answer(HttpExchange exchange) throws IOException;
  }

  private int http(Page page) throws IOException {
    var server = HttpServer.create(ANY, 0);
    return started(server, page);
  }

  private int started(HttpServer server, Page page) {
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            page.answer(exchange);
          }
        });
    server.start();
    opened.push(() -> server.stop(0));
    return server.getAddress().getPort();
  }

  private static Pod.HttpGet get(int port, String path) {
    return new Pod.HttpGet(
        Pod.Scheme.HTTP, Optional.empty(), new PortRef.Number(port), path, List.of());
  }

  private ProbeResult make(Pod.Action action) {
    return make(action, List.of(), Duration.ofSeconds(5));
  }

  private ProbeResult make(Pod.Action action, List<Pod.ContainerPort> ports, Duration timeout) {
    var probe = new Pod.Probe(action, Duration.ZERO, Duration.ofSeconds(1), timeout, 1, 3);
    var pod = TestEntries.pod("web", "api", Optional.of(probe));
    var container =
        new Pod.Container(
            "main", "", List.of(), List.of(), new TreeMap<>(), ports, Optional.of(probe));
    try {
      return new Probes(Time.system(), lookup, commands).make(pod, container, probe);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest(name = "E7 HTTP {0}: {1}")
  @CsvSource({"200,ok", "204,ok", "302,ok", "399,ok", "400,fail", "404,fail", "503,fail"})
  void takesCodesFrom200To399ForReady(int code, String expected) throws IOException {
    int port = http(exchange -> exchange.sendResponseHeaders(code, -1));
    assertThat(make(get(port, "/")))
        .isEqualTo(expected.equals("ok") ? new Passed("http " + code) : new Failed("http " + code));
  }

  @Test
  void failsAfterItsTimeout() throws IOException {
    var never = new CountDownLatch(1);
    int port =
        http(exchange -> {
          try {
            never.await();
          } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
          }
        });
    opened.push(never::countDown);
    assertThat(make(get(port, "/"), List.of(), Duration.ofMillis(200)))
        .isEqualTo(new Failed("timeout"));
  }

  @Test
  void sendsPathHostAndHeaders() throws IOException {
    var seen = new CopyOnWriteArrayList<String>();
    int port =
        http(exchange -> {
          seen.add(exchange.getRequestURI().toString());
          seen.add(exchange.getRequestHeaders().getFirst("Host"));
          seen.add(String.valueOf(exchange.getRequestHeaders().get("X-Probe")));
          exchange.sendResponseHeaders(200, -1);
        });
    var get =
        new Pod.HttpGet(
            Pod.Scheme.HTTP,
            Optional.of("127.0.0.1"),
            new PortRef.Number(port),
            "/ready?full=1",
            List.of(
                new Pod.HttpHeader("X-Probe", "yes"),
                new Pod.HttpHeader("host", "web.example"),
                new Pod.HttpHeader("X-Probe", "again")));
    assertThat(make(get)).isEqualTo(new Passed("http 200"));
    assertThat(seen).containsExactly("/ready?full=1", "web.example", "[yes, again]");
  }

  @Test
  void followsRedirectsOnItsHostOnly() throws IOException {
    int port =
        http(exchange -> {
          switch (exchange.getRequestURI().getPath()) {
            case "/here" -> {
              exchange.getResponseHeaders().set("Location", "/bad");
              exchange.sendResponseHeaders(302, -1);
            }
            case "/away" -> {
              exchange.getResponseHeaders().set("Location", "http://192.0.2.1/bad");
              exchange.sendResponseHeaders(302, -1);
            }
            case "/round" -> {
              exchange.getResponseHeaders().set("Location", "/round");
              exchange.sendResponseHeaders(307, -1);
            }
            case "/nowhere" -> {
              exchange.getResponseHeaders().set("Location", "http://127.0.0.1:99999/");
              exchange.sendResponseHeaders(302, -1);
            }
            default -> exchange.sendResponseHeaders(500, -1);
          }
        });
    assertThat(make(get(port, "/here"))).isEqualTo(new Failed("http 500"));
    assertThat(make(get(port, "/away"))).isEqualTo(new Passed("http 302"));
    assertThat(make(get(port, "/nowhere")))
        .isEqualTo(new Failed("redirect to a malformed location"));
    assertThat(make(get(port, "/round"))).isEqualTo(new Failed("more than 10 redirects"));
  }

  @Test
  void doesNotVerifyCertificates(@TempDir Path directory) throws Exception {
    var store = directory.resolve("keys.p12");
    var keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "web",
                "-keyalg",
                "EC",
                "-dname",
                "CN=elsewhere.example",
                "-storetype",
                "PKCS12",
                "-storepass",
                "changeit",
                "-keystore",
                store.toString())
            .inheritIO()
            .start();
    assertThat(keytool.waitFor()).isZero();
    var keys = KeyStore.getInstance("PKCS12");
    try (var in = Files.newInputStream(store)) {
      keys.load(in, "changeit".toCharArray());
    }
    var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, "changeit".toCharArray());
    var context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    var server = HttpsServer.create(ANY, 0);
    server.setHttpsConfigurator(new HttpsConfigurator(context));
    int port = started(server, exchange -> exchange.sendResponseHeaders(200, -1));
    var get =
        new Pod.HttpGet(
            Pod.Scheme.HTTPS, Optional.empty(), new PortRef.Number(port), "/", List.of());
    assertThat(make(get)).isEqualTo(new Passed("http 200"));
  }

  @Test
  void failsAfterItsTimeoutHoweverSlowlyTheOtherSideSpeaksTls() throws IOException {
    var server = new ServerSocket();
    server.bind(ANY);
    opened.push(server);
    Thread.ofVirtual()
        .start(() -> {
          try (var connection = server.accept()) {
            var out = connection.getOutputStream();
            out.write(new byte[] {22, 3, 3, 0x3f, 0}); // the head of a record of 16,128 bytes
            while (true) {
              out.write(0);
              Time.system().sleep(Duration.ofMillis(50));
            }
          } catch (IOException _) {
            // the probe gave up
          } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
          }
        });
    var get =
        new Pod.HttpGet(
            Pod.Scheme.HTTPS,
            Optional.empty(),
            new PortRef.Number(server.getLocalPort()),
            "/",
            List.of());
    assertThat(make(get, List.of(), Duration.ofSeconds(1))).isEqualTo(new Failed("timeout"));
  }

  @Test
  void failsAfterItsTimeoutWhileItsHostIsLookedUp() throws IOException {
    var never = new CountDownLatch(1);
    opened.push(never::countDown);
    lookup =
        new HostLookup(host -> {
          if (host.equals("web.example")) {
            return InetAddress.getLoopbackAddress();
          }
          try {
            never.await();
          } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
          }
          throw new java.net.UnknownHostException(host);
        });
    int port = http(exchange -> exchange.sendResponseHeaders(200, -1));
    assertThat(make(byHost("web.example", port), List.of(), Duration.ofSeconds(30)))
        .isEqualTo(new Passed("connected"));
    for (int i = 0; i < 20; i++) { // more than may be under way at once
      assertThat(make(byHost("slow.example", port), List.of(), Duration.ofMillis(20)))
          .isEqualTo(new Failed("timeout"));
    }
    assertThat(make(byHost("127.0.0.1", port))).isEqualTo(new Passed("connected"));
  }

  private static Pod.TcpSocket byHost(String host, int port) {
    return new Pod.TcpSocket(Optional.of(host), new PortRef.Number(port));
  }

  @Test
  void refusesWhatIsNotHttp() throws IOException {
    var server = new ServerSocket();
    server.bind(ANY);
    opened.push(server);
    Thread.ofVirtual()
        .start(() -> {
          try (var connection = server.accept()) {
            connection
                .getOutputStream()
                .write("SSH-2.0-OpenSSH_9.6\r\n".getBytes(StandardCharsets.UTF_8));
          } catch (IOException _) {
            // the test is over
          }
        });
    assertThat(make(get(server.getLocalPort(), "/"))).isEqualTo(new Failed("not an HTTP answer"));
  }

  @Test
  void connectsToSockets() throws IOException {
    var server = new ServerSocket();
    server.bind(ANY);
    var open = new Pod.TcpSocket(Optional.empty(), new PortRef.Number(server.getLocalPort()));
    assertThat(make(open)).isEqualTo(new Passed("connected"));
    server.close();
    assertThat(make(open)).isEqualTo(new Failed("connection refused"));
  }

  @Test
  void findsPortsByName() throws IOException {
    int port = http(exchange -> exchange.sendResponseHeaders(200, -1));
    var byName = new Pod.TcpSocket(Optional.empty(), new PortRef.Name("http"));
    var declared = List.of(new Pod.ContainerPort("http", Protocol.TCP, port));
    assertThat(make(byName, declared, Duration.ofSeconds(5))).isEqualTo(new Passed("connected"));
    assertThat(make(byName))
        .isInstanceOfSatisfying(
            Failed.class,
            failed -> assertThat(failed.toString()).contains("\"http\" is no port of container"));
  }

  private static final HostPort ANY_PORT = new HostPort("127.0.0.1", 0);

  private GrpcServer health() {
    var server =
        GrpcServer.start(
            GrpcServer.Settings.listening(ANY_PORT), List.of(), List.of(), new Metrics());
    opened.push(server);
    return server;
  }

  @Test
  void asksAServerForItsHealthByGrpc() throws IOException {
    var server = health();
    var whole = new Pod.Grpc(server.port(), "");
    assertThat(make(whole)).isEqualTo(new Failed("grpc NOT_SERVING"));
    server.readiness(GrpcServer.Readiness.READY);
    assertThat(make(whole)).isEqualTo(new Passed("grpc SERVING"));
    assertThat(make(new Pod.Grpc(server.port(), "shop.Web")))
        .isEqualTo(new Failed("grpc NOT_FOUND: no such service there"));
    server.readiness(GrpcServer.Readiness.NOT_READY);
    assertThat(make(whole)).isEqualTo(new Failed("grpc NOT_SERVING"));

    var without =
        NettyServerBuilder.forAddress(ANY).build().start(); // serves nothing, health neither
    opened.push(without::shutdownNow);
    assertThat(make(new Pod.Grpc(without.getPort(), "")))
        .isEqualTo(new Failed("grpc UNIMPLEMENTED: no grpc.health.v1 there"));
    var silent = new ServerSocket();
    silent.bind(ANY);
    opened.push(silent);
    assertThat(make(new Pod.Grpc(silent.getLocalPort(), ""), List.of(), Duration.ofMillis(300)))
        .isEqualTo(new Failed("timeout"));
    silent.close();
    assertThat(make(new Pod.Grpc(silent.getLocalPort(), "")))
        .isEqualTo(new Failed("connection refused"));
  }

  private ProbeResult run(Duration timeout, String... command) {
    commands = new NodeCommands();
    return make(new Pod.Exec(List.of(command)), List.of(), timeout);
  }

  @Test
  void runsAProgramOnTheNodeWithoutAShellAndWithoutOurEnvironment() {
    var limit = Duration.ofSeconds(20);
    assertThat(run(limit, "true")).isEqualTo(new Passed("exit code 0"));
    assertThat(run(limit, "sh", "-c", "echo; echo it is broken >&2; echo more; exit 3"))
        .isEqualTo(new Failed("exit code 3: it is broken"));
    assertThat(run(limit, "test", "a", "=", "a;false")).isEqualTo(new Failed("exit code 1"));
    assertThat(run(limit, "no-such-program").words()).startsWith("cannot be run: ");
    assertThat(run(limit, "sh", "-c", "test -z \"$HOME\" && test -n \"$PATH\""))
        .isEqualTo(new Passed("exit code 0"));
  }

  @Test
  void keepsLittleOfWhatAProgramPrints() {
    var result =
        run(Duration.ofSeconds(20), "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; exit 1");
    assertThat(result).isInstanceOf(Failed.class);
    assertThat(result.words()).startsWith("exit code 1: xxx").hasSizeLessThan(200);
  }

  @Test
  void killsAProgramThatTakesTooLongWithWhatItStarted(@TempDir Path directory) throws IOException {
    var file = directory.resolve("child");
    assertThat(
            run(
                Duration.ofSeconds(4),
                "sh",
                "-c",
                "sleep 600 & echo $! > " + file + "; wait; echo never"))
        .isEqualTo(new Failed("timeout"));
    long child = Long.parseLong(Files.readString(file).strip());
    await("its child has gone")
        .until(() -> ProcessHandle.of(child).filter(ProcessHandle::isAlive).isEmpty());
  }

  @Test
  void programsThatLeaveSomethingBehindKeepNobodyFromBeingProbed() {
    var node = new NodeCommands();
    var limit = Duration.ofSeconds(20);
    var left = new ArrayList<Long>();
    try {
      for (int i = 0; i < 20; i++) { // more than run at a time; each holds the output open
        commands = node;
        var result =
            make(
                new Pod.Exec(List.of("sh", "-c", "sleep 600 & echo $!; exit 1")), List.of(), limit);
        left.add(Long.parseLong(result.words().replace("exit code 1: ", "")));
      }
      assertThat(make(new Pod.Exec(List.of("true")), List.of(), limit))
          .isEqualTo(new Passed("exit code 0"));
    } finally {
      left.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
    }
  }

  @Test
  void runsNothingOnANodeThatDoesNotAllowIt(@TempDir Path directory) {
    commands = Commands.split(Commands.noRuntime(), Commands.notOnNode());
    var file = directory.resolve("written");
    assertThat(make(new Pod.Exec(List.of("touch", file.toString()))))
        .isInstanceOf(Refused.class)
        .extracting(ProbeResult::words)
        .asString()
        .contains("--allow-exec-probes");
    assertThat(file).doesNotExist();
  }
}
