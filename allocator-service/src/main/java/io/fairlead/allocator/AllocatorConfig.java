package io.fairlead.allocator;

import io.fairlead.core.decide.ServiceCidrRules;
import io.fairlead.core.decide.ServiceSettings;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.decider.DeciderSettings;
import io.fairlead.eventlog.snapshot.Snapshots;
import io.fairlead.runtime.CommonOptions;
import io.fairlead.runtime.ConfigSchema;
import io.fairlead.runtime.ConfigValues;
import io.fairlead.runtime.FaultPointDirectory;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Option;
import io.fairlead.runtime.OptionType;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.LoggerFactory;

/**
 * What is configured, checked.
 *
 * @param replica unique name of this replica
 * @param listen where gRPC listens, at least one
 * @param advertise where the other replicas reach it
 * @param replicationFactor copies of each partition of the log
 * @param serviceCidrs of the ServiceCIDR {@code default}: one, or one of each family, the family of
 *     Services that do not say first
 * @param leaseTtl how long a dead replica keeps what it owns
 * @param callTimeout longest time a call may take
 * @param faultPoints directory that arms them; empty except in tests
 * @param snapshots empty = none is kept
 */
public record AllocatorConfig(
    String replica,
    List<HostPort> listen,
    HostPort advertise,
    HostPort httpListen,
    String kafkaBootstrap,
    int replicationFactor,
    List<URI> etcdEndpoints,
    List<Cidr> serviceCidrs,
    ServiceSettings services,
    Duration leaseTtl,
    Duration callTimeout,
    Optional<Path> faultPoints,
    Optional<Snapshots.Settings> snapshots) {
  public static final int GRPC_PORT = 7401;
  public static final int HTTP_PORT = 7481;

  private static final Option<List<HostPort>> LISTEN = CommonOptions.listen(GRPC_PORT);
  private static final Option<HostPort> HTTP_LISTEN = CommonOptions.httpListen(HTTP_PORT);
  private static final Option<List<Cidr>> SERVICE_CIDRS =
      Option.of(
              "service-cidrs",
              OptionType.listOf(OptionType.cidr()),
              "Ranges that ClusterIPs come from: one, or one of each family, the default family first. Written into the"
                  + " log at the first start; what the log says holds from then on.")
          .withDefault("10.96.0.0/16");
  private static final Option<Balancing> DEFAULT_BALANCING =
      Option.of(
              "default-load-balancing",
              OptionType.of(
                  "round-robin, random or source-hash",
                  text ->
                      Arrays.stream(Balancing.values())
                          .filter(b -> b.text().equals(text))
                          .findFirst()),
              "How new Services are balanced that do not say so by the annotation "
                  + Balancing.ANNOTATION
                  + ".")
          .withDefault(Balancing.ROUND_ROBIN.text());
  private static final Option<Integer> ROUND_ROBIN_LIMIT =
      Option.of(
              "round-robin-limit",
              OptionType.integer(0, 65_536),
              "How many service ports may be balanced round-robin together; beyond it new Services get random.")
          .withDefault("256");
  private static final Option<Duration> LEASE_TTL =
      Option.of(
              "lease-ttl",
              OptionType.duration(Duration.ofSeconds(2), Duration.ofMinutes(5)),
              "How long the membership and ownership of a replica that died outlive it: so long nobody decides in its place.")
          .withDefault(OptionType.text(DeciderSettings.DEFAULT_LEASE_TTL));
  private static final Option<Duration> CALL_TIMEOUT =
      Option.of(
              "call-timeout",
              OptionType.duration(Duration.ofMillis(100), Duration.ofMinutes(5)),
              "Longest time a call may take, whatever deadline its caller gave it.")
          .withDefault("30s");

  /** All options of the process. */
  public static final ConfigSchema SCHEMA =
      new ConfigSchema(
          "fairlead-allocator",
          "Decides Services and gives out their ClusterIPs.",
          List.of(
              CommonOptions.REPLICA,
              LISTEN,
              CommonOptions.ADVERTISE,
              HTTP_LISTEN,
              CommonOptions.KAFKA_BOOTSTRAP,
              CommonOptions.REPLICATION_FACTOR,
              CommonOptions.DEVELOPMENT,
              CommonOptions.ETCD_ENDPOINTS,
              SERVICE_CIDRS,
              DEFAULT_BALANCING,
              ROUND_ROBIN_LIMIT,
              LEASE_TTL,
              CALL_TIMEOUT,
              CommonOptions.SNAPSHOT_DIR,
              CommonOptions.SNAPSHOT_INTERVAL,
              CommonOptions.LOG_FORMAT,
              CommonOptions.LOG_LEVEL,
              CommonOptions.FAULT_POINTS));

  public AllocatorConfig {
    listen = List.copyOf(listen);
    etcdEndpoints = List.copyOf(etcdEndpoints);
    serviceCidrs = List.copyOf(serviceCidrs);
    var faults =
        ServiceCidrRules.check("service-cidrs", serviceCidrs.stream().map(Cidr::toString).toList());
    if (!faults.isEmpty()) {
      throw new IllegalArgumentException(
          "--service-cidrs: "
              + String.join("; ", faults.stream().map(fault -> fault.message()).toList()));
    }
  }

  /** For {@code main}: prints what is in force; ends the process where the options are faulty. */
  public static AllocatorConfig load(String[] args, Map<String, String> environment) {
    var values = SCHEMA.load(args, environment);
    try {
      var config = of(values);
      values.log(LoggerFactory.getLogger(AllocatorConfig.class));
      return config;
    } catch (IllegalArgumentException e) {
      throw SCHEMA.refuse(List.of(String.valueOf(e.getMessage())));
    }
  }

  /** From checked options; what does not fit together is refused with IllegalArgumentException. */
  static AllocatorConfig of(ConfigValues values) {
    var listen = values.get(LISTEN);
    boolean development = values.get(CommonOptions.DEVELOPMENT);
    int copies = values.find(CommonOptions.REPLICATION_FACTOR).orElse(development ? 1 : 3);
    if (copies == 1 && !development) {
      throw new IllegalArgumentException(
          "--replication-factor: 1 loses the log with its broker; allowed only with --development");
    }
    return new AllocatorConfig(
        values.get(CommonOptions.REPLICA),
        listen,
        CommonOptions.advertised(values, listen.getFirst().port()),
        values.get(HTTP_LISTEN),
        values.get(CommonOptions.KAFKA_BOOTSTRAP),
        copies,
        values.get(CommonOptions.ETCD_ENDPOINTS),
        values.get(SERVICE_CIDRS),
        new ServiceSettings(values.get(DEFAULT_BALANCING), values.get(ROUND_ROBIN_LIMIT)),
        values.get(LEASE_TTL),
        values.get(CALL_TIMEOUT),
        FaultPointDirectory.configured(values),
        Snapshots.Settings.of(
            values.find(CommonOptions.SNAPSHOT_DIR),
            "allocator",
            values.get(CommonOptions.SNAPSHOT_INTERVAL)));
  }
}
