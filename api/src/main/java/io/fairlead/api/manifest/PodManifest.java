package io.fairlead.api.manifest;

import io.fairlead.v1.Container;
import io.fairlead.v1.ContainerPort;
import io.fairlead.v1.HttpGetAction;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodCondition;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.Probe;
import io.fairlead.v1.TcpSocketAction;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** {@code v1} Pod. */
final class PodManifest {
  private static final Set<String> SPEC_IGNORED =
      Set.of(
          "activeDeadlineSeconds",
          "affinity",
          "automountServiceAccountToken",
          "dnsConfig",
          "dnsPolicy",
          "ephemeralContainers",
          "hostAliases",
          "hostIPC",
          "hostPID",
          "hostUsers",
          "imagePullSecrets",
          "nodeSelector",
          "os",
          "overhead",
          "preemptionPolicy",
          "priority",
          "priorityClassName",
          "resourceClaims",
          "resources",
          "runtimeClassName",
          "schedulerName",
          "schedulingGates",
          "securityContext",
          "serviceAccount",
          "serviceAccountName",
          "setHostnameAsFQDN",
          "shareProcessNamespace",
          "tolerations",
          "topologySpreadConstraints",
          "volumes");
  private static final Set<String> CONTAINER_IGNORED =
      Set.of(
          "envFrom",
          "imagePullPolicy",
          "lifecycle",
          "livenessProbe",
          "resizePolicy",
          "resources",
          "restartPolicy",
          "securityContext",
          "stdin",
          "stdinOnce",
          "terminationMessagePath",
          "terminationMessagePolicy",
          "tty",
          "volumeDevices",
          "volumeMounts");
  private static final Set<String> INIT_IGNORED = without(CONTAINER_IGNORED, "restartPolicy");
  private static final Set<String> STATUS_IGNORED =
      Set.of(
          "conditions",
          "containerStatuses",
          "ephemeralContainerStatuses",
          "hostIP",
          "hostIPs",
          "initContainerStatuses",
          "message",
          "nominatedNodeName",
          "observedGeneration",
          "qosClass",
          "resize",
          "resourceClaimStatuses",
          "startTime");

  private PodManifest() {}

  private static Set<String> without(Set<String> names, String name) {
    var others = new HashSet<>(names);
    others.remove(name);
    return Set.copyOf(others);
  }

  static Pod read(YamlObject object) {
    var proto = Pod.newBuilder().setMetadata(Manifests.meta(object));
    object.object("spec").ifPresent(spec -> proto.setSpec(spec(spec)));
    object.object("status").ifPresent(status -> proto.setStatus(status(status)));
    object.done();
    return proto.build();
  }

  private static PodSpec spec(YamlObject spec) {
    var proto =
        PodSpec.newBuilder()
            .setNodeName(spec.text("nodeName"))
            .setHostNetwork(spec.bool("hostNetwork"))
            .setHostname(spec.text("hostname"))
            .setSubdomain(spec.text("subdomain"))
            .setRestartPolicy(spec.text("restartPolicy"));
    spec.integer("terminationGracePeriodSeconds")
        .ifPresent(proto::setTerminationGracePeriodSeconds);
    spec.objects("containers")
        .forEach(container -> proto.addContainers(container(container, CONTAINER_IGNORED)));
    spec.objects("initContainers")
        .forEach(c -> proto.addInitContainers(container(c, INIT_IGNORED)));
    spec.warn("initContainers", "are not started where Pods run as processes");
    for (var gate : spec.objects("readinessGates")) {
      proto.addReadinessGatesBuilder().setConditionType(gate.text("conditionType"));
      gate.done();
    }
    if (spec.has("enableServiceLinks")) {
      proto.setEnableServiceLinks(spec.bool("enableServiceLinks"));
    }
    spec.ignore(SPEC_IGNORED);
    spec.done();
    return proto.build();
  }

  private static PodStatus status(YamlObject status) {
    var proto =
        PodStatus.newBuilder()
            .setPhase(status.text("phase"))
            .setPodIp(status.text("podIP"))
            .setReason(status.text("reason"));
    for (var ip : status.objects("podIPs")) {
      proto.addPodIps(ip.text("ip"));
      ip.done();
    }
    status.ignoreSilently(STATUS_IGNORED);
    status.done();
    return proto.build();
  }

