package io.fairlead.api;

import io.fairlead.core.decide.ServiceDraft;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.model.ServiceSpec.Balancing;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Services: what users send, as drafts; what is stored, with every default spelled out as
 * Kubernetes does.
 */
public final class ServiceCodec {
  private ServiceCodec() {}

  /** What was sent, unchecked. */
  public static ServiceDraft draft(io.fairlead.v1.Service proto) {
    var meta = proto.getMetadata();
    var spec = proto.getSpec();
    var clientIp = spec.getSessionAffinityConfig().getClientIp();
    return new ServiceDraft(
        meta.getNamespace(),
        meta.getName(),
        meta.getGenerateName(),
        meta.getLabelsMap(),
        meta.getAnnotationsMap(),
        meta.getResourceVersion(),
        meta.getUid(),
        spec.getType(),
        spec.getClusterIp(),
        spec.getClusterIpsList(),
        spec.getIpFamiliesList(),
        spec.getIpFamilyPolicy(),
        spec.getSelectorMap(),
        spec.getPortsList().stream().map(ServiceCodec::draft).toList(),
        spec.getSessionAffinity(),
        clientIp.hasTimeoutSeconds()
            ? OptionalInt.of(clientIp.getTimeoutSeconds())
            : OptionalInt.empty(),
        spec.getInternalTrafficPolicy(),
        spec.getTrafficDistribution(),
        spec.getPublishNotReadyAddresses(),
        spec.getExternalName());
  }

  private static ServiceDraft.PortDraft draft(io.fairlead.v1.ServicePort port) {
    return new ServiceDraft.PortDraft(
        port.getName(),
        port.getProtocol(),
        port.getPort(),
        port.getTargetPort(),
        port.getAppProtocol(),
        port.getNodePort());
  }

  /** As stored; without a version where it is pending. */
  public static io.fairlead.v1.Service proto(Versioned<Service> service) {
    return proto(
        service.object(),
        service.isPending() ? OptionalLong.empty() : OptionalLong.of(service.offset()));
  }

  /** As stored. */
  public static io.fairlead.v1.Service proto(Service service, OptionalLong version) {
    // What balances it was decided when it was created: shown, so that people need not guess.
    var meta =
        Metas.proto(service.meta(), version)
            .putAnnotations(Balancing.ANNOTATION, service.spec().balancing().text());
    return io.fairlead.v1.Service.newBuilder()
        .setMetadata(meta)
        .setSpec(proto(service.spec()))
        .build();
  }

  private static io.fairlead.v1.ServiceSpec proto(ServiceSpec spec) {
    var proto =
        io.fairlead.v1.ServiceSpec.newBuilder()
            .putAllSelector(spec.selector())
            .setPublishNotReadyAddresses(spec.publishNotReadyAddresses())
            .setSessionAffinity(spec.clientIpAffinity().isPresent() ? "ClientIP" : "None");
    switch (spec.exposure()) {
      case EXTERNAL_NAME -> {
        proto.setType("ExternalName");
        spec.externalName().ifPresent(proto::setExternalName);
      }
      case HEADLESS -> clusterIp(proto, spec, List.of("None"));
      case CLUSTER_IP ->
          clusterIp(proto, spec, spec.clusterIps().stream().map(Address::toString).toList());
    }
    spec.ports().forEach(port -> proto.addPorts(proto(port)));
    spec.clientIpAffinity()
        .ifPresent(timeout ->
            proto
                .getSessionAffinityConfigBuilder()
                .getClientIpBuilder()
                .setTimeoutSeconds(Math.toIntExact(timeout.toSeconds())));
    spec.trafficDistribution().ifPresent(d -> proto.setTrafficDistribution(d.text()));
    return proto.build();
  }

