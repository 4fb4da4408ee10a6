package io.fairlead.agent;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.runtime.CommonOptions;
import io.fairlead.runtime.ConfigSchema;
import io.fairlead.runtime.ConfigValues;
import io.fairlead.runtime.FaultPointDirectory;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Option;
import io.fairlead.runtime.OptionType;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What an agent is told, checked.
 *
 * @param node its name in the cluster
 * @param endpoints replicas of endpoints-service, at least one
 * @param nodeIps primary first, never empty
 * @param clusterCidrs where Pods are; empty = nothing is masqueraded
 * @param podRuntime of what runs this node's Pods as processes, where something does
 * @param execProbes on the node itself, of Pods that nothing runs here
 * @param serviceCidrs that the host should have routes for
 * @param task what this process is started for
 * @param faultPoints directory that arms them; empty except in tests
 */
public record AgentConfig(
    String node,
    List<HostPort> endpoints,
    Optional<String> zone,
    List<Address> nodeIps,
    List<Cidr> podCidrs,
    Set<Cidr> clusterCidrs,
    Optional<Path> manifests,
    Path dataDirectory,
    HostPort httpListen,
    Log log,
    Optional<HostPort> podRuntime,
    ExecProbes execProbes,
    Set<Cidr> serviceCidrs,
    Task task,
    Optional<Path> faultPoints) {
  public AgentConfig {
    endpoints = List.copyOf(endpoints);
    nodeIps = List.copyOf(nodeIps);
    podCidrs = List.copyOf(podCidrs);
    clusterCidrs = Set.copyOf(clusterCidrs);
    serviceCidrs = Set.copyOf(serviceCidrs);
  }

  /** Whether the log of another cluster may take the place of the one the rules are from. */
  public enum Log {
    SAME_ONLY,
    ADOPT
  }

  /** Whether a manifest may have programs run on the node. */
  public enum ExecProbes {
    REFUSED,
    ALLOWED
  }

  public enum Task {
    SERVE,
    /** Looks whether the host is fit for it, and ends. */
    CHECK,
    UNINSTALL
  }

  /** Blocks that no source is ever in: with them for the Pods', all are masqueraded. */
  public static final Set<Cidr> NOWHERE = Set.of(Cidr.of("0.0.0.0/32"), Cidr.of("::/128"));

  static final Option<String> NODE =
      Option.of("node", OptionType.name(), "Name of this node in the cluster.")
          .withDefault(CommonOptions::hostName, "host name");

  static final Option<List<HostPort>> ENDPOINTS =
      Option.of("endpoints", OptionType.addresses(), "gRPC of the replicas of endpoints-service.")
          .withDefault("127.0.0.1:7402");

  static final Option<String> ZONE =
      Option.of(
              "zone",
              OptionType.text("a label value", "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"),
              "Zone of this node (label topology.kubernetes.io/zone).")
          .optional();

  static final Option<List<Address>> NODE_IP =
      Option.of(
              "node-ip",
              OptionType.listOf(OptionType.ip()),
              "Addresses of this node, primary first; also those of its static Pods. Default: the one from which the first of --endpoints is reached.")
          .optional();

  static final Option<List<Cidr>> POD_CIDRS =
      Option.of("pod-cidrs", OptionType.listOf(OptionType.cidr()), "Ranges of this node's Pods.")
          .optional();

  static final Option<List<Cidr>> CLUSTER_CIDRS =
      Option.of(
              "cluster-cidrs",
              OptionType.listOf(OptionType.cidr()),
              "Ranges of all Pods: connections to Services from elsewhere are masqueraded. Default: none are.")
          .optional();

  static final Option<Boolean> MASQUERADE_ALL =
      Option.flag(
          "masquerade-all",
          "Masquerade all connections to Services, also those of Pods and whatever --cluster-cidrs says.");

  static final Option<Path> MANIFESTS =
      Option.of(
              "manifests",
              OptionType.path(),
              "Directory of the manifests of this node's static Pods.")
          .optional();

  static final Option<Path> DATA_DIR = CommonOptions.dataDir("agent");
  static final Option<HostPort> HTTP_LISTEN = CommonOptions.httpListen(7484);

  static final Option<Boolean> ADOPT_LOG =
      Option.flag(
          "adopt-log",
          "Follow a control plane with another log than the one this node's rules are from.");

  static final Option<HostPort> POD_RUNTIME =
      Option.of(
              "pod-runtime",
              OptionType.address(),
              "gRPC of what runs this node's Pods as processes: exec probes of these run there.")
          .optional();

  static final Option<Boolean> ALLOW_EXEC_PROBES =
      Option.flag(
          "allow-exec-probes",
          "Run exec probes of all other Pods on this node, as the user of this process. Whoever may write Pods then runs programs here.");

  static final Option<Boolean> UNINSTALL =
      Option.flag("uninstall", "Delete our nftables tables, and end.");

  static final Option<List<Cidr>> SERVICE_CIDRS =
      Option.of(
              "service-cidrs",
              OptionType.listOf(OptionType.cidr()),
              "Ranges of ClusterIPs, only to look whether there are routes for them; what is served the control plane says.")
          .withDefault("10.96.0.0/16");

  static final Option<Boolean> CHECK =
      Option.flag(
          "check",
          "Say whether this host is fit for an agent (nftables, forwarding, bridges, conntrack, routes) and what to do where it is not, and end: with 0, or 1 where there is an ERROR.");

  /** All options. */
  public static final ConfigSchema SCHEMA =
      new ConfigSchema(
          "fairlead-agent",
          "Programs this node's nftables with the cluster's Services, probes its Pods, and reports the Pods of a directory of manifests.",
          List.of(
              NODE,
              ENDPOINTS,
              ZONE,
              NODE_IP,
              POD_CIDRS,
              CLUSTER_CIDRS,
              MASQUERADE_ALL,
              MANIFESTS,
              DATA_DIR,
              HTTP_LISTEN,
              ADOPT_LOG,
              POD_RUNTIME,
              ALLOW_EXEC_PROBES,
              SERVICE_CIDRS,
              CHECK,
              UNINSTALL,
              CommonOptions.LOG_FORMAT,
              CommonOptions.LOG_LEVEL,
              CommonOptions.FAULT_POINTS));

  /** For {@code main}: ends the process where something is wrong, or help was asked for. */
  public static AgentConfig load(String[] args, Map<String, String> environment) {
    var values = SCHEMA.load(args, environment);
    if (values.get(CHECK) && values.get(UNINSTALL)) {
      throw SCHEMA.refuse(List.of("--check and --uninstall: only one of them is possible"));
    }
    if (!values.get(CHECK)) { // which has an output of its own
      values.log(org.slf4j.LoggerFactory.getLogger(AgentConfig.class));
    }
    try {
      return of(values);
    } catch (IllegalArgumentException e) {
      throw SCHEMA.refuse(List.of(String.valueOf(e.getMessage())));
    }
  }

  /**
   * From checked values; looks at the machine's interfaces where no address is given.
   *
   * @throws IllegalArgumentException a value cannot be used; says why
   */
  public static AgentConfig of(ConfigValues values) {
    var endpoints = values.get(ENDPOINTS);
    return new AgentConfig(
        values.get(NODE),
        endpoints,
        values.find(ZONE),
        values.find(NODE_IP).filter(ips -> !ips.isEmpty()).orElseGet(() -> nodeIps(endpoints)),
        values.find(POD_CIDRS).orElse(List.of()),
        values.get(MASQUERADE_ALL)
            ? NOWHERE
            : Set.copyOf(values.find(CLUSTER_CIDRS).orElse(List.of())),
        values.find(MANIFESTS),
        values.get(DATA_DIR),
        values.get(HTTP_LISTEN),
        values.get(ADOPT_LOG) ? Log.ADOPT : Log.SAME_ONLY,
        values.find(POD_RUNTIME),
        values.get(ALLOW_EXEC_PROBES) ? ExecProbes.ALLOWED : ExecProbes.REFUSED,
        Set.copyOf(values.get(SERVICE_CIDRS)),
        values.get(UNINSTALL) ? Task.UNINSTALL : values.get(CHECK) ? Task.CHECK : Task.SERVE,
        FaultPointDirectory.configured(values));
  }

  /** The source address of the route to the control plane, else any that is not the loopback. */
  private static List<Address> nodeIps(List<HostPort> endpoints) {
    var target = endpoints.getFirst().bindAddress();
    if (!target.isUnresolved()) {
      try (var socket = new DatagramSocket()) { // connecting one sends nothing
        socket.connect(target);
        var local = socket.getLocalAddress();
        if (usable(local)) {
          return List.of(address(local));
        }
      } catch (SocketException | UncheckedIOException _) {
        // no route to it
      }
    }
    try {
      return NetworkInterface.networkInterfaces()
          .flatMap(NetworkInterface::inetAddresses)
          .filter(AgentConfig::usable)
          .map(AgentConfig::address)
          .sorted()
          .findFirst()
          .or(() -> Optional.of(address(InetAddress.getLoopbackAddress())))
          .stream()
          .toList();
    } catch (SocketException _) {
      return List.of(address(InetAddress.getLoopbackAddress()));
    }
  }

  private static boolean usable(InetAddress address) {
    return !address.isAnyLocalAddress()
        && !address.isLoopbackAddress()
        && !address.isLinkLocalAddress();
  }

  private static Address address(InetAddress address) {
    return Address.ofBytes(address.getAddress());
  }
}
