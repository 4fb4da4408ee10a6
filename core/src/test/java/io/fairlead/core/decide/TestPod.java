package io.fairlead.core.decide;

import io.fairlead.core.decide.PodDraft.ContainerDraft;
import io.fairlead.core.decide.PodDraft.ContainerPortDraft;
import io.fairlead.core.decide.PodDraft.HttpGetDraft;
import io.fairlead.core.decide.PodDraft.ProbeDraft;
import io.fairlead.core.decide.PodDraft.TcpSocketDraft;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Builds drafts of Pods for tests: on node-a, one container, port 8080, no probe, no address,
 * unless told otherwise.
 */
public final class TestPod {
  private String namespace = "shop";
  private final String name;
  private Map<String, String> labels = Map.of("app", "web");
  private Map<String, String> annotations = Map.of();
  private String resourceVersion = "";
  private String uid = "";
  private String source = "";
  private String node = "node-a";
  private boolean hostNetwork;
  private String hostname = "";
  private List<ContainerPortDraft> ports = List.of(new ContainerPortDraft("http", "", 8080));
  private Optional<ProbeDraft> probe = Optional.empty();
  private Optional<ProbeDraft> startupProbe = Optional.empty();
  private List<ContainerDraft> initContainers = List.of();
  private List<String> gates = List.of();
  private boolean withContainer = true;
  private String phase = "";
  private String podIp = "";
  private final List<String> podIps = new ArrayList<>();

  private TestPod(String name) {
    this.name = name;
  }

  public static TestPod pod(String name) {
    return new TestPod(name);
  }

  public TestPod namespace(String value) {
    namespace = value;
    return this;
  }

  public TestPod labels(Map<String, String> value) {
    labels = value;
    return this;
  }

  public TestPod annotations(Map<String, String> value) {
    annotations = value;
    return this;
  }

  public TestPod resourceVersion(String value) {
    resourceVersion = value;
    return this;
  }

  public TestPod uid(String value) {
    uid = value;
    return this;
  }

  public TestPod source(String value) {
    source = value;
    return this;
  }

  public TestPod node(String value) {
    node = value;
    return this;
  }

  public TestPod onHostNetwork() {
    hostNetwork = true;
    return this;
  }

  public TestPod hostname(String value) {
    hostname = value;
    return this;
  }

  public TestPod ports(ContainerPortDraft... value) {
    ports = List.of(value);
    return this;
  }

  public TestPod withoutContainers() {
    withContainer = false;
    return this;
  }

  public TestPod probe(ProbeDraft value) {
    probe = Optional.of(value);
    return this;
  }

  /** An httpGet probe that leaves everything to the defaults. */
  public TestPod httpProbe(String port) {
    return probe(httpGet(port, OptionalInt.empty()));
  }

  public static ProbeDraft httpGet(String port, OptionalInt timeoutSeconds) {
    return new ProbeDraft(
        Optional.of(new HttpGetDraft("", "", port, "", List.of())),
        Optional.empty(),
        OptionalInt.empty(),
        OptionalInt.empty(),
        timeoutSeconds,
        OptionalInt.empty(),
        OptionalInt.empty());
  }

  public TestPod tcpProbe(String port) {
    return probe(
        new ProbeDraft(
            Optional.empty(),
            Optional.of(new TcpSocketDraft("", port)),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty()));
  }

  public TestPod startupProbe(ProbeDraft value) {
    startupProbe = Optional.of(value);
    return this;
  }

  public TestPod initContainers(ContainerDraft... value) {
    initContainers = List.of(value);
    return this;
  }

  /** A container with ports and nothing else. */
  public static ContainerDraft container(
      String name, String restartPolicy, ContainerPortDraft... ports) {
    return new ContainerDraft(
        name,
        "",
        List.of(),
        List.of(),
        Map.of(),
        List.of(ports),
        Optional.empty(),
        "",
        Optional.empty(),
        restartPolicy);
  }

  public TestPod gates(String... value) {
    gates = List.of(value);
    return this;
  }

  public TestPod phase(String value) {
    phase = value;
    return this;
  }

  public TestPod ip(String value) {
    podIp = value;
    return this;
  }

  public TestPod ips(String... values) {
    podIps.addAll(List.of(values));
    return this;
  }

  public PodDraft draft() {
    return new PodDraft(
        namespace,
        name,
        labels,
        annotations,
        resourceVersion,
        uid,
        source,
        node,
        hostNetwork,
        hostname,
        "",
        withContainer
            ? List.of(
                new ContainerDraft(
                    "main", "", List.of(), List.of(), Map.of(), ports, probe, "", startupProbe, ""))
            : List.of(),
        "",
        OptionalLong.empty(),
        phase,
        podIp,
        podIps,
        "",
        initContainers,
        gates,
        Optional.empty());
  }
}
