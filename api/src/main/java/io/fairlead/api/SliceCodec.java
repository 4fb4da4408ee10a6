package io.fairlead.api;

import io.fairlead.core.model.Family;
import io.fairlead.core.view.Endpoint;
import io.fairlead.core.view.EndpointSlice;
import io.fairlead.v1.EndpointConditions;
import io.fairlead.v1.EndpointHints;
import io.fairlead.v1.NamedHint;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.ObjectReference;
import io.fairlead.v1.SliceEndpoint;
import io.fairlead.v1.SlicePort;

/** Derived EndpointSlices as messages; there is no way back, because nobody sends them. */
public final class SliceCodec {
  private SliceCodec() {}

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
            .setAddressType(type(slice.family()));
    slice.endpoints().forEach(endpoint -> proto.addEndpoints(proto(endpoint)));
    for (var port : slice.ports()) {
      var message =
          SlicePort.newBuilder()
              .setName(port.name())
              .setProtocol(port.protocol().name())
              .setPort(port.port());
      port.appProtocol().ifPresent(message::setAppProtocol);
      proto.addPorts(message);
    }
    return proto.build();
  }

  private static String type(Family family) {
    return switch (family) {
      case IPV4 -> "IPv4";
      case IPV6 -> "IPv6";
    };
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
    var hints = EndpointHints.newBuilder();
    endpoint.hints().zones().forEach(zone -> hints.addForZones(hint(zone)));
    endpoint.hints().nodes().forEach(node -> hints.addForNodes(hint(node)));
    if (hints.getForZonesCount() + hints.getForNodesCount() > 0) {
      proto.setHints(hints);
    }
    return proto.build();
  }

  private static NamedHint hint(String name) {
    return NamedHint.newBuilder().setName(name).build();
  }
}
