package io.fairlead.api;

import io.fairlead.core.view.Endpoint;
import io.fairlead.core.view.EndpointSlice;
import io.fairlead.core.view.Endpoints;
import io.fairlead.v1.NamedHint;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.SliceEndpoint;
import io.fairlead.v1.SlicePort;
import java.util.Collection;
import java.util.List;

/** EndpointSlices; they are derived, so there is no way back. */
public final class EndpointSliceCodec {
  private EndpointSliceCodec() {}

  /** Without uid, version and time: a slice has no record of its own. */
  public static io.fairlead.v1.EndpointSlice proto(EndpointSlice slice) {
    var namespace = slice.service().namespace();
    return io.fairlead.v1.EndpointSlice.newBuilder()
        .setMetadata(
            ObjectMeta.newBuilder()
                .setNamespace(namespace)
                .setName(slice.name())
                .putAllLabels(slice.labels()))
        .setAddressType(slice.family().text())
        .addAllPorts(slice.ports().stream().map(EndpointSliceCodec::proto).toList())
        .addAllEndpoints(slice.endpoints().stream().map(EndpointSliceCodec::proto).toList())
        .build();
  }

  private static SlicePort proto(Endpoints.TargetPort port) {
    var proto =
        SlicePort.newBuilder()
            .setName(port.name())
            .setProtocol(port.protocol().name())
            .setPort(port.port());
    port.appProtocol().ifPresent(proto::setAppProtocol);
    return proto.build();
  }

  private static SliceEndpoint proto(Endpoint endpoint) {
    var proto = SliceEndpoint.newBuilder().addAddresses(endpoint.address().toString());
    proto
        .getConditionsBuilder()
        .setReady(endpoint.conditions().ready())
        .setServing(endpoint.conditions().serving())
        .setTerminating(endpoint.conditions().terminating());
    proto
        .getTargetRefBuilder()
        .setKind("Pod")
        .setNamespace(endpoint.pod().namespace())
        .setName(endpoint.pod().name())
        .setUid(endpoint.podUid().toString());
    endpoint.hostname().ifPresent(proto::setHostname);
    endpoint.node().ifPresent(proto::setNodeName);
    endpoint.zone().ifPresent(proto::setZone);
    if (!endpoint.hints().equals(Endpoint.Hints.NONE)) {
      proto
          .getHintsBuilder()
          .addAllForZones(named(endpoint.hints().zones()))
          .addAllForNodes(named(endpoint.hints().nodes()));
    }
    return proto.build();
  }

  private static List<NamedHint> named(Collection<String> names) {
    return names.stream().map(name -> NamedHint.newBuilder().setName(name).build()).toList();
  }
}
