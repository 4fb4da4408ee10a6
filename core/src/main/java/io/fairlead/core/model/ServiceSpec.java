package io.fairlead.core.model;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/**
 * What a Service asks for, checked and with every default applied.
 *
 * @param clusterIps virtual IPs, primary first; one for each of {@code ipFamilies} where exposure
 *     is CLUSTER_IP, else empty
 * @param ipFamilies primary first; empty for EXTERNAL_NAME
 * @param selector equality requirements; empty = no selector: endpoints are managed by hand
 * @param ports unique by name and by (protocol, port); may be empty for HEADLESS and EXTERNAL_NAME
 *     only
 * @param clientIpAffinity time-out of ClientIP session affinity, 1 s to 86,400 s; empty = affinity
 *     None
 * @param externalName DNS name, EXTERNAL_NAME only
 * @param balancing chosen at creation, changed only on request
 */
public record ServiceSpec(
    Exposure exposure,
    List<Address> clusterIps,
    List<Family> ipFamilies,
    IpFamilyPolicy ipFamilyPolicy,
    SortedMap<String, String> selector,
    List<ServicePort> ports,
    Optional<Duration> clientIpAffinity,
    TrafficPolicy internalTrafficPolicy,
    Optional<TrafficDistribution> trafficDistribution,
    boolean publishNotReadyAddresses,
    Optional<String> externalName,
    Balancing balancing) {
  public ServiceSpec {
    clusterIps = List.copyOf(clusterIps);
    ipFamilies = List.copyOf(ipFamilies);
    selector = SortedTexts.copyOf(selector);
    ports = List.copyOf(ports);
  }

  /**
   * How clients find the Service. HEADLESS is {@code type: ClusterIP} with {@code clusterIP: None}.
   */
  public enum Exposure {
    CLUSTER_IP,
    HEADLESS,
    EXTERNAL_NAME
  }

  public enum IpFamilyPolicy {
    SINGLE_STACK("SingleStack"),
    PREFER_DUAL_STACK("PreferDualStack"),
    REQUIRE_DUAL_STACK("RequireDualStack");

    private final String text;

    IpFamilyPolicy(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  public enum TrafficPolicy {
    CLUSTER("Cluster"),
    LOCAL("Local");

    private final String text;

    TrafficPolicy(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /** {@code PreferClose} is read as its newer name {@code PreferSameZone}. */
  public enum TrafficDistribution {
    PREFER_SAME_ZONE("PreferSameZone"),
    PREFER_SAME_NODE("PreferSameNode");

    private final String text;

    TrafficDistribution(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /** How new connections are spread; the value of annotation {@link #ANNOTATION}. */
  public enum Balancing {
    ROUND_ROBIN("round-robin"),
    RANDOM("random"),
    SOURCE_HASH("source-hash");

    public static final String ANNOTATION = "fairlead.io/load-balancing";

    private final String text;

    Balancing(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  public Optional<Address> clusterIp(Family family) {
    return clusterIps.stream().filter(a -> a.family() == family).findFirst();
  }

  public ServiceSpec withClusterIps(List<Address> assigned) {
    return new ServiceSpec(
        exposure,
        assigned,
        ipFamilies,
        ipFamilyPolicy,
        selector,
        ports,
        clientIpAffinity,
        internalTrafficPolicy,
        trafficDistribution,
        publishNotReadyAddresses,
        externalName,
        balancing);
  }

  /** Whether the selector names these labels; an empty selector selects nothing. */
  public boolean selects(Map<String, String> labels) {
    return !selector.isEmpty()
        && selector.entrySet().stream().allMatch(e -> e.getValue().equals(labels.get(e.getKey())));
  }
}
