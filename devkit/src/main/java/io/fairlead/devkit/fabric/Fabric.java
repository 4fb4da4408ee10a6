package io.fairlead.devkit.fabric;

import io.fairlead.devkit.process.ChildProcess;
import io.fairlead.devkit.process.Command;
import io.fairlead.devkit.process.ProcessLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A small data centre inside this machine: network namespaces for nodes and their Pods, joined by a
 * bridge in a namespace {@code fabric} of its own, so that neither this machine's forwarding nor
 * its packet filter nor Docker's matters. No namespace has a way out of it. One link joins this
 * machine: from here the nodes and the fabric can be reached, and from there one address of this
 * machine, {@link #managementAddress()}; nothing is forwarded further.
 *
 * <pre>
 *  this machine --- fl-ID-fabric (bridge, 172.30.x.1) --- fl-ID-NODE (172.30.x.11) --- fl-ID-NODE-POD (10.244.1.2)
 *   169.254.x.1
 * </pre>
 *
 * <p>Soft: all of it goes with {@link #close}, or, after a crash, with the next {@link #create} or
 * {@link #clear} of the id. Any thread. Needs Linux, root, iproute2.
 */
public final class Fabric implements AutoCloseable {
  private static final int FIRST_NODE_ADDRESS = 11;

  /** Before the interfaces exist: they take over "default" when they are made. */
  private static final Map<String, String> PARAMETERS =
      Map.of(
          "ipv4/ip_forward", "1",
          // Over veth an ICMP error arrives while connect() still holds its socket, which then
          // takes no notice; what counts
          // is the answer to the second SYN, a second later. With the limit of one error a second
          // there would often be none.
          "ipv4/icmp_ratelimit", "0",
          // these are inherited from the machine, which may have been made strict
          "ipv4/conf/all/rp_filter", "0",
          "ipv4/conf/default/rp_filter", "0",
          "ipv4/conf/all/arp_ignore", "0",
          "ipv4/conf/default/arp_ignore", "0",
          // a node is told nothing about better routes: it would remember them past a change of
          // rules
          "ipv4/conf/all/send_redirects", "0",
          "ipv4/conf/default/send_redirects", "0");

  private final FabricSpec spec;
  private final Ip ip;
  private final Namespaces namespaces;
  private final ProcessLock lock;
  private final Addresses addresses;
  private final Map<String, FabricNode> nodes;

  private Fabric(
      FabricSpec spec,
      Ip ip,
      Namespaces namespaces,
      ProcessLock lock,
      Addresses addresses,
      Map<String, FabricNode> nodes) {
    this.spec = spec;
    this.ip = ip;
    this.namespaces = namespaces;
    this.lock = lock;
    this.addresses = addresses;
    this.nodes = Collections.unmodifiableMap(nodes);
  }

  /**
   * Builds the namespaces and what joins them; first clears what an earlier crash of the id left.
   *
   * @throws FabricException when this is not Linux or not root, the id or number is in use by a
   *     live process, or the kernel refuses something; nothing is left then
   */
  public static Fabric create(FabricSpec spec) {
    var ip = Ip.require();
    var namespaces = new Namespaces(ip);
    var lock = takeId(spec.id());
    try {
      clear(spec.id(), ip, namespaces);
      var addresses = Addresses.choose(spec, ip);
      try {
        return build(spec, ip, namespaces, lock, addresses);
      } catch (RuntimeException e) {
        addresses.lock().close();
        clear(spec.id(), ip, namespaces);
        throw e;
      }
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /**
   * Removes what a crash left under this id (namespaces with their processes, the link,
   * configuration), and nothing else.
   *
   * @throws FabricException when a live process uses the id, or as {@link #create}
   */
  public static void clear(String id) {
    FabricSpec.requireId(id);
    var ip = Ip.require();
    try (var _ = takeId(id)) {
      clear(id, ip, new Namespaces(ip));
    }
  }

  private static ProcessLock takeId(String id) {
    return Addresses.lock("fabric-" + id + ".lock")
        .orElseThrow(
            () -> new FabricException("fabric id '" + id + "' is in use by a live process"));
  }

  private static void clear(String id, Ip ip, Namespaces namespaces) {
    var prefix = namespace(id, "");
    var link = linkName(id);
    if (hasInterface(
        link)) { // by name and at once: the kernel takes its time to clear a namespace away
      try {
        ip.here(List.of("link del " + link));
      } catch (FabricException e) {
        if (hasInterface(link)) {
          throw e;
        }
      }
    }
    namespaces.delete(namespaces.startingWith(prefix));
    namespaces.deleteConfigurationStartingWith(prefix);
  }

  private static boolean hasInterface(String name) {
    return Files.exists(Path.of("/sys/class/net", name));
  }

  private static String namespace(String id, String name) {
    return "fl-" + id + "-" + name;
  }

  private static String linkName(String id) {
    return "fl-" + id + "-m";
  }

  private static Fabric build(
      FabricSpec spec, Ip ip, Namespaces namespaces, ProcessLock lock, Addresses addresses) {
    var nodes = new LinkedHashMap<String, FabricNode>();
    for (var i = 0; i < spec.nodes().size(); i++) {
      var name = spec.nodes().get(i);
      nodes.put(
          name,
          new FabricNode(
              ip,
              namespaces,
              name,
              namespace(spec.id(), name),
              addresses.nodes().address(FIRST_NODE_ADDRESS + i),
              spec.podNetwork().part(24, i + 1)));
    }
    var fabric = new Fabric(spec, ip, namespaces, lock, addresses, nodes);
    fabric.build();
    return fabric;
  }

  private void build() {
    var link = linkName(spec.id());
    var centre = fabricNamespace();
    var here = new ArrayList<String>();
    here.add("netns add " + centre);
    nodes.values().forEach(node -> here.add("netns add " + node.namespace()));
    ip.here(here);
    Namespaces.setParameters(centre, PARAMETERS);
    nodes.values().forEach(node -> Namespaces.setParameters(node.namespace(), PARAMETERS));

    ip.here(
        List.of(
            "link add %s type veth peer name root0 netns %s".formatted(link, centre),
            "addr add %s/30 dev %s".formatted(managementAddress(), link),
            "link set %s up".formatted(link)));
    ip.in(centre, centreCommands());
    ip.here(
        List.of(
            "route add %s via %s dev %s"
                .formatted(addresses.nodes(), addresses.fabricSide(), link)));
    for (var node : nodes.values()) {
      ip.in(node.namespace(), nodeCommands(node));
    }
  }

  private List<String> centreCommands() {
    var commands = new ArrayList<String>();
    commands.add("link set lo up");
    commands.add("link add br0 type bridge stp_state 0 mcast_snooping 0");
    commands.add("addr add %s/24 dev br0".formatted(fabricAddress()));
    commands.add("link set br0 up");
    commands.add("addr add %s/30 dev root0".formatted(addresses.fabricSide()));
    commands.add("link set root0 up");
    for (var node : nodes.values()) {
      commands.add(
          "link add %s type veth peer name eth0 netns %s".formatted(port(node), node.namespace()));
      commands.add("link set %s master br0 up".formatted(port(node)));
      commands.add("route add %s via %s".formatted(node.podNetwork(), node.address()));
    }
    // This machine knows no way to the Pods (several fabrics may use one Pod network): it would
    // answer them to the outside.
    commands.add(
        "rule add from %s to %s unreachable".formatted(spec.podNetwork(), addresses.management()));
    return commands;
  }

  private List<String> nodeCommands(FabricNode node) {
    var commands = new ArrayList<String>();
    commands.add("link set lo up");
    commands.add("addr add %s/32 dev lo".formatted(node.podGateway()));
    commands.add("addr add %s/24 dev eth0".formatted(node.address()));
    commands.add("link set eth0 up");
    commands.add("route add %s via %s".formatted(addresses.management(), fabricAddress()));
    // A process of the node that connects to a Service needs a route before any rule sees its first
    // packet; and through a
    // real device, since on lo a rejected packet would never be answered.
    for (var services : spec.serviceNetworks()) {
      commands.add("route add %s via %s".formatted(services, fabricAddress()));
    }
    for (var other : nodes.values()) {
      if (!other.name().equals(node.name())) {
        commands.add("route add %s via %s".formatted(other.podNetwork(), other.address()));
      }
    }
    return commands;
  }

  private String port(FabricNode node) {
    return "port"
        + IntStream.range(0, spec.nodes().size())
            .filter(i -> spec.nodes().get(i).equals(node.name()))
            .findFirst()
            .orElseThrow();
  }

  public String id() {
    return spec.id();
  }

  /** The namespace in the middle: a place for Kafka, etcd and services that all nodes reach. */
  public String fabricNamespace() {
    return namespace(spec.id(), "fabric");
  }

  /** The address of the middle, which nodes, Pods and this machine reach. */
  public String fabricAddress() {
    return addresses.nodes().address(1);
  }

  /** The one address of this machine that nodes and the middle reach; Pods do not. */
  public String managementAddress() {
    return addresses.management().address(1);
  }

  /** The /24 of the nodes. */
  public Ipv4Network nodeNetwork() {
    return addresses.nodes();
  }

  /** In the order of the spec. */
  public List<FabricNode> nodes() {
    return List.copyOf(nodes.values());
  }

  /**
   * One node.
   *
   * @throws IllegalArgumentException when there is none of this name
   */
  public FabricNode node(String name) {
    var node = nodes.get(name);
    if (node == null) {
      throw new IllegalArgumentException("no node '" + name + "'; there are " + nodes.keySet());
    }
    return node;
  }

  /**
   * Takes a node off the network without its noticing: its link stays up, packets to and from it
   * are lost. Its Pods still reach each other.
   */
  public void isolate(FabricNode node) {
    ip.in(fabricNamespace(), List.of("link set %s nomaster".formatted(port(node))));
  }

  /** Ends {@link #isolate}. */
  public void rejoin(FabricNode node) {
    ip.in(fabricNamespace(), List.of("link set %s master br0".formatted(port(node))));
  }

  /**
   * The words that run a program in a namespace in their own place, so that the pid stays: put them
   * in front of it.
   */
  public static List<String> prefix(String namespace) {
    return List.of(Ip.require().program(), "netns", "exec", namespace);
  }

  /**
   * Starts a program in one of the namespaces. It ends with this JVM, and with {@link #close} or
   * {@link FabricNode#removePod}.
   *
   * @param environment added to this process' own
   * @param log file that what it prints is appended to
   * @return the program itself: its pid is not that of a wrapper
   */
  public ChildProcess process(
      String namespace, List<String> words, Map<String, String> environment, Path log) {
    var name = Path.of(words.getFirst()).getFileName() + "@" + namespace;
    return start(namespace, Command.of(name, words, log).withEnvironment(environment));
  }

  /** As {@link #process} with everything said in the command. */
  public ChildProcess start(String namespace, Command command) {
    return ChildProcess.start(command.through(prefix(namespace)));
  }

  /**
   * What processes that are started in the namespace from now on see as /etc/resolv.conf; without
   * it they see this machine's. Goes with the namespace.
   */
  public void useResolvConf(String namespace, ResolvConf content) {
    Namespaces.writeResolvConf(namespace, content);
  }

  /** Ends all processes in the namespaces and removes everything. */
  @Override
  public void close() {
    try {
      clear(spec.id(), ip, namespaces);
    } finally {
      addresses.lock().close();
      lock.close();
    }
  }

  @Override
  public String toString() {
    return spec.id() + " " + addresses.nodes() + " " + nodes.values();
  }
}
