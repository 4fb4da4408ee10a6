package io.fairlead.eventlog.codec;

import static io.fairlead.eventlog.codec.Fields.all;
import static io.fairlead.eventlog.codec.Fields.optional;

import io.fairlead.core.model.ManualSlice;
import io.fairlead.log.v1.EndpointSlice;
import io.fairlead.log.v1.SliceEndpoint;
import io.fairlead.log.v1.SlicePort;

/** EndpointSlices that somebody wrote as messages. */
final class SliceFields {
  private SliceFields() {}

  static EndpointSlice write(ManualSlice slice) {
    var message =
        EndpointSlice.newBuilder()
            .setMeta(Fields.write(slice.meta()))
            .setFamily(ServiceFields.write(slice.family()));
    for (var port : slice.ports()) {
      var written =
          SlicePort.newBuilder()
              .setName(port.name())
              .setProtocol(Fields.write(port.protocol()))
              .setPort(port.port());
      port.appProtocol().ifPresent(written::setAppProtocol);
      message.addPorts(written);
    }
    slice.endpoints().forEach(endpoint -> message.addEndpoints(write(endpoint)));
    return message.build();
  }

  private static SliceEndpoint write(ManualSlice.Endpoint endpoint) {
    var message =
        SliceEndpoint.newBuilder()
            .setAddress(Fields.write(endpoint.address()))
            .setReady(endpoint.ready())
            .setServing(endpoint.serving())
            .setTerminating(endpoint.terminating())
            .addAllHintZones(endpoint.zones())
            .addAllHintNodes(endpoint.nodes());
    endpoint.hostname().ifPresent(message::setHostname);
    endpoint.nodeName().ifPresent(message::setNodeName);
    endpoint.zone().ifPresent(message::setZone);
    return message.build();
  }

  static ManualSlice read(EndpointSlice message, Texts texts) {
    return new ManualSlice(
        Fields.meta(message.getMeta(), texts),
        ServiceFields.family(message.getFamily()),
        all(
            message.getPortsList(),
            port ->
                new ManualSlice.Port(
                    port.getName(),
                    Fields.protocol("ports.protocol", port.getProtocol()),
                    port.getPort(),
                    optional(port.getAppProtocol()))),
        all(message.getEndpointsList(), SliceFields::read));
  }

  private static ManualSlice.Endpoint read(SliceEndpoint message) {
    return new ManualSlice.Endpoint(
        Fields.address("endpoints.address", message.getAddress()),
        message.getReady(),
        message.getServing(),
        message.getTerminating(),
        optional(message.getHostname()),
        optional(message.getNodeName()),
        optional(message.getZone()),
        message.getHintZonesList(),
        message.getHintNodesList());
  }
}
