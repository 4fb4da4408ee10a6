package io.fairlead.api.manifest;

import io.fairlead.v1.Node;
import java.util.List;
import java.util.Map;

/** {@code v1} Node; only written. */
final class NodeManifest {
  private NodeManifest() {}

  /** In the order of {@code kubectl get -o yaml}: keys sorted. */
  static Map<String, Object> tree(Node node) {
    var spec = new Tree();
    node.getPodCidrsList().stream().findFirst().ifPresent(cidr -> spec.put("podCIDR", cidr));
    spec.put("podCIDRs", node.getPodCidrsList());
    var ready = new Tree();
    ready.put("message", node.getReason());
    ready.put("status", node.getState().equals("Ready") ? "True" : "False");
    ready.put("type", "Ready");
    var status = new Tree();
    status.put(
        "addresses",
        node.getAddressesList().stream()
            .map(address -> Tree.of("address", address, "type", "InternalIP"))
            .toList());
    status.put("conditions", List.of(ready.map()));
    return Tree.object("Node", node.getMetadata(), spec.map(), status.map());
  }
}
