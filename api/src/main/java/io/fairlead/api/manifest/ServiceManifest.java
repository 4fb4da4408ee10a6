package io.fairlead.api.manifest;

import io.fairlead.v1.Service;
import io.fairlead.v1.ServicePort;
import io.fairlead.v1.ServiceSpec;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** {@code v1} Service. */
final class ServiceManifest {
  private static final Set<String> FORBIDDEN =
      Set.of(
          "allocateLoadBalancerNodePorts",
          "externalIPs",
          "externalTrafficPolicy",
          "healthCheckNodePort",
          "loadBalancerClass",
          "loadBalancerIP",
          "loadBalancerSourceRanges");

  private ServiceManifest() {}

  static Service read(YamlObject object) {
    var proto = Service.newBuilder().setMetadata(Manifests.meta(object));
    object.object("spec").ifPresent(spec -> proto.setSpec(spec(spec)));
    object.ignoreSilently(Set.of("status"));
    object.done();
    return proto.build();
  }

  private static ServiceSpec spec(YamlObject spec) {
    var proto =
        ServiceSpec.newBuilder()
            .setType(spec.text("type"))
            .setClusterIp(spec.text("clusterIP"))
            .addAllClusterIps(spec.textList("clusterIPs"))
            .addAllIpFamilies(spec.textList("ipFamilies"))
            .setIpFamilyPolicy(spec.text("ipFamilyPolicy"))
            .putAllSelector(spec.texts("selector"))
            .setSessionAffinity(spec.text("sessionAffinity"))
            .setInternalTrafficPolicy(spec.text("internalTrafficPolicy"))
            .setTrafficDistribution(spec.text("trafficDistribution"))
            .setPublishNotReadyAddresses(spec.bool("publishNotReadyAddresses"))
            .setExternalName(spec.text("externalName"));
    for (var port : spec.objects("ports")) {
      proto.addPorts(port(port));
    }
    spec.object("sessionAffinityConfig")
        .ifPresent(config -> {
          var affinity = proto.getSessionAffinityConfigBuilder();
          config
              .object("clientIP")
              .ifPresent(clientIp -> {
                clientIp
                    .integer("timeoutSeconds")
                    .ifPresent(affinity.getClientIpBuilder()::setTimeoutSeconds);
                clientIp.done();
              });
          config.done();
        });
    spec.forbid(FORBIDDEN, "a Service here has its name and its ClusterIP, nothing outside");
    spec.done();
    return proto.build();
  }

  private static ServicePort port(YamlObject port) {
    var proto =
        ServicePort.newBuilder()
            .setName(port.text("name"))
            .setProtocol(port.text("protocol"))
            .setPort(port.integer("port").orElse(0))
            .setTargetPort(port.integerOrText("targetPort"))
            .setAppProtocol(port.text("appProtocol"))
            .setNodePort(port.integer("nodePort").orElse(0));
    port.done();
    return proto.build();
  }

  /** In the order of {@code kubectl get -o yaml}: keys sorted. */
  static Map<String, Object> tree(Service service) {
    var spec = service.getSpec();
    var tree = new Tree();
    tree.put("clusterIP", spec.getClusterIp());
    tree.put("clusterIPs", spec.getClusterIpsList());
    tree.put("externalName", spec.getExternalName());
    tree.put("internalTrafficPolicy", spec.getInternalTrafficPolicy());
    tree.put("ipFamilies", spec.getIpFamiliesList());
    tree.put("ipFamilyPolicy", spec.getIpFamilyPolicy());
    tree.put("ports", spec.getPortsList().stream().map(ServiceManifest::tree).toList());
    if (spec.getPublishNotReadyAddresses()) {
      tree.put("publishNotReadyAddresses", true);
    }
    tree.put("selector", Tree.sorted(spec.getSelectorMap()));
    tree.put("sessionAffinity", spec.getSessionAffinity());
    if (spec.getSessionAffinityConfig().getClientIp().hasTimeoutSeconds()) {
      tree.put(
          "sessionAffinityConfig",
          Map.of(
              "clientIP",
              Map.of(
                  "timeoutSeconds",
                  spec.getSessionAffinityConfig().getClientIp().getTimeoutSeconds())));
    }
    tree.put("trafficDistribution", spec.getTrafficDistribution());
    tree.put("type", spec.getType());
    var status = new LinkedHashMap<String, Object>();
    status.put("loadBalancer", Map.of()); // as every Service of Kubernetes has it
    return Tree.object("Service", service.getMetadata(), tree.map(), status);
  }

  private static Map<String, Object> tree(ServicePort port) {
    var tree = new Tree();
    tree.put("appProtocol", port.getAppProtocol());
    tree.put("name", port.getName());
    tree.put("port", port.getPort());
    tree.put("protocol", port.getProtocol());
    tree.put("targetPort", Tree.integerOrText(port.getTargetPort()));
    return tree.map();
  }
}
