package io.fairlead.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class HttpEndpointsTest {
  private static final HostPort ANY = HostPort.of("127.0.0.1:0");

  private final Health health = new Health();
  private final Metrics metrics = Metrics.ofProcess("test");
  private final HttpEndpoints http = HttpEndpoints.start(ANY, health, metrics);
  private final HttpClient client = HttpClient.newHttpClient();

  @AfterEach
  void close() {
    client.close();
    http.close();
  }

  private HttpResponse<String> get(String path, String... headers)
      throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(uri(path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), BodyHandlers.ofString());
  }

  private URI uri(String path) {
    return URI.create("http://127.0.0.1:" + http.port() + path);
  }

  @Test
  void isLiveAndReadyWhereNothingIsWrong() throws Exception {
    assertThat(get("/livez").body()).isEqualTo("ok");
    assertThat(get("/readyz").statusCode()).isEqualTo(200);
    assertThat(get("/healthz").body()).isEqualTo("ok");
  }

  @Test
  void namesEachCheckThatFails() throws Exception {
    health.ready("kafka", Optional::empty);
    health.ready("etcd", () -> Optional.of("no answer for 3 s"));
    var answer = get("/readyz");
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.body())
        .isEqualTo(
            """
            [+]serving ok
            [+]kafka ok
            [-]etcd failed: no answer for 3 s
            readyz check failed
            """);
    assertThat(get("/livez").statusCode()).isEqualTo(200);
  }

  @Test
  void listsTheChecksOnRequest() throws Exception {
    assertThat(get("/readyz?verbose").body()).isEqualTo("[+]serving ok\nreadyz check passed\n");
  }

  @Test
  void isNotReadyBeforeEverythingIsThereWhateverTheFirstChecksSay() throws Exception {
    var starting = health.starting("the log");
    health.ready("etcd", Optional::empty);
    assertThat(get("/readyz").statusCode()).isEqualTo(503);
    assertThat(get("/readyz").body()).contains("[-]started failed: waiting for the log");
    assertThat(get("/livez").statusCode()).isEqualTo(200);
    starting.done();
    assertThat(get("/readyz").statusCode()).isEqualTo(200);
  }

  @Test
  void isNotReadyWhileItDrains() throws Exception {
    health.drain();
    assertThat(get("/readyz").statusCode()).isEqualTo(503);
    assertThat(get("/readyz").body()).contains("[-]serving failed: shutting down");
  }

  @Test
  void countsACheckThatThrowsAsFailed() throws Exception {
    health.live(
        "loop",
        () -> {
          throw new IllegalStateException("boom");
        });
    assertThat(get("/livez").statusCode()).isEqualTo(503);
    assertThat(get("/livez").body()).contains("boom");
  }

  @Test
  void speaksTheFormatThatIsAskedFor() throws Exception {
    metrics.counter("test", "things", "Things.").inc();
    metrics.seconds("test", "thing_duration", "How long.").observe(0.003);
    var text = get("/metrics");
    assertThat(text.headers().firstValue("Content-Type")).get().asString().startsWith("text/plain");
    assertThat(text.body())
        .contains("fairlead_test_things_total 1.0", "fairlead_test_thing_duration_seconds_bucket")
        .contains("fairlead_build_info{", "process=\"test\"", "jvm_memory_used_bytes")
        .doesNotContain("# EOF");
    var open =
        get("/metrics", "Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    assertThat(open.headers().firstValue("Content-Type"))
        .get()
        .asString()
        .startsWith("application/openmetrics-text");
    assertThat(open.body()).endsWith("# EOF\n");
  }

  @Test
  void answersOtherPathsAndMethodsAsHttpSays() throws Exception {
    assertThat(get("/").statusCode()).isEqualTo(404);
    assertThat(get("/metrics/x").statusCode()).isEqualTo(404);
    var post = HttpRequest.newBuilder(uri("/livez")).POST(BodyPublishers.ofString("x")).build();
    var answer = client.send(post, BodyHandlers.ofString());
    assertThat(answer.statusCode()).isEqualTo(405);
    assertThat(answer.headers().firstValue("Allow")).contains("GET, HEAD");
    var head = HttpRequest.newBuilder(uri("/livez")).HEAD().build();
    assertThat(client.send(head, BodyHandlers.ofString()).statusCode()).isEqualTo(200);
  }

  @Test
  void namesThePortThatIsTaken() {
    assertThatThrownBy(() -> HttpEndpoints.start(ANY.withPort(http.port()), health, metrics))
        .isInstanceOf(ListenException.class)
        .hasMessage(
            "--http-listen=127.0.0.1:%d: cannot listen on port %d: another process listens there",
            http.port(), http.port());
  }
}
