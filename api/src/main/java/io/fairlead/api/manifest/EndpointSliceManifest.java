package io.fairlead.api.manifest;

import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.NamedHint;
import io.fairlead.v1.SliceEndpoint;
import io.fairlead.v1.SlicePort;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** {@code discovery.k8s.io/v1} EndpointSlice. */
final class EndpointSliceManifest {
  private EndpointSliceManifest() {}

  static EndpointSlice read(YamlObject object) {
    var proto =
        EndpointSlice.newBuilder()
            .setMetadata(Manifests.meta(object))
            .setAddressType(object.text("addressType"));
    object.objects("endpoints").forEach(endpoint -> proto.addEndpoints(endpoint(endpoint)));
    object.objects("ports").forEach(port -> proto.addPorts(port(port)));
    object.done();
    return proto.build();
  }

  private static SliceEndpoint endpoint(YamlObject object) {
    var proto =
        SliceEndpoint.newBuilder()
            .addAllAddresses(object.textList("addresses"))
            .setHostname(object.text("hostname"))
            .setNodeName(object.text("nodeName"))
            .setZone(object.text("zone"));
    object
        .object("conditions")
        .ifPresent(conditions -> {
          var read = proto.getConditionsBuilder();
          if (conditions.has("ready")) {
            read.setReady(conditions.bool("ready"));
          }
          if (conditions.has("serving")) {
            read.setServing(conditions.bool("serving"));
          }
          if (conditions.has("terminating")) {
            read.setTerminating(conditions.bool("terminating"));
          }
          conditions.done();
        });
    object
        .object("hints")
        .ifPresent(hints -> {
          hints
              .objects("forNodes")
              .forEach(hint -> proto.getHintsBuilder().addForNodes(hint(hint)));
          hints
              .objects("forZones")
              .forEach(hint -> proto.getHintsBuilder().addForZones(hint(hint)));
          hints.done();
        });
    object.ignore(Set.of("targetRef", "deprecatedTopology"));
    object.done();
    return proto.build();
  }

  private static NamedHint hint(YamlObject object) {
    var proto = NamedHint.newBuilder().setName(object.text("name"));
    object.done();
    return proto.build();
  }

  private static SlicePort port(YamlObject object) {
    var proto =
        SlicePort.newBuilder()
            .setAppProtocol(object.text("appProtocol"))
            .setName(object.text("name"))
            .setProtocol(object.text("protocol"));
    object.integer("port").ifPresent(proto::setPort);
    object.done();
    return proto.build();
  }

  /** In the order of {@code kubectl get -o yaml}: keys sorted. */
  static Map<String, Object> tree(EndpointSlice slice) {
    var tree = new Tree();
    tree.put("addressType", slice.getAddressType());
    tree.put("apiVersion", "discovery.k8s.io/v1");
    tree.put(
        "endpoints",
        slice.getEndpointsList().stream().map(EndpointSliceManifest::endpoint).toList());
    tree.put("kind", "EndpointSlice");
    tree.put("metadata", Tree.meta(slice.getMetadata()));
    tree.put(
        "ports",
        slice.getPortsList().stream()
            .map(port -> {
              var map = new Tree();
              map.put("appProtocol", port.getAppProtocol());
              map.always("name", port.getName());
              map.put("port", port.getPort());
              map.put("protocol", port.getProtocol());
              return map.map();
            })
            .toList());
    return tree.map();
  }

  private static Map<String, Object> endpoint(SliceEndpoint endpoint) {
    var tree = new Tree();
    tree.put("addresses", endpoint.getAddressesList());
    var conditions = new Tree();
    conditions.put("ready", endpoint.getConditions().getReady());
    conditions.put("serving", endpoint.getConditions().getServing());
    conditions.put("terminating", endpoint.getConditions().getTerminating());
    tree.put("conditions", conditions.map());
    tree.put(
        "hints",
        Tree.of(
            "forNodes",
            hints(endpoint.getHints().getForNodesList()),
            "forZones",
            hints(endpoint.getHints().getForZonesList())));
    tree.put("hostname", endpoint.getHostname());
    tree.put("nodeName", endpoint.getNodeName());
    var target = new Tree();
    target.put("kind", endpoint.getTargetRef().getKind());
    target.put("name", endpoint.getTargetRef().getName());
    target.put("namespace", endpoint.getTargetRef().getNamespace());
    target.put("uid", endpoint.getTargetRef().getUid());
    tree.put("targetRef", target.map());
    tree.put("zone", endpoint.getZone());
    return tree.map();
  }

  private static List<Map<String, String>> hints(List<NamedHint> hints) {
    return hints.stream().map(hint -> Map.of("name", hint.getName())).toList();
  }
}