  private static void clusterIp(
      io.fairlead.v1.ServiceSpec.Builder proto, ServiceSpec spec, List<String> clusterIps) {
    proto
        .setType("ClusterIP")
        .addAllClusterIps(clusterIps)
        .addAllIpFamilies(spec.ipFamilies().stream().map(Family::text).toList())
        .setIpFamilyPolicy(spec.ipFamilyPolicy().text())
        .setInternalTrafficPolicy(spec.internalTrafficPolicy().text());
    if (!clusterIps.isEmpty()) { // none: an older Service of an imported log holds its address
      proto.setClusterIp(clusterIps.getFirst());
    }
  }

  private static io.fairlead.v1.ServicePort proto(ServicePort port) {
    var proto =
        io.fairlead.v1.ServicePort.newBuilder()
            .setName(port.name())
            .setProtocol(port.protocol().name())
            .setPort(port.port())
            .setTargetPort(port.targetPort().toString());
    port.appProtocol().ifPresent(proto::setAppProtocol);
    return proto.build();
  }

  /**
   * What {@link #proto(Service, OptionalLong)} wrote.
   *
   * @throws IllegalArgumentException it is something else
   */
  public static Service model(io.fairlead.v1.Service proto) {
    var meta = Metas.model(proto.getMetadata());
    var balancing =
        Metas.constant(
            Balancing.values(),
            Balancing::text,
            meta.annotations().getOrDefault(Balancing.ANNOTATION, Balancing.ROUND_ROBIN.text()));
    return new Service(meta, model(proto.getSpec(), balancing));
  }

  private static ServiceSpec model(io.fairlead.v1.ServiceSpec proto, Balancing balancing) {
    var headless = proto.getClusterIp().equals("None");
    var exposure =
        proto.getType().equals("ExternalName")
            ? ServiceSpec.Exposure.EXTERNAL_NAME
            : headless ? ServiceSpec.Exposure.HEADLESS : ServiceSpec.Exposure.CLUSTER_IP;
    var policies = ServiceSpec.IpFamilyPolicy.values();
    var traffic = ServiceSpec.TrafficPolicy.values();
    return new ServiceSpec(
        exposure,
        headless ? List.of() : proto.getClusterIpsList().stream().map(Address::of).toList(),
        proto.getIpFamiliesList().stream()
            .map(text -> Metas.constant(Family.values(), Family::text, text))
            .toList(),
        Metas.present(proto.getIpFamilyPolicy())
            .map(text -> Metas.constant(policies, ServiceSpec.IpFamilyPolicy::text, text))
            .orElse(ServiceSpec.IpFamilyPolicy.SINGLE_STACK),
        new TreeMap<>(proto.getSelectorMap()),
        proto.getPortsList().stream().map(ServiceCodec::model).toList(),
        proto.getSessionAffinity().equals("ClientIP")
            ? Optional.of(
                Duration.ofSeconds(
                    proto.getSessionAffinityConfig().getClientIp().getTimeoutSeconds()))
            : Optional.empty(),
        Metas.present(proto.getInternalTrafficPolicy())
            .map(text -> Metas.constant(traffic, ServiceSpec.TrafficPolicy::text, text))
            .orElse(ServiceSpec.TrafficPolicy.CLUSTER),
        Metas.present(proto.getTrafficDistribution())
            .map(text ->
                Metas.constant(
                    ServiceSpec.TrafficDistribution.values(),
                    ServiceSpec.TrafficDistribution::text,
                    text)),
        proto.getPublishNotReadyAddresses(),
        Metas.present(proto.getExternalName()),
        balancing);
  }

  private static ServicePort model(io.fairlead.v1.ServicePort proto) {
    return new ServicePort(
        proto.getName(),
        Protocol.valueOf(proto.getProtocol()),
        proto.getPort(),
        Metas.isNumber(proto.getTargetPort())
            ? new PortRef.Number(Integer.parseInt(proto.getTargetPort()))
            : new PortRef.Name(proto.getTargetPort()),
        Metas.present(proto.getAppProtocol()));
  }
}
