package io.fairlead.core.decide;

import io.fairlead.core.decide.ServiceDraft.PortDraft;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/** Builds drafts of Services for tests: one port 80/TCP and a selector unless told otherwise. */
public final class TestService {
  private String namespace = "shop";
  private String name;
  private String generateName = "";
  private Map<String, String> labels = Map.of();
  private final Map<String, String> annotations = new TreeMap<>();
  private String resourceVersion = "";
  private String uid = "";
  private String type = "";
  private String clusterIp = "";
  private List<String> clusterIps = List.of();
  private List<String> ipFamilies = List.of();
  private String ipFamilyPolicy = "";
  private Map<String, String> selector = Map.of("app", "web");
  private final List<PortDraft> ports = new ArrayList<>();
  private boolean defaultPort = true;
  private String sessionAffinity = "";
  private OptionalInt affinitySeconds = OptionalInt.empty();
  private String internalTrafficPolicy = "";
  private String trafficDistribution = "";
  private String externalName = "";

  private TestService(String name) {
    this.name = name;
  }

  public static TestService service(String name) {
    return new TestService(name);
  }

  public TestService namespace(String value) {
    namespace = value;
    return this;
  }

  public TestService generateName(String value) {
    name = "";
    generateName = value;
    return this;
  }

  public TestService labels(Map<String, String> value) {
    labels = value;
    return this;
  }

  public TestService annotation(String key, String value) {
    annotations.put(key, value);
    return this;
  }

  public TestService resourceVersion(String value) {
    resourceVersion = value;
    return this;
  }

  public TestService uid(String value) {
    uid = value;
    return this;
  }

  public TestService type(String value) {
    type = value;
    return this;
  }

  public TestService clusterIp(String value) {
    clusterIp = value;
    return this;
  }

  public TestService clusterIps(String... values) {
    clusterIps = List.of(values);
    clusterIp = clusterIp.isEmpty() && values.length > 0 ? values[0] : clusterIp;
    return this;
  }

  public TestService families(String... values) {
    ipFamilies = List.of(values);
    return this;
  }

  public TestService policy(String value) {
    ipFamilyPolicy = value;
    return this;
  }

  public TestService selector(Map<String, String> value) {
    selector = value;
    return this;
  }

  public TestService noPorts() {
    defaultPort = false;
    ports.clear();
    return this;
  }

  public TestService port(String portName, String protocol, int port) {
    return port(new PortDraft(portName, protocol, port, "", "", 0));
  }

  public TestService targetPort(String target) {
    return port(new PortDraft("", "", 80, target, "", 0));
  }

  public TestService port(PortDraft port) {
    defaultPort = false;
    ports.add(port);
    return this;
  }

  public TestService affinity(String value) {
    sessionAffinity = value;
    return this;
  }

  public TestService affinitySeconds(int value) {
    sessionAffinity = "ClientIP";
    affinitySeconds = OptionalInt.of(value);
    return this;
  }

  public TestService internalTrafficPolicy(String value) {
    internalTrafficPolicy = value;
    return this;
  }

  public TestService trafficDistribution(String value) {
    trafficDistribution = value;
    return this;
  }

  public TestService externalName(String value) {
    type = "ExternalName";
    externalName = value;
    return this;
  }

  public ServiceDraft draft() {
    return new ServiceDraft(
        namespace,
        name,
        generateName,
        labels,
        annotations,
        resourceVersion,
        uid,
        type,
        clusterIp,
        clusterIps,
        ipFamilies,
        ipFamilyPolicy,
        selector,
        defaultPort ? List.of(new PortDraft("", "", 80, "", "", 0)) : ports,
        sessionAffinity,
        affinitySeconds,
        internalTrafficPolicy,
        trafficDistribution,
        false,
        externalName);
  }

  public ServiceCommand create() {
    return new ServiceCommand.Create(draft(), DryRun.NO);
  }

  public ServiceCommand dryRun() {
    return new ServiceCommand.Create(draft(), DryRun.YES);
  }

  public ServiceCommand apply() {
    return new ServiceCommand.Apply(draft(), DryRun.NO);
  }

  public ServiceCommand update() {
    return new ServiceCommand.Update(draft(), DryRun.NO);
  }
}
