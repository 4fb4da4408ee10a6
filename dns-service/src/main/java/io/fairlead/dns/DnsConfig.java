package io.fairlead.dns;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.eventlog.snapshot.Snapshots;
import io.fairlead.runtime.CommonOptions;
import io.fairlead.runtime.ConfigSchema;
import io.fairlead.runtime.ConfigValues;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Option;
import io.fairlead.runtime.OptionType;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/**
 * What dns-service is configured with.
 *
 * @param listen UDP and TCP, each of them
 * @param domain absolute, in lower case
 * @param reverse ranges whose reverse names are served
 * @param forward empty = names of other zones are refused
 * @param registration empty = this server is not made a Pod of {@code kube-system/kube-dns}
 * @param snapshots empty = none is kept
 */
public record DnsConfig(
    String replica,
    String kafkaBootstrap,
    int replicationFactor,
    boolean development,
    List<HostPort> listen,
    HostPort grpcListen,
    HostPort httpListen,
    String domain,
    List<Cidr> reverse,
    Duration ttl,
    Forward forward,
    Optional<Registration> registration,
    Optional<Snapshots.Settings> snapshots) {
  public DnsConfig {
    listen = List.copyOf(listen);
    reverse = List.copyOf(reverse);
  }

  /** Where questions about other zones go. */
  public sealed interface Forward {
    record Nowhere() implements Forward {}

    record Servers(List<HostPort> addresses) implements Forward {}

    /** The name servers of a file in the form of resolv.conf(5), read at start. */
    record ResolvConf(Path file) implements Forward {}
  }

  /**
   * @param endpoints replicas of endpoints-service
   * @param address this server's, as Pods reach it
   */
  public record Registration(List<HostPort> endpoints, AdvertiseIp address) {}

  /** What is said of this server's address. */
  public sealed interface AdvertiseIp {
    record Given(Address address) implements AdvertiseIp {}

    /** The one from which endpoints-service is reached. */
    record Auto() implements AdvertiseIp {}
  }

  static final int HTTP_PORT = 7483;
  static final int GRPC_PORT = 7403;

  static final Option<List<HostPort>> LISTEN =
      Option.of(
              "listen",
              OptionType.listOf(OptionType.listenAddress()),
              "Where DNS listens, by UDP and TCP. With several local addresses name each: answers leave from the address that was asked.")
          .withDefault("0.0.0.0:53");

  static final Option<HostPort> GRPC_LISTEN =
      Option.of("grpc-listen", OptionType.listenAddress(), "Where gRPC listens.")
          .withDefault("0.0.0.0:" + GRPC_PORT);

  static final Option<String> DOMAIN =
      Option.of(
              "domain",
              OptionType.text(
                  "a domain name of at most 180 characters",
                  "(?=.{1,180}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\\.?"),
              "The cluster's domain.")
          .withDefault("cluster.local");

  static final Option<List<Cidr>> REVERSE =
      Option.of(
              "reverse-cidrs",
              OptionType.listOf(OptionType.cidr()),
              "Ranges whose reverse names are answered, besides those of the ServiceCIDRs in the log: those of Pods.")
          .withDefault("10.96.0.0/16,10.244.0.0/16");

  static final Option<Duration> TTL =
      Option.of(
              "ttl",
              OptionType.duration(Duration.ZERO, Duration.ofHours(1)),
              "How long answers may be kept.")
          .withDefault("5s");

  static final Option<Forward> FORWARD =
      Option.of(
              "forward",
              OptionType.of(
                  "\"none\", the path of a resolv.conf, or a comma-separated list of host:port",
                  DnsConfig::parseForward),
              "Who is asked about names outside the cluster's zones.")
          .withDefault("/etc/resolv.conf");

  static final Option<AdvertiseIp> ADVERTISE_IP =
      Option.of(
              "advertise-ip",
              OptionType.of("an IP address, or \"auto\"", DnsConfig::parseAdvertiseIp),
              "Address of this server as Pods reach it; auto: the one from which the first of --endpoints that answers is reached, looked for again at each renewal. With --endpoints, it becomes a Pod of kube-system/kube-dns.")
          .optional();

  static final Option<List<HostPort>> ENDPOINTS =
      Option.of(
              "endpoints",
              OptionType.addresses(),
              "Replicas of endpoints-service, where this server registers itself.")
          .optional();

  static final Option<HostPort> HTTP_LISTEN = CommonOptions.httpListen(HTTP_PORT);

  /** Every option of dns-service. */
  public static final ConfigSchema SCHEMA =
      new ConfigSchema(
          "fairlead-dns",
          "Answers DNS for Services and Pods from the event log, and forwards everything else.",
          List.of(
              CommonOptions.REPLICA,
              CommonOptions.KAFKA_BOOTSTRAP,
              CommonOptions.REPLICATION_FACTOR,
              CommonOptions.DEVELOPMENT,
              LISTEN,
              GRPC_LISTEN,
              HTTP_LISTEN,
              DOMAIN,
              REVERSE,
              TTL,
              FORWARD,
              ENDPOINTS,
              ADVERTISE_IP,
              CommonOptions.SNAPSHOT_DIR,
              CommonOptions.SNAPSHOT_INTERVAL,
              CommonOptions.LOG_FORMAT,
              CommonOptions.LOG_LEVEL));

  /** From a command line and an environment; ends the process where they are faulty. */
  public static DnsConfig load(String[] args, Map<String, String> environment) {
    var values = SCHEMA.load(args, environment);
    var config = of(values);
    values.log(LoggerFactory.getLogger(DnsConfig.class));
    return config;
  }

  /** From checked values; ends the process where they do not fit together. */
  static DnsConfig of(ConfigValues values) {
    var endpoints = values.find(ENDPOINTS);
    var address = values.find(ADVERTISE_IP);
    if (endpoints.isPresent() != address.isPresent()) {
      throw SCHEMA.refuse(
          List.of("--endpoints and --advertise-ip belong together: give both, or neither"));
    }
    var domain = values.get(DOMAIN).toLowerCase(Locale.ROOT);
    boolean development = values.get(CommonOptions.DEVELOPMENT);
    return new DnsConfig(
        values.get(CommonOptions.REPLICA),
        values.get(CommonOptions.KAFKA_BOOTSTRAP),
        values.find(CommonOptions.REPLICATION_FACTOR).orElse(development ? 1 : 3),
        development,
        values.get(LISTEN),
        values.get(GRPC_LISTEN),
        values.get(HTTP_LISTEN),
        domain.endsWith(".") ? domain : domain + ".",
        values.get(REVERSE),
        values.get(TTL),
        values.get(FORWARD),
        endpoints.flatMap(e -> address.map(a -> new Registration(e, a))),
        Snapshots.Settings.of(
            values.find(CommonOptions.SNAPSHOT_DIR),
            "dns",
            values.get(CommonOptions.SNAPSHOT_INTERVAL)));
  }

  private static Optional<AdvertiseIp> parseAdvertiseIp(String text) {
    return text.equals("auto")
        ? Optional.of(new AdvertiseIp.Auto())
        : Address.parse(text).map(AdvertiseIp.Given::new);
  }

  private static Optional<Forward> parseForward(String text) {
    if (text.equals("none")) {
      return Optional.of(new Forward.Nowhere());
    }
    if (text.startsWith("/")) {
      return Optional.of(new Forward.ResolvConf(Path.of(text)));
    }
    var addresses = new ArrayList<HostPort>();
    for (var part : text.split(",", -1)) {
      var address = HostPort.parse(part).filter(a -> !a.host().isEmpty() && a.port() > 0);
      if (address.isEmpty()) {
        return Optional.empty();
      }
      addresses.add(address.get());
    }
    return Optional.of(new Forward.Servers(List.copyOf(addresses)));
  }
}
