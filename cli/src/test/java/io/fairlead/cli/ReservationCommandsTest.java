package io.fairlead.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fairlead.api.Errors;
import io.fairlead.cli.CliFixture.Ran;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ReservationCommandsTest {
  @TempDir Path state;
  private LocalControlPlane plane;
  private CliFixture cli;

  @BeforeEach
  void begin() {
    plane = new LocalControlPlane("a");
    cli = new CliFixture(plane.address());
  }

  @AfterEach
  void end() {
    plane.close();
  }

  private Map<String, String> environment() {
    return Map.of("XDG_STATE_HOME", state.toString());
  }

  private Ran run(String... args) {
    return cli.runWith("", environment(), args);
  }

  private String reserved(String... more) {
    var ran = run(args(more));
    assertThat(ran.err()).isEmpty();
    assertThat(ran.out()).startsWith("reservation/");
    return ran.out().strip().substring("reservation/".length());
  }

  private static String[] args(String... more) {
    var args = new String[more.length + 5];
    args[0] = "reserve";
    System.arraycopy(more, 0, args, 1, more.length);
    args[more.length + 1] = "--for";
    args[more.length + 2] = "kube-system/kube-dns";
    args[more.length + 3] = "-o";
    args[more.length + 4] = "name";
    return args;
  }

  private Path tokenOf(String id) {
    return state.resolve("fairlead-reservations").resolve(id);
  }

  @Test
  void saysWhatItHoldsForWhomAndUntilWhen() {
    var ran =
        run("reserve", "10.96.0.10", "10.96.0.11", "--for", "kube-system/kube-dns", "--ttl", "2m");
    assertThat(ran.out())
        .matches(
            "reservation/[0-9a-f-]{36} made: 10.96.0.10, 10.96.0.11 for kube-system/kube-dns until 2026-11-01T12:02:00Z\n");
    assertThat(ran.code()).isZero();
    var table = run("get", "reservations").out();
    assertThat(table.lines().toList()).hasSize(2);
    assertThat(table)
        .startsWith("NAME ")
        .containsPattern("kube-system/kube-dns +10.96.0.10,10.96.0.11 +0 +in 75s +45s\n");
    assertThat(run("get", "rsv", "-o", "wide").out()).contains("TTL").contains("2m");
    assertThat(run("get", "reservations", "-o", "yaml").out())
        .contains("kind: Reservation", "ttl: PT2M", "- 10.96.0.11");
    assertThat(run("describe", "allocation", "10.96.0.10").out())
        .contains("reserved for service kube-system/kube-dns")
        .contains("until 2026-11-01T12:02:00Z (in 75s)");
    var id = ran.out().substring("reservation/".length()).split(" ", -1)[0];
    assertThat(run("describe", "reservation", id).out())
        .contains("service kube-system/kube-dns")
        .contains("2026-11-01T12:02:00Z (in 75s)");
  }

  @Test
  void keepsTheTokenForItsUserAndForgetsItAtTheEnd() throws IOException {
    var id = reserved("10.96.0.10");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(tokenOf(id))))
        .isEqualTo("rw-------");
    assertThat(
            PosixFilePermissions.toString(Files.getPosixFilePermissions(tokenOf(id).getParent())))
        .isEqualTo("rwx------");
    assertThat(Files.readString(tokenOf(id))).matches("[0-9a-f]{64}\n");
    assertThat(run("renew", id).out()).startsWith("reservation/" + id + " renewed until 2026-");
    assertThat(run("release", "reservation/" + id).out())
        .isEqualTo("reservation/" + id + " released\n");
    assertThat(tokenOf(id)).doesNotExist();
    assertThat(run("get", "reservations").err()).isEqualTo("No resources found\n");
  }

  @Test
  void anotherUserNeedsTheTokenOrForce() {
    var id = reserved("10.96.0.10");
    var stranger = Map.of("XDG_STATE_HOME", state.resolve("other").toString());
    var without = cli.runWith("", stranger, "release", id);
    assertThat(without.code()).isEqualTo(1);
    assertThat(without.err()).contains("--token-file").contains("FAIRLEAD_RESERVATION_TOKEN");
    var wrong = cli.runWith("", Map.of("FAIRLEAD_RESERVATION_TOKEN", "guess"), "renew", id);
    assertThat(wrong.code()).isEqualTo(1);
    assertThat(wrong.err()).contains("not the token that it was made with");
    assertThat(cli.runWith("", stranger, "release", "--force", id).code()).isZero();
    assertThat(run("release", id, "no-such").err())
        .contains("not found: it ran out, was released, or etcd lost it")
        .contains("no-such");
  }

  @Test
  void theTokenMayBeInAFileOfOnesChoice() throws IOException {
    var file = state.resolve("token");
    var id = reserved("10.96.0.10", "--token-file", file.toString());
    assertThat(Files.exists(tokenOf(id))).isFalse();
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    var more = reserved("10.96.0.11", "--token-file", file.toString()); // the same for both
    assertThat(run("renew", id, more, "--token-file", file.toString()).code()).isZero();
    assertThat(run("release", id, "--token-file", state.resolve("none").toString()).err())
        .contains("there is no file");
  }

  /** As ssh does with keys: a token that others know lets them renew and release. */
  @ParameterizedTest
  @ValueSource(strings = {"rw-r-----", "rw----r--", "rw--w----"})
  void aTokenFileThatIsNotOnesOwnIsRefused(String permissions) throws IOException {
    var file = state.resolve("token");
    var id = reserved("10.96.0.10", "--token-file", file.toString());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
    for (var words :
        List.of(
            List.of("reserve", "10.96.0.11", "--for", "web"),
            List.of("renew", id),
            List.of("release", id))) {
      var line = new ArrayList<>(words);
      line.addAll(List.of("--token-file", file.toString()));
      var ran = run(line.toArray(String[]::new));
      assertThat(ran.code()).isEqualTo(1);
      assertThat(ran.err()).contains(file.toString(), permissions, "chmod 600");
    }
    assertThat(run("get", "reservations").out())
        .contains("10.96.0.10")
        .doesNotContain("10.96.0.11");
  }

  @Test
  void asksForAnyStaticAddresses() {
    var ran = run("reserve", "--any-static=2", "--for", "web", "--family", "ipv4", "-o", "json");
    assertThat(ran.out()).contains("\"10.96.0.2\"", "\"10.96.0.3\"", "\"namespace\": \"default\"");
    assertThat(run("reserve", "--any-static", "--for", "web").out()).contains("made: 10.96.0.4 ");
  }

  @Test
  void saysWhatIsWrong() {
    for (var wrong :
        List.of(
            Map.entry("reserve --for web", "--any-static"),
            Map.entry("reserve 10.96.0.10 --any-static --for web", "--any-static"),
            Map.entry("reserve 10.96.0.10 --for web --family IPv4", "--family"),
            Map.entry("reserve 10.96.0.10 --for a/b/c", "--for"),
            Map.entry("reserve --any-static --for web --family IPv5", "--family"),
            Map.entry("reserve 10.96.0.10 --for web --ttl 4s", "--ttl"),
            Map.entry("reserve 10.96.0.10", "--for"),
            Map.entry("reserve 10.97.0.10 --for web", "10.97.0.10"),
            Map.entry("release ..x", "is not the id of a reservation"),
            Map.entry("release ../x", "is no reservation"),
            Map.entry("delete reservation x", "fairlead release"))) {
      var ran = run(wrong.getKey().split(" ", -1));
      assertThat(ran.code()).as(wrong.getKey()).isNotZero();
      assertThat(ran.err()).as(wrong.getKey()).contains(wrong.getValue());
    }
    assertThat(plane.image().reservations().size()).isZero();
  }

  @Test
  void keepsRenewingThroughFailuresAndReleasesWhenInterrupted() {
    var running =
        cli.startWith(
            environment(), "reserve", "10.96.0.10", "--for", "web", "--ttl", "5s", "--keep");
    await("renewed").until(() -> plane.reservations.renewals.get() >= 1);
    plane.failNext(2, () -> Errors.dependencyUnavailable("etcd is away"));
    await("renewed again").until(() -> plane.reservations.renewals.get() >= 2);
    var ran = running.interrupt();
    assertThat(ran.out()).contains("made: 10.96.0.10").endsWith(" released\n");
    assertThat(ran.code()).isZero();
    assertThat(plane.image().reservations().size()).isZero();
  }

  @Test
  void saysThatWhatItKeptIsLost() {
    var running =
        cli.startWith(
            environment(), "reserve", "10.96.0.10", "--for", "web", "--ttl", "5s", "--keep");
    await("reserved").until(() -> plane.image().reservations().size() == 1);
    plane.reservations.expire(
        plane.image().reservations().all().iterator().next().object().uid() + "");
    var ran = running.join();
    assertThat(ran.code()).isEqualTo(1);
    assertThat(ran.err()).contains("not found: it ran out");
  }
}
