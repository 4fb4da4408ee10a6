package io.fairlead.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.runtime.ConfigSchema.Complete;
import io.fairlead.runtime.ConfigSchema.Faulty;
import io.fairlead.runtime.ConfigSchema.Informative;
import io.fairlead.runtime.ConfigValues.Source;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class ConfigSchemaTest {
  private static final Option<Duration> TTL =
      Option.of(
              "lease-ttl",
              OptionType.duration(Duration.ofSeconds(1), Duration.ofMinutes(1)),
              "Lease of this replica.")
          .withDefault("5s");
  private static final Option<String> PASSWORD =
      Option.of("kafka-password", OptionType.text(), "Password for Kafka.").optional().secret();
  private static final Option<Integer> LIMIT =
      Option.of("round-robin-limit", OptionType.integer(0, 4096), "Limit.").withDefault("256");
  private static final Option<String> NODE = Option.of("node", OptionType.name(), "This node.");

  private static final ConfigSchema SCHEMA =
      new ConfigSchema(
          "allocator-service",
          "Decides Services.",
          List.of(
              CommonOptions.ETCD_ENDPOINTS,
              CommonOptions.listen(7401),
              CommonOptions.DEVELOPMENT,
              CommonOptions.ADVERTISE,
              TTL,
              PASSWORD,
              LIMIT));

  private static ConfigValues complete(List<String> args, Map<String, String> environment) {
    var parsed = SCHEMA.parse(args.toArray(String[]::new), environment);
    assertThat(parsed).isInstanceOf(Complete.class);
    return ((Complete) parsed).values();
  }

  private static List<String> faults(List<String> args, Map<String, String> environment) {
    var parsed = SCHEMA.parse(args.toArray(String[]::new), environment);
    assertThat(parsed).isInstanceOf(Faulty.class);
    return ((Faulty) parsed).faults();
  }

  @Test
  void commandLineBeatsEnvironmentBeatsDefault() {
    var values =
        complete(
            List.of("--lease-ttl=7s", "--listen", "[::1]:7500"),
            Map.of(
                "FAIRLEAD_LEASE_TTL", "9s",
                "FAIRLEAD_ETCD_ENDPOINTS", "http://etcd-1:2379,https://etcd-2:2379",
                "PATH", "/bin"));
    assertThat(values.get(TTL)).isEqualTo(Duration.ofSeconds(7));
    assertThat(values.source(TTL)).isEqualTo(Source.COMMAND_LINE);
    assertThat(values.get(CommonOptions.ETCD_ENDPOINTS))
        .containsExactly(URI.create("http://etcd-1:2379"), URI.create("https://etcd-2:2379"));
    assertThat(values.source(CommonOptions.ETCD_ENDPOINTS)).isEqualTo(Source.ENVIRONMENT);
    assertThat(values.get(LIMIT)).isEqualTo(256);
    assertThat(values.source(LIMIT)).isEqualTo(Source.DEFAULT);
    assertThat(values.find(CommonOptions.ADVERTISE)).isEmpty();
    assertThat(values.source(CommonOptions.ADVERTISE)).isEqualTo(Source.NOWHERE);
    assertThat(values.get(CommonOptions.DEVELOPMENT)).isFalse();
  }

  @Test
  void flagsNeedNoValue() {
    assertThat(complete(List.of("--development"), Map.of()).get(CommonOptions.DEVELOPMENT))
        .isTrue();
    assertThat(
            complete(List.of(), Map.of("FAIRLEAD_DEVELOPMENT", "true"))
                .get(CommonOptions.DEVELOPMENT))
        .isTrue();
    assertThat(complete(List.of("--development=false"), Map.of()).get(CommonOptions.DEVELOPMENT))
        .isFalse();
  }

  record Case(String name, List<String> args, Map<String, String> environment, String fault) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Case> refused() {
    return List.of(
        new Case(
            "unknown option",
            List.of("--etcd-endpoint", "http://a:1"),
            Map.of(),
            "unknown option --etcd-endpoint; did you mean --etcd-endpoints?"),
        new Case(
            "unknown option far from all", List.of("--xyz=1"), Map.of(), "unknown option --xyz"),
        new Case(
            "unknown variable",
            List.of(),
            Map.of("FAIRLEAD_LEASETTL", "1s"),
            "unknown environment variable FAIRLEAD_LEASETTL; did you mean FAIRLEAD_LEASE_TTL?"),
        new Case(
            "no option", List.of("up"), Map.of(), "\"up\" is not an option: options begin with --"),
        new Case(
            "out of range",
            List.of("--round-robin-limit=4097"),
            Map.of(),
            "--round-robin-limit: \"4097\" is not 0..4096"),
        new Case(
            "no unit",
            List.of(),
            Map.of("FAIRLEAD_LEASE_TTL", "5"),
            "FAIRLEAD_LEASE_TTL: \"5\" is not a duration from 1s to 1m (e.g. 200ms, 5s, 10m, 1h)"),
        new Case(
            "no value",
            List.of("--listen"),
            Map.of(),
            "--listen needs a value: a comma-separated list of: host:port, e.g. 0.0.0.0:7401 or [::]:7401"),
        new Case(
            "twice",
            List.of("--lease-ttl=5s", "--lease-ttl=6s"),
            Map.of(),
            "--lease-ttl is given twice"),
        new Case(
            "flag that is neither",
            List.of("--development=yes"),
            Map.of(),
            "--development: \"yes\" is not true or false"),
        new Case(
            "one bad element of a list",
            List.of("--etcd-endpoints=http://a:2379,b:2379"),
            Map.of(),
            "--etcd-endpoints: \"b:2379\" is not a URL like http://127.0.0.1:2379"));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void refusesWithTheReason(Case row) {
    assertThat(faults(row.args(), row.environment())).containsExactly(row.fault());
  }

  @Test
  void namesAllFaultsAtOnce() {
    assertThat(
            faults(
                List.of("--lease-ttl=0s", "--lisen=:1", "--round-robin-limit=x"),
                Map.of("FAIRLEAD_WHATEVER", "1")))
        .hasSize(4);
  }

  @Test
  void refusesWhatIsRequiredAndMissing() {
    var schema = new ConfigSchema("agent", "Programs a node.", List.of(NODE));
    assertThat(schema.parse(new String[0], Map.of()))
        .isEqualTo(
            new Faulty(
                List.of("--node is required: " + NODE.type().form() + " (or FAIRLEAD_NODE)")));
  }

  @Test
  void readsSecretsFromFilesAndHidesThem(@TempDir Path dir) throws IOException {
    var file = Files.writeString(dir.resolve("password"), "hunter2\n");
    var values = complete(List.of(), Map.of("FAIRLEAD_KAFKA_PASSWORD_FILE", file.toString()));
    assertThat(values.find(PASSWORD)).contains("hunter2");
    assertThat(values.source(PASSWORD)).isEqualTo(Source.FILE);
    assertThat(values.describe())
        .contains("--kafka-password=<hidden>  (file)\n")
        .contains("--lease-ttl=5s  (default)\n")
        .doesNotContain("hunter2");
    assertThat(complete(List.of("--kafka-password-file", file.toString()), Map.of()).find(PASSWORD))
        .contains("hunter2");
  }

  @Test
  void refusesASecretGivenTwice(@TempDir Path dir) {
    assertThat(
            faults(
                List.of(),
                Map.of("FAIRLEAD_KAFKA_PASSWORD", "x", "FAIRLEAD_KAFKA_PASSWORD_FILE", dir + "/f")))
        .containsExactly("FAIRLEAD_KAFKA_PASSWORD and FAIRLEAD_KAFKA_PASSWORD_FILE are both given");
    assertThat(faults(List.of("--kafka-password-file=" + dir + "/none"), Map.of()))
        .singleElement()
        .asString()
        .startsWith("--kafka-password-file: cannot read");
  }

  @Test
  void helpNamesEveryOption() {
    var parsed = SCHEMA.parse(new String[] {"--lease-ttl=1", "--help"}, Map.of());
    assertThat(parsed).isInstanceOf(Informative.class);
    var help = ((Informative) parsed).text();
    SCHEMA.options().forEach(o -> assertThat(help).contains("--" + o.name(), o.variable()));
    assertThat(help).contains("default 5s", "0..4096", "--kafka-password-file");
  }

  @Test
  void versionIsThatOfTheBuild() {
    assertThat(SCHEMA.parse(new String[] {"--version"}, Map.of()))
        .isEqualTo(new Informative("allocator-service " + BuildInfo.version() + "\n"));
    assertThat(BuildInfo.version()).matches("[0-9]+\\.[0-9]+\\.[0-9]+.*");
  }

  @Test
  void tableHasARowForEachOption() {
    assertThat(SCHEMA.markdown().lines())
        .hasSize(2 + SCHEMA.options().size())
        .contains(
            "| `--lease-ttl` | `FAIRLEAD_LEASE_TTL` | Lease of this replica. | a duration from 1s to 1m (e.g. 200ms, 5s, 10m, 1h) | 5s |");
  }

  @Test
  void refusesToReadWhatTheSchemaLacks() {
    var values = complete(List.of(), Map.of());
    assertThatThrownBy(() -> values.get(NODE)).hasMessage("--node is not in the schema");
  }

  @Test
  void dataGoesWhereTheXdgSpecificationSays() {
    assertThat(CommonOptions.dataHome(Map.of(), "root")).isEqualTo(Path.of("/var/lib/fairlead"));
    assertThat(CommonOptions.dataHome(Map.of("HOME", "/home/u"), "u"))
        .isEqualTo(Path.of("/home/u/.local/state/fairlead"));
    assertThat(CommonOptions.dataHome(Map.of("HOME", "/h", "XDG_STATE_HOME", "/s"), "u"))
        .isEqualTo(Path.of("/s/fairlead"));
    assertThat(CommonOptions.dataHome(Map.of("HOME", "/h", "XDG_STATE_HOME", "rel"), "u"))
        .isEqualTo(Path.of("/h/.local/state/fairlead"));
  }
}