  private static Container container(YamlObject container, Set<String> ignored) {
    var proto =
        Container.newBuilder()
            .setName(container.text("name"))
            .setImage(container.text("image"))
            .addAllCommand(container.textList("command"))
            .addAllArgs(container.textList("args"))
            .setWorkingDir(container.text("workingDir"));
    for (var variable : container.objects("env")) {
      var name = variable.text("name");
      if (name.isEmpty()) {
        variable.fault("name", "Required value: a variable needs a name");
      } else if (!variable.has("valueFrom")) {
        proto.putEnv(name, variable.text("value"));
      }
      variable.ignore(Set.of("valueFrom"));
      variable.done();
    }
    for (var port : container.objects("ports")) {
      proto.addPorts(
          ContainerPort.newBuilder()
              .setName(port.text("name"))
              .setProtocol(port.text("protocol"))
              .setContainerPort(port.integer("containerPort").orElse(0)));
      port.ignore(Set.of("hostIP", "hostPort"));
      port.done();
    }
    container.object("readinessProbe").ifPresent(probe -> proto.setReadinessProbe(probe(probe)));
    container.object("startupProbe").ifPresent(probe -> proto.setStartupProbe(probe(probe)));
    if (!ignored.contains("restartPolicy")) {
      proto.setRestartPolicy(container.text("restartPolicy"));
    }
    container.ignore(ignored);
    container.done();
    return proto.build();
  }

  private static Probe probe(YamlObject probe) {
    var proto = Probe.newBuilder();
    probe.object("httpGet").ifPresent(action -> proto.setHttpGet(httpGet(action)));
    probe.object("tcpSocket").ifPresent(action -> proto.setTcpSocket(tcpSocket(action)));
    probe
        .object("exec")
        .ifPresent(action -> {
          proto.getExecBuilder().addAllCommand(action.textList("command"));
          action.done();
        });
    probe
        .object("grpc")
        .ifPresent(action -> {
          proto
              .getGrpcBuilder()
              .setPort(action.integer("port").orElse(0))
              .setService(action.text("service"));
          action.done();
        });
    probe.integer("initialDelaySeconds").ifPresent(proto::setInitialDelaySeconds);
    probe.integer("periodSeconds").ifPresent(proto::setPeriodSeconds);
    probe.integer("timeoutSeconds").ifPresent(proto::setTimeoutSeconds);
    probe.integer("successThreshold").ifPresent(proto::setSuccessThreshold);
    probe.integer("failureThreshold").ifPresent(proto::setFailureThreshold);
    probe
        .integer("terminationGracePeriodSeconds")
        .ifPresent(proto::setTerminationGracePeriodSeconds);
    probe.done();
    return proto.build();
  }

  private static HttpGetAction httpGet(YamlObject action) {
    var proto =
        HttpGetAction.newBuilder()
            .setScheme(action.text("scheme"))
            .setHost(action.text("host"))
            .setPort(action.integerOrText("port"))
            .setPath(action.text("path"));
    for (var header : action.objects("httpHeaders")) {
      proto.addHttpHeadersBuilder().setName(header.text("name")).setValue(header.text("value"));
      header.done();
    }
    action.done();
    return proto.build();
  }

  private static TcpSocketAction tcpSocket(YamlObject action) {
    var proto =
        TcpSocketAction.newBuilder()
            .setHost(action.text("host"))
            .setPort(action.integerOrText("port"));
    action.done();
    return proto.build();
  }

  /** In the order of {@code kubectl get -o yaml}: keys sorted. */
  static Map<String, Object> tree(Pod pod) {
    var spec = new Tree();
    spec.put(
        "containers", pod.getSpec().getContainersList().stream().map(PodManifest::tree).toList());
    if (pod.getSpec().hasEnableServiceLinks()) {
      spec.put("enableServiceLinks", pod.getSpec().getEnableServiceLinks());
    }
    if (pod.getSpec().getHostNetwork()) {
      spec.put("hostNetwork", true);
    }
    spec.put("hostname", pod.getSpec().getHostname());
    spec.put(
        "initContainers",
        pod.getSpec().getInitContainersList().stream().map(PodManifest::tree).toList());
    spec.put("nodeName", pod.getSpec().getNodeName());
    spec.put(
        "readinessGates",
        pod.getSpec().getReadinessGatesList().stream()
            .map(gate -> Map.of("conditionType", gate.getConditionType()))
            .toList());
    spec.put("restartPolicy", pod.getSpec().getRestartPolicy());
    spec.put("subdomain", pod.getSpec().getSubdomain());
    if (pod.getSpec().hasTerminationGracePeriodSeconds()) {
      spec.put("terminationGracePeriodSeconds", pod.getSpec().getTerminationGracePeriodSeconds());
    }
    return Tree.object("Pod", pod.getMetadata(), spec.map(), statusTree(pod));
  }

