package io.fairlead.devkit.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fairlead.devkit.etcd.EtcdProcess.Durability;
import io.fairlead.devkit.process.Executables;
import io.fairlead.devkit.process.LaunchException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
@Timeout(120)
final class EtcdProcessTest {
  @TempDir Path directory;

  @BeforeAll
  static void needsEtcd() {
    Assumptions.assumeTrue(
        Executables.find("etcd").isPresent(), "etcd is not installed (Debian: etcd-server)");
  }

  @Test
  void keepsKeysOverAKill() throws Exception {
    var config = EtcdProcess.Config.in(directory);
    var killed = EtcdProcess.start(config);
    put(killed, "/road", "one");
    killed.kill();
    assertThat(killed.isHealthy()).isFalse();

    try (var etcd = EtcdProcess.start(config)) {
      assertThat(get(etcd, "/road")).contains(base64("one"));
    }
  }

  @Test
  void isAwayWhilePausedAndBackAfterwards() {
    try (var etcd = EtcdProcess.start(EtcdProcess.Config.in(directory).with(Durability.NO_FSYNC))) {
      etcd.pause();
      assertThat(etcd.isHealthy()).isFalse();
      assertThat(etcd.isAlive()).isTrue();
      etcd.resume();
      await("healthy again").atMost(Duration.ofSeconds(20)).until(etcd::isHealthy);
    }
  }

  @Test
  void namesThePortThatIsTaken() throws IOException {
    var config = EtcdProcess.Config.in(directory);
    try (var _ = new ServerSocket(config.peerPort(), 1, InetAddress.ofLiteral("127.0.0.1"))) {
      assertThatThrownBy(() -> EtcdProcess.start(config))
          .isInstanceOf(LaunchException.class)
          .hasMessageContaining("peer port")
          .hasMessageContaining(Integer.toString(config.peerPort()));
    }
  }

  @Test
  void showsItsLogWhenItEnds() {
    var config = EtcdProcess.Config.in(directory);
    var broken = config.asMember("etcd", "other=http://127.0.0.1:1");
    assertThatThrownBy(() -> EtcdProcess.start(broken))
        .isInstanceOf(LaunchException.class)
        .hasMessageContaining("etcd ended")
        .hasMessageContaining("initial cluster");
  }

  @Test
  void threeMembersGoOnWithoutOne() throws Exception {
    var members = new ArrayList<EtcdProcess>();
    try {
      for (var config : EtcdProcess.Config.loopback(directory, 3)) {
        members.add(EtcdProcess.launch(config.with(Durability.NO_FSYNC)));
      }
      for (var member : members) {
        member.awaitHealthy(Duration.ofSeconds(30));
      }
      put(members.get(0), "/road", "one");
      members.get(0).kill();
      await("two of three agree")
          .atMost(Duration.ofSeconds(30))
          .ignoreExceptions()
          .until(() -> get(members.get(1), "/road").contains(base64("one")));
    } finally {
      members.forEach(EtcdProcess::kill);
    }
  }

  private static void put(EtcdProcess etcd, String key, String value)
      throws IOException, InterruptedException {
    call(
        etcd,
        "/v3/kv/put",
        "{\"key\":\"%s\",\"value\":\"%s\"}".formatted(base64(key), base64(value)));
  }

  private static String get(EtcdProcess etcd, String key) throws IOException, InterruptedException {
    return call(etcd, "/v3/kv/range", "{\"key\":\"%s\"}".formatted(base64(key)));
  }

  private static String call(EtcdProcess etcd, String path, String json)
      throws IOException, InterruptedException {
    try (var client = HttpClient.newHttpClient()) {
      var request =
          HttpRequest.newBuilder(URI.create(etcd.clientUrl() + path))
              .timeout(Duration.ofSeconds(10))
              .POST(HttpRequest.BodyPublishers.ofString(json))
              .build();
      var answer = client.send(request, BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
      return answer.body();
    }
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }
}
