package io.fairlead.api.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.manifest.ManifestObject.OfNamespace;
import io.fairlead.api.manifest.ManifestObject.OfPod;
import io.fairlead.api.manifest.ManifestObject.OfService;
import io.fairlead.v1.ContainerPort;
import io.fairlead.v1.HttpHeader;
import io.fairlead.v1.Node;
import io.fairlead.v1.Pod;
import io.fairlead.v1.Service;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class ManifestsTest {
  private static final String SERVICE =
      """
      # The example everybody begins with
      apiVersion: v1
      kind: Service
      metadata:
        name: backend-service
        namespace: shop
        labels: {app: backend}
        annotations:
          fairlead.io/load-balancing: round-robin
      spec:
        selector:
          app: backend
        clusterIP: 10.96.0.20
        ipFamilies: [IPv4]
        ipFamilyPolicy: SingleStack
        ports:
        - name: http
          port: 80
          targetPort: 8080
        - name: dns
          protocol: UDP
          port: 53
          targetPort: dns
          appProtocol: example.com/x
        sessionAffinity: ClientIP
        sessionAffinityConfig:
          clientIP:
            timeoutSeconds: 60
        internalTrafficPolicy: Local
        trafficDistribution: PreferSameZone
        publishNotReadyAddresses: true
      """;

  private static final String POD =
      """
      apiVersion: v1
      kind: Pod
      metadata:
        name: backend-1
        labels:
          app: backend
      spec:
        nodeName: node-a
        hostname: b1
        subdomain: backend
        restartPolicy: OnFailure
        terminationGracePeriodSeconds: 5
        priority: 7
        volumes:
        - name: data
          emptyDir: {}
        containers:
        - name: main
          image: nginx:1
          command: [nginx, -g, "daemon off;"]
          workingDir: /srv
          env:
          - name: MODE
            value: "1"
          - name: SECRET
            valueFrom: {secretKeyRef: {name: s, key: k}}
          ports:
          - name: web
            containerPort: 8080
          resources:
            limits: {cpu: 100m}
          readinessProbe:
            httpGet:
              path: /healthz
              port: web
              httpHeaders:
              - name: X-Probe
                value: "yes"
            initialDelaySeconds: 0
            periodSeconds: 1
      status:
        podIP: 10.244.0.7
        podIPs:
        - ip: 10.244.0.7
        - ip: fd00:244::7
        phase: Running
      """;

  private static Manifests.Read clean(String text) {
    var read = Manifests.read("test.yaml", text);
    assertThat(read.faults()).isEmpty();
    return read;
  }

  private static Service service(String text) {
    var items = clean(text).items();
    assertThat(items).hasSize(1);
    return ((OfService) items.getFirst().object()).service();
  }

  private static Pod pod(String text) {
    var items = clean(text).items();
    assertThat(items).hasSize(1);
    return ((OfPod) items.getFirst().object()).pod();
  }

  @Test
  void readsAService() {
    var service = service(SERVICE);
    assertThat(service.getMetadata().getNamespace()).isEqualTo("shop");
    assertThat(service.getMetadata().getLabelsMap()).isEqualTo(Map.of("app", "backend"));
    var spec = service.getSpec();
    assertThat(spec.getClusterIp()).isEqualTo("10.96.0.20");
    assertThat(spec.getPorts(0).getTargetPort()).isEqualTo("8080");
    assertThat(spec.getPorts(1).getTargetPort()).isEqualTo("dns");
    assertThat(spec.getPorts(1).getProtocol()).isEqualTo("UDP");
    assertThat(spec.getSessionAffinityConfig().getClientIp().getTimeoutSeconds()).isEqualTo(60);
    assertThat(spec.getPublishNotReadyAddresses()).isTrue();
    assertThat(spec.getType()).isEmpty();
  }

  @Test
  void readsAPodAndWarnsOfWhatHasNoEffect() {
    var pod = pod(POD);
    var container = pod.getSpec().getContainers(0);
    assertThat(pod.getSpec().getRestartPolicy()).isEqualTo("OnFailure");
    assertThat(pod.getSpec().getTerminationGracePeriodSeconds()).isEqualTo(5);
    assertThat(container.getWorkingDir()).isEqualTo("/srv");
    assertThat(container.getEnvMap()).isEqualTo(Map.of("MODE", "1"));
    assertThat(container.getPortsList())
        .containsExactly(ContainerPort.newBuilder().setName("web").setContainerPort(8080).build());
    assertThat(container.getReadinessProbe().getHttpGet().getHttpHeadersList())
        .containsExactly(HttpHeader.newBuilder().setName("X-Probe").setValue("yes").build());
    assertThat(container.getReadinessProbe().hasInitialDelaySeconds()).isTrue();
    assertThat(container.getReadinessProbe().hasTimeoutSeconds()).isFalse();
    assertThat(pod.getStatus().getPodIpsList()).containsExactly("10.244.0.7", "fd00:244::7");
    assertThat(clean(POD).warnings())
        .extracting(Note::toString)
        .containsExactlyInAnyOrder(
            "test.yaml:13: spec.priority: has no meaning here and is ignored",
            "test.yaml:15: spec.volumes: has no meaning here and is ignored",
            "test.yaml:26: spec.containers[0].env[1].valueFrom: has no meaning here and is ignored",
            "test.yaml:31: spec.containers[0].resources: has no meaning here and is ignored");
  }

  @Test
  void readsManyDocumentsAndLists() {
    var read =
        clean(
            SERVICE
                + "---\n---\n"
                + POD
                + """
                ---
                apiVersion: v1
                kind: Namespace
                metadata: {name: shop}
                ---
                apiVersion: v1
                kind: List
                items:
                - {apiVersion: v1, kind: Service, metadata: {name: a}}
                - {apiVersion: v1, kind: Service, metadata: {name: b}}
                """);
    assertThat(read.items())
        .extracting(item -> item.object().title())
        .containsExactly(
            "service/backend-service", "pod/backend-1", "namespace/shop", "service/a", "service/b");
    assertThat(read.items().get(2).object())
        .isInstanceOfSatisfying(
            OfNamespace.class,
            of -> assertThat(of.namespace().getMetadata().getName()).isEqualTo("shop"));
  }

  @Test
  void readsJson() {
    assertThat(
            service(
                    """
                    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                     "spec": {"ports": [{"port": 80, "targetPort": "http"}]}}
                    """)
                .getSpec()
                .getPorts(0)
                .getTargetPort())
        .isEqualTo("http");
  }

  @Test
  void nullIsAbsent() {
    var service =
        service(
            "apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: null}\nspec: {type: ~, ports: }\n");
    assertThat(service.getSpec().getPortsCount()).isZero();
  }

  @Test
  void aliasesStandForWhatTheyName() {
    var read =
        clean(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: a, labels: &l {app: web}}
            spec:
              selector: *l
            """);
    assertThat(((OfService) read.items().getFirst().object()).service().getSpec().getSelectorMap())
        .isEqualTo(Map.of("app", "web"));
  }

  record Case(String name, String text, List<String> faults) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static String spec(String spec) {
    return "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n" + spec.indent(2);
  }

  static List<Case> faulty() {
    return List.of(
        new Case(
            "all faults at once, by path and line",
            spec(
                """
                clusterIp: 10.96.0.1
                ports:
                - prt: 80
                  targetPort: [1]
                - port: "80"
                selector: {app: 1}
                """),
            List.of(
                "m.yaml:5: spec.clusterIp: unknown field; did you mean clusterIP?",
                "m.yaml:7: spec.ports[0].prt: unknown field; did you mean port?",
                "m.yaml:8: spec.ports[0].targetPort: Invalid value: must be text, not a list",
                "m.yaml:9: spec.ports[1].port: Invalid value: \"80\": must be a whole number",
                "m.yaml:10: spec.selector[app]: Invalid value: must be text: put it in quotes, \"1\"")),
        new Case(
            "field twice",
            spec("type: ClusterIP\ntype: ClusterIP\n"),
            List.of("m.yaml:6: spec.type: Duplicate value: is given twice")),
        new Case(
            "number too large",
            spec("ports: [{port: 99999999999}]"),
            List.of(
                "m.yaml:5: spec.ports[0].port: Invalid value: 99999999999: must be a whole number of 32 bits")),
        new Case(
            "not true or false",
            spec("publishNotReadyAddresses: yes"),
            List.of(
                "m.yaml:5: spec.publishNotReadyAddresses: Invalid value: \"yes\": must be true or false")),
        new Case(
            "mapping wanted",
            spec("selector: [app]"),
            List.of("m.yaml:5: spec.selector: Invalid value: must be a mapping, not a list")),
        new Case(
            "list wanted",
            spec("ports: {port: 80}"),
            List.of("m.yaml:5: spec.ports: Invalid value: must be a list, not a mapping")),
        new Case(
            "kind of another API",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n",
            List.of(
                "m.yaml:2: Deployment \"a\" is not supported: nothing here makes Pods of a template; apply its Pods, "
                    + "spec.template as kind: Pod, one for each replica")),
        new Case(
            "unknown kind",
            "apiVersion: example.com/v2\nkind: Frob\n",
            List.of(
                "m.yaml:2: Frob (example.com/v2) is not supported: apply takes Service, Pod, Namespace and List, all of v1, EndpointSlice of discovery.k8s.io/v1, and ServiceCIDR of networking.k8s.io/v1")),
        new Case(
            "kind of another version",
            "apiVersion: v2\nkind: Service\nmetadata: {name: a}\n",
            List.of("m.yaml:2: Service \"a\" of v2 is not supported: apiVersion must be v1")),
        new Case(
            "fields of other types of Services",
            spec("externalIPs: [192.0.2.1]\n"),
            List.of(
                "m.yaml:5: spec.externalIPs: Forbidden: a Service here has its name and its ClusterIP, nothing outside")),
        new Case(
            "field that no namespace has",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\nspec: {finalizers: [kubernetes], quota: 1}\n",
            List.of("m.yaml:4: spec.quota: unknown field")),
        new Case(
            "no kind",
            "apiVersion: v1\nmetadata: {name: a}\n",
            List.of("m.yaml:1: kind: Required value: e.g. apiVersion: v1, kind: Service")),
        new Case(
            "no metadata",
            "apiVersion: v1\nkind: Pod\n",
            List.of("m.yaml:1: metadata: Required value: with a name")),
        new Case(
            "metadata that is text",
            "apiVersion: v1\nkind: Pod\nmetadata: x\n",
            List.of("m.yaml:3: metadata: Invalid value: \"x\": must be a mapping")),
        new Case(
            "a probe's command that is no text",
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: a}
            spec:
              containers:
              - name: m
                readinessProbe:
                  exec: {command: [true]}
            """,
            List.of(
                "m.yaml:8: spec.containers[0].readinessProbe.exec.command[0]: Invalid value: must be text: put it in quotes, \"true\"")),
        new Case(
            "a List in a List",
            "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List}]\n",
            List.of("m.yaml:3: items[0].kind: Forbidden: a List in a List")),
        new Case(
            "text", "hello\n", List.of("m.yaml:1: Invalid value: \"hello\": must be a mapping")),
        new Case(
            "key that is no text",
            "apiVersion: v1\nkind: Service\nmetadata: {[a]: b}\n",
            List.of("m.yaml:3: metadata: Invalid value: names of fields must be text")));
  }

  @ParameterizedTest
  @MethodSource("faulty")
  void namesWhatIsWrongAndWhere(Case row) {
    assertThat(Manifests.read("m.yaml", row.text()).faults())
        .extracting(Note::toString)
        .containsExactlyElementsOf(row.faults());
  }

  @Test
  void saysWhereTheSyntaxIsBroken() {
    assertThat(Manifests.read("m.yaml", "a: b\n c: [\n").faults())
        .singleElement()
        .asString()
        .startsWith("m.yaml:2: not YAML: ");
  }

  @Test
  void boundsDepth() {
    assertThat(Manifests.read("m", "[".repeat(100_000)).faults())
        .extracting(Note::toString)
        .containsExactly("m:1: nested deeper than 64");
  }

  @Test
  void boundsSize() {
    assertThat(Manifests.read("m", " ".repeat(5_000_000)).faults())
        .extracting(Note::toString)
        .containsExactly("m:1: larger than 4194304 characters");
  }

  @Test
  void boundsAliases() {
    var many = new StringBuilder("a: &a [1]\nb:\n");
    many.repeat("- *a\n", 1_001);
    assertThat(Manifests.read("m", many.toString()).faults())
        .extracting(Note::message)
        .containsExactly("more than 1000 aliases");
  }

  @Test
  void boundsWhatAliasesMakeOfIt() {
    var bomb = new StringBuilder("apiVersion: v1\nkind: List\nitems:\n");
    bomb.append("- &s\n  apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n    labels:\n");
    for (int i = 0; i < 2_000; i++) {
      bomb.append("      l").append(i).append(": x\n");
    }
    bomb.repeat("- *s\n", 900);
    assertThat(Manifests.read("m", bomb.toString()).faults())
        .extracting(Note::message)
        .containsExactly("more than 500000 values once aliases are expanded");
  }

  @Test
  void anAliasOfItselfIsNoEndlessLoop() {
    assertThat(Manifests.read("m", "&a\napiVersion: v1\nkind: List\nitems: [*a]\n").faults())
        .isNotEmpty();
    assertThat(
            Manifests.read(
                    "m", "apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: &l {x: *l}}\n")
                .faults())
        .isNotEmpty();
  }

  @Test
  void whatIsWrittenReadsTheSame() {
    var service = service(SERVICE);
    assertThat(service(ManifestWriter.yaml(ManifestWriter.tree(service)))).isEqualTo(service);
    assertThat(service(ManifestWriter.json(ManifestWriter.tree(service)))).isEqualTo(service);
    var pod = pod(POD);
    assertThat(pod(ManifestWriter.yaml(ManifestWriter.tree(pod)))).isEqualTo(pod);
    assertThat(pod(ManifestWriter.json(ManifestWriter.tree(pod)))).isEqualTo(pod);
  }

  @Test
  void writesAsKubectlDoes() {
    var service =
        service(
            "apiVersion: v1\nkind: Service\nmetadata: {name: web, annotations: {a: \"line 1\\nline \\\"2\\\"\"}}\nspec: {ports: [{port: 80, targetPort: 8080}], selector: {on: \"true\"}}\n");
    assertThat(ManifestWriter.yaml(ManifestWriter.tree(service)))
        .isEqualTo(
            """
            apiVersion: v1
            kind: Service
            metadata:
              annotations:
                a: |-
                  line 1
                  line "2"
              name: web
            spec:
              ports:
              - port: 80
                targetPort: 8080
              selector:
                "on": "true"
            status:
              loadBalancer: {}
            """);
    assertThat(ManifestWriter.json(ManifestWriter.tree(service)))
        .contains("\"a\": \"line 1\\nline \\\"2\\\"\"", "        \"ports\": [\n            {\n");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "yes|\"yes\"",
        "``|\"\"",
        "8080|\"8080\"",
        "1.2|\"1.2\"",
        "12e03|\"12e03\"",
        "0x1f|\"0x1f\"",
        "1:30|\"1:30\"",
        "~|\"~\"",
        "2026-11-01T12:00:00Z|\"2026-11-01T12:00:00Z\"",
        "1.2.3|1.2.3",
        "10.0.0.1|10.0.0.1",
        "fd00::a|fd00::a",
        "http://x:80/|http://x:80/",
        "[::1]:80|'[::1]:80'",
        "a: b|'a: b'",
        "- x|'- x'",
        "` x`|' x'",
      })
  void quotesTextsAsKubectlDoes(String text, String written) {
    assertThat(ManifestWriter.yaml(Map.of("key", text))).isEqualTo("key: " + written + "\n");
  }

  @Test
  void writesNodesAndLists() {
    var node =
        Node.newBuilder().setState("Ready").addAddresses("192.0.2.1").addPodCidrs("10.244.0.0/24");
    node.getMetadataBuilder().setName("node-a");
    var list = ManifestWriter.list(List.of(ManifestWriter.tree(node.build())));
    assertThat(ManifestWriter.yaml(list))
        .startsWith("apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Node\n")
        .contains("podCIDR: 10.244.0.0/24", "type: InternalIP", "kind: List");
  }

  private static final String PROBED =
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: web}
      spec:
        enableServiceLinks: false
        readinessGates:
        - conditionType: example.com/loaded
        initContainers:
        - name: setup
        - name: proxy
          restartPolicy: Always
        containers:
        - name: main
          startupProbe:
            exec: {command: [cat, /ok]}
            terminationGracePeriodSeconds: 5
          readinessProbe:
            httpGet:
              port: 80
              httpHeaders:
              - {name: X-A, value: "1"}
              - {name: X-A, value: "2"}
        - name: side
          restartPolicy: Always
          readinessProbe:
            grpc: {port: 9000, service: shop.Web}
      """;

  @Test
  void readsProbesGatesAndInitContainersAndWritesWhatItReads() {
    var spec = pod(PROBED).getSpec();
    assertThat(spec.getEnableServiceLinks()).isFalse();
    assertThat(spec.getReadinessGates(0).getConditionType()).isEqualTo("example.com/loaded");
    assertThat(spec.getInitContainersList())
        .extracting(c -> c.getName() + c.getRestartPolicy())
        .containsExactly("setup", "proxyAlways");
    assertThat(spec.getContainers(0).getStartupProbe().getExec().getCommandList())
        .containsExactly("cat", "/ok");
    assertThat(spec.getContainers(0).getReadinessProbe().getHttpGet().getHttpHeadersList())
        .extracting(h -> h.getName() + h.getValue())
        .containsExactly("X-A1", "X-A2");
    assertThat(spec.getContainers(1).getReadinessProbe().getGrpc().getService())
        .isEqualTo("shop.Web");
    assertThat(clean(PROBED).warnings())
        .extracting(Note::toString)
        .containsExactly(
            "test.yaml:9: spec.initContainers: are not started where Pods run as processes",
            "test.yaml:24: spec.containers[1].restartPolicy: has no meaning here and is ignored");
    var written = ManifestWriter.yaml(ManifestWriter.tree(pod(PROBED)));
    assertThat(pod(written).getSpec()).isEqualTo(spec);
  }
}