  private static Map<String, Object> statusTree(Pod pod) {
    var status = pod.getStatus();
    var tree = new Tree();
    tree.put(
        "conditions", status.getConditionsList().stream().map(PodManifest::conditionTree).toList());
    tree.put(
        "containerStatuses",
        status.getContainerStatusesList().stream().map(ContainerStatuses::tree).toList());
    tree.put("hostIP", status.getHostIp());
    tree.put("message", status.getMessage());
    tree.put("phase", status.getPhase());
    tree.put("podIP", status.getPodIp());
    tree.put("podIPs", status.getPodIpsList().stream().map(ip -> Map.of("ip", ip)).toList());
    tree.put("reason", status.getReason());
    return tree.map();
  }

  private static Map<String, Object> conditionTree(PodCondition condition) {
    var tree = new Tree();
    if (condition.hasLastTransitionTime()) {
      tree.put("lastTransitionTime", Tree.time(condition.getLastTransitionTime()));
    }
    tree.put("message", condition.getMessage());
    tree.put("reason", condition.getReason());
    tree.put("status", condition.getStatus());
    tree.put("type", condition.getType());
    return tree.map();
  }

  private static Map<String, Object> tree(Container container) {
    var tree = new Tree();
    tree.put("args", container.getArgsList());
    tree.put("command", container.getCommandList());
    var env = new ArrayList<Map<String, Object>>();
    Tree.sorted(container.getEnvMap())
        .forEach((name, value) -> {
          var variable = new Tree();
          variable.put("name", name);
          variable.put("value", value);
          env.add(variable.map());
        });
    tree.put("env", env);
    tree.put("image", container.getImage());
    tree.put("name", container.getName());
    tree.put("ports", container.getPortsList().stream().map(PodManifest::tree).toList());
    if (container.hasReadinessProbe()) {
      tree.put("readinessProbe", tree(container.getReadinessProbe()));
    }
    tree.put("restartPolicy", container.getRestartPolicy());
    if (container.hasStartupProbe()) {
      tree.put("startupProbe", tree(container.getStartupProbe()));
    }
    tree.put("workingDir", container.getWorkingDir());
    return tree.map();
  }

  private static Map<String, Object> tree(ContainerPort port) {
    var tree = new Tree();
    tree.put("containerPort", port.getContainerPort());
    tree.put("name", port.getName());
    tree.put("protocol", port.getProtocol());
    return tree.map();
  }

  private static Map<String, Object> tree(Probe probe) {
    var tree = new Tree();
    if (probe.hasExec()) {
      tree.put("exec", Map.of("command", probe.getExec().getCommandList()));
    }
    if (probe.hasFailureThreshold()) {
      tree.put("failureThreshold", probe.getFailureThreshold());
    }
    if (probe.hasGrpc()) {
      var grpc = new Tree();
      grpc.put("port", probe.getGrpc().getPort());
      grpc.put("service", probe.getGrpc().getService());
      tree.put("grpc", grpc.map());
    }
    if (probe.hasHttpGet()) {
      var http = new Tree();
      http.put("host", probe.getHttpGet().getHost());
      http.put(
          "httpHeaders",
          probe.getHttpGet().getHttpHeadersList().stream()
              .map(header -> Tree.of("name", header.getName(), "value", header.getValue()))
              .toList());
      http.put("path", probe.getHttpGet().getPath());
      http.put("port", Tree.integerOrText(probe.getHttpGet().getPort()));
      http.put("scheme", probe.getHttpGet().getScheme());
      tree.put("httpGet", http.map());
    }
    if (probe.hasInitialDelaySeconds()) {
      tree.put("initialDelaySeconds", probe.getInitialDelaySeconds());
    }
    if (probe.hasPeriodSeconds()) {
      tree.put("periodSeconds", probe.getPeriodSeconds());
    }
    if (probe.hasSuccessThreshold()) {
      tree.put("successThreshold", probe.getSuccessThreshold());
    }
    if (probe.hasTcpSocket()) {
      var tcp = new Tree();
      tcp.put("host", probe.getTcpSocket().getHost());
      tcp.put("port", Tree.integerOrText(probe.getTcpSocket().getPort()));
      tree.put("tcpSocket", tcp.map());
    }
    if (probe.hasTerminationGracePeriodSeconds()) {
      tree.put("terminationGracePeriodSeconds", probe.getTerminationGracePeriodSeconds());
    }
    if (probe.hasTimeoutSeconds()) {
      tree.put("timeoutSeconds", probe.getTimeoutSeconds());
    }
    return tree.map();
  }
}
