package io.fairlead.api;

import io.fairlead.core.decide.SliceDraft;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.view.Endpoint;
import io.fairlead.core.view.EndpointSlice;
import io.fairlead.core.view.EndpointSlices;
import io.fairlead.core.view.ManualEndpoints;
import io.fairlead.v1.EndpointConditions;
import io.fairlead.v1.EndpointHints;
import io.fairlead.v1.NamedHint;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.ObjectReference;
import io.fairlead.v1.SliceEndpoint;
import io.fairlead.v1.SlicePort;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** EndpointSlices as messages; those that somebody writes also as drafts. */
public final class SliceCodec {
  private SliceCodec() {}

  /** What was sent, unchecked. What only the server sets is ignored. */
  public static SliceDraft draft(io.fairlead.v1.EndpointSlice proto) {
    var meta = proto.getMetadata();
    return new SliceDraft(
        meta.getNamespace(),
        meta.getName(),
        meta.getGenerateName(),
        meta.getLabelsMap(),
        meta.getAnnotationsMap(),
        meta.getResourceVersion(),
        meta.getUid(),
        proto.getAddressType(),
        proto.getPortsList().stream()
            .map(port ->
                new SliceDraft.PortDraft(
                    port.getName(), port.getProtocol(), port.getPort(), port.getAppProtocol()))
            .toList(),
        proto.getEndpointsList().stream().map(SliceCodec::draft).toList());
  }

  private static SliceDraft.EndpointDraft draft(SliceEndpoint proto) {
    var conditions = proto.getConditions();
    return new SliceDraft.EndpointDraft(
        proto.getAddressesList(),
        conditions.hasReady() ? Optional.of(conditions.getReady()) : Optional.empty(),
        conditions.hasServing() ? Optional.of(conditions.getServing()) : Optional.empty(),
        conditions.hasTerminating() ? Optional.of(conditions.getTerminating()) : Optional.empty(),
        proto.getHostname(),
        proto.getNodeName(),
        proto.getZone(),
        proto.getHints().getForZonesList().stream().map(NamedHint::getName).toList(),
        proto.getHints().getForNodesList().stream().map(NamedHint::getName).toList());
  }

  /**
   * All of some Services, derived or written, sorted by namespace and name.
   *
   * @param services whether or not they are there
   */
  public static List<io.fairlead.v1.EndpointSlice> all(
      ClusterImage image, Collection<ObjectName> services) {
    var slices = new ArrayList<io.fairlead.v1.EndpointSlice>();
    for (var name : services) {
      image
          .services()
          .get(name)
          .ifPresent(service ->
              EndpointSlices.of(image, service.object())
                  .forEach(slice -> slices.add(proto(slice))));
      image.slices().of(name).forEach(slice -> slices.add(proto(image, slice)));
    }
    slices.sort(
        Comparator.<io.fairlead.v1.EndpointSlice, String>comparing(
                slice -> slice.getMetadata().getNamespace())
            .thenComparing(slice -> slice.getMetadata().getName()));
    return slices;
  }

  /** One that somebody wrote, and whether anything uses it. */
  public static io.fairlead.v1.EndpointSlice proto(
      ClusterImage image, Versioned<ManualSlice> slice) {
    var version = slice.isPending() ? OptionalLong.empty() : OptionalLong.of(slice.offset());
    var proto = proto(slice.object(), version).toBuilder();
    ManualEndpoints.unused(image, slice.object()).ifPresent(proto::setUnused);
    return proto.build();
  }

  private static io.fairlead.v1.EndpointSlice proto(ManualSlice slice, OptionalLong version) {
    var proto =
        io.fairlead.v1.EndpointSlice.newBuilder()
            .setMetadata(Metas.proto(slice.meta(), version))
            .setAddressType(slice.family().text());
    for (var port : slice.ports()) {
      proto.addPorts(port(port.name(), port.protocol(), port.port(), port.appProtocol()));
    }
    for (var endpoint : slice.endpoints()) {
      var message =
          SliceEndpoint.newBuilder()
              .addAddresses(endpoint.address().toString())
              .setConditions(
                  EndpointConditions.newBuilder()
                      .setReady(endpoint.ready())
                      .setServing(endpoint.serving())
                      .setTerminating(endpoint.terminating()));
      endpoint.hostname().ifPresent(message::setHostname);
      endpoint.nodeName().ifPresent(message::setNodeName);
      endpoint.zone().ifPresent(message::setZone);
      hints(endpoint.zones(), endpoint.nodes()).ifPresent(message::setHints);
      proto.addEndpoints(message);
    }
    return proto.build();
  }

  /** Without uid and version: it has no record. */
  public static io.fairlead.v1.EndpointSlice proto(EndpointSlice slice) {
    var proto =
        io.fairlead.v1.EndpointSlice.newBuilder()
            .setMetadata(
                ObjectMeta.newBuilder()
                    .setNamespace(slice.service().namespace())
                    .setName(slice.name())
                    .putAllLabels(slice.labels())
                    .setCreationTimestamp(Timestamps.proto(slice.created())))
            .setAddressType(slice.family().text());
    slice.endpoints().forEach(endpoint -> proto.addEndpoints(proto(endpoint)));
    for (var port : slice.ports()) {
      proto.addPorts(port(port.name(), port.protocol(), port.port(), port.appProtocol()));
    }
    return proto.build();
  }

  private static SlicePort port(
      String name, Protocol protocol, int number, Optional<String> appProtocol) {
    var message = SlicePort.newBuilder().setName(name).setProtocol(protocol.name()).setPort(number);
    appProtocol.ifPresent(message::setAppProtocol);
    return message.build();
  }

  private static SliceEndpoint proto(Endpoint endpoint) {
    var conditions = endpoint.conditions();
    var proto =
        SliceEndpoint.newBuilder()
            .addAddresses(endpoint.address().toString())
            .setConditions(
                EndpointConditions.newBuilder()
                    .setReady(conditions.ready())
                    .setServing(conditions.serving())
                    .setTerminating(conditions.terminating()))
            .setTargetRef(
                ObjectReference.newBuilder()
                    .setKind("Pod")
                    .setNamespace(endpoint.pod().namespace())
                    .setName(endpoint.pod().name())
                    .setUid(endpoint.podUid().toString()));
    endpoint.hostname().ifPresent(proto::setHostname);
    endpoint.node().ifPresent(proto::setNodeName);
    endpoint.zone().ifPresent(proto::setZone);
    hints(endpoint.hints().zones(), endpoint.hints().nodes()).ifPresent(proto::setHints);
    return proto.build();
  }

  private static Optional<EndpointHints> hints(Collection<String> zones, Collection<String> nodes) {
    var hints = EndpointHints.newBuilder();
    zones.forEach(zone -> hints.addForZones(hint(zone)));
    nodes.forEach(node -> hints.addForNodes(hint(node)));
    return zones.isEmpty() && nodes.isEmpty() ? Optional.empty() : Optional.of(hints.build());
  }

  private static NamedHint hint(String name) {
    return NamedHint.newBuilder().setName(name).build();
  }
}
