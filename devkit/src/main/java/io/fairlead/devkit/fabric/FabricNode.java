package io.fairlead.devkit.fabric;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A node: a namespace with an address on the fabric, and its Pods, each behind a veth pair of its
 * own (routed, no bridge). Any thread.
 */
public final class FabricNode {
  private static final int GATEWAY = 1;
  private static final int FIRST_POD = 2;
  private static final int LAST_POD = 254;

  /** As container runtimes set them: a Pod's processes are not root. */
  private static final Map<String, String> POD_PARAMETERS =
      Map.of("ipv4/ip_unprivileged_port_start", "0", "ipv4/ping_group_range", "0 2147483647");

  private final Ip ip;
  private final Namespaces namespaces;
  private final String name;
  private final String namespace;
  private final String address;
  private final Ipv4Network podNetwork;
  private final Map<String, Placed> pods = new TreeMap<>();
  private int lastPod = FIRST_POD - 1;

  /** A Pod and the number of its address. */
  private record Placed(FabricPod pod, int number) {
    String interfaceName() {
      return "pod" + number;
    }
  }

  FabricNode(
      Ip ip,
      Namespaces namespaces,
      String name,
      String namespace,
      String address,
      Ipv4Network podNetwork) {
    this.ip = ip;
    this.namespaces = namespaces;
    this.name = name;
    this.namespace = namespace;
    this.address = address;
    this.podNetwork = podNetwork;
  }

  public String name() {
    return name;
  }

  /** As {@code ip netns} lists it. */
  public String namespace() {
    return namespace;
  }

  /** On the fabric; other nodes, the fabric and this machine reach it. */
  public String address() {
    return address;
  }

  /** A /24. */
  public Ipv4Network podNetwork() {
    return podNetwork;
  }

  /** The node's address towards its Pods. */
  public String podGateway() {
    return podNetwork.address(GATEWAY);
  }

  /**
   * Makes a Pod's namespace with an address; all other Pods and nodes reach it. In it, every user
   * may listen on every port, and ping. Addresses are given out in turn, so that one that was freed
   * is not used again soon.
   *
   * @throws IllegalArgumentException for a name that is none or taken
   * @throws FabricException when the node has no free address, or the kernel refuses; nothing is
   *     left then
   */
  public FabricPod addPod(String podName) {
    return addPod(podName, Optional.empty());
  }

  /**
   * As {@link #addPod(String)}.
   *
   * @param wanted an address that it had before: is given where it is one of this node's Pod
   *     network and free, else another one
   */
  public FabricPod addPod(String podName, Optional<String> wanted) {
    FabricSpec.requireLabel("Pod", podName);
    var namespaceOfPod = namespace + "-" + podName;
    if (namespaces.exists(
        namespaceOfPod)) { // so that a failure below never takes somebody else's away
      throw new IllegalArgumentException(
          "network namespace " + namespaceOfPod + " for Pod '" + podName + "' is already there");
    }
    var placed = reserve(podName, namespaceOfPod, wanted);
    try {
      build(placed);
    } catch (FabricException e) {
      try {
        removePod(podName);
      } catch (FabricException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
    return placed.pod();
  }

  private synchronized Placed reserve(
      String podName, String namespaceOfPod, Optional<String> wanted) {
    if (pods.containsKey(podName)) {
      throw new IllegalArgumentException("Pod '" + podName + "' is already on node " + name);
    }
    var taken = pods.values().stream().map(Placed::number).collect(Collectors.toSet());
    int number =
        IntStream.rangeClosed(FIRST_POD, LAST_POD)
            .filter(n -> !taken.contains(n))
            .filter(n -> wanted.equals(Optional.of(podNetwork.address(n))))
            .findFirst()
            .orElseGet(() -> nextNumber(taken));
    var pod = new FabricPod(podName, name, namespaceOfPod, podNetwork.address(number));
    var placed = new Placed(pod, number);
    lastPod = number;
    pods.put(podName, placed);
    return placed;
  }

  private int nextNumber(Set<Integer> taken) {
    var count = LAST_POD - FIRST_POD + 1;
    for (var i = 0; i < count; i++) {
      var number = FIRST_POD + (lastPod - FIRST_POD + 1 + i) % count;
      if (!taken.contains(number)) {
        return number;
      }
    }
    throw new FabricException("node " + name + ": no address is free in " + podNetwork);
  }

  private void build(Placed placed) {
    var pod = placed.pod();
    ip.here(List.of("netns add " + pod.namespace()));
    Namespaces.setParameters(pod.namespace(), POD_PARAMETERS);
    var outside = placed.interfaceName();
    ip.in(
        namespace,
        List.of(
            "link add %s type veth peer name eth0 netns %s".formatted(outside, pod.namespace()),
            "link set %s up".formatted(outside),
            // the source is what the node's own processes, its probes above all, come from
            "route add %s/32 dev %s src %s".formatted(pod.address(), outside, address)));
    ip.in(
        pod.namespace(),
        List.of(
            "link set lo up",
            "addr add %s/32 dev eth0".formatted(pod.address()),
            "link set eth0 up",
            "route add %s/32 dev eth0".formatted(podGateway()),
            "route add default via %s dev eth0".formatted(podGateway())));
  }

  private void tearDown(Placed placed) {
    // the veth goes with either end, but a namespace only when the last socket in it is closed
    ip.allowingFailure(namespace, List.of("link del " + placed.interfaceName()));
    namespaces.delete(List.of(placed.pod().namespace()));
  }

  /** Ends the Pod's processes and removes its namespace; no error when it is not there. */
  public void removePod(String podName) {
    reserved(podName)
        .ifPresent(placed -> {
          tearDown(placed);
          release(podName); // only now: its name and address are free when nothing of it is left
        });
  }

  private synchronized Optional<Placed> reserved(String podName) {
    return Optional.ofNullable(pods.get(podName));
  }

  private synchronized void release(String podName) {
    pods.remove(podName);
  }

  /** By name. */
  public synchronized List<FabricPod> pods() {
    return pods.values().stream().map(Placed::pod).toList();
  }

  @Override
  public String toString() {
    return name + " " + address + " " + podNetwork;
  }
}
