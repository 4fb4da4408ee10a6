package io.fairlead.api.manifest;

import io.fairlead.v1.Allocation;
import io.fairlead.v1.BandUsage;
import io.fairlead.v1.Condition;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.RangeUsage;
import io.fairlead.v1.ServiceCidr;
import java.util.Map;
import java.util.Set;

/** {@code networking.k8s.io/v1} ServiceCIDR; and IPAddress, which is only written. */
final class ServiceCidrManifest {
  private static final String VERSION = "networking.k8s.io/v1";

  private ServiceCidrManifest() {}

  static ServiceCidr read(YamlObject object) {
    var proto = ServiceCidr.newBuilder().setMetadata(Manifests.meta(object));
    object
        .object("spec")
        .ifPresent(spec -> {
          proto.getSpecBuilder().addAllCidrs(spec.textList("cidrs"));
          spec.done();
        });
    object.ignoreSilently(Set.of("status"));
    object.done();
    return proto.build();
  }

  /** In the order of {@code kubectl get -o yaml}: keys sorted. */
  static Map<String, Object> tree(ServiceCidr cidr) {
    var spec = new Tree();
    spec.put("cidrs", cidr.getSpec().getCidrsList());
    var status = new Tree();
    status.put(
        "conditions",
        cidr.getStatus().getConditionsList().stream().map(ServiceCidrManifest::condition).toList());
    status.put(
        "ranges",
        cidr.getStatus().getRangesList().stream().map(ServiceCidrManifest::range).toList());
    return Tree.object(VERSION, "ServiceCIDR", cidr.getMetadata(), spec.map(), status.map());
  }

  private static Map<String, Object> condition(Condition condition) {
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

  private static Map<String, Object> range(RangeUsage range) {
    var tree = new Tree();
    tree.put("cidr", range.getCidr());
    tree.put("dynamicBand", band(range.getDynamicBand()));
    tree.put("staticBand", band(range.getStaticBand()));
    return tree.map();
  }

  /** Sizes as texts: those of IPv6 are beyond what readers of numbers hold. */
  private static Map<String, Object> band(BandUsage band) {
    var tree = new Tree();
    tree.put("free", band.getFree());
    tree.put("size", band.getSize());
    tree.put("used", Long.toString(band.getUsed()));
    return tree.map();
  }

  static Map<String, Object> tree(Allocation allocation) {
    var meta = ObjectMeta.newBuilder().setName(allocation.getAddress());
    if (allocation.hasSince()) {
      meta.setCreationTimestamp(allocation.getSince());
    }
    meta.putLabels(
        "ipaddress.kubernetes.io/ip-family",
        allocation.getAddress().indexOf(':') >= 0 ? "IPv6" : "IPv4");
    meta.putLabels("ipaddress.kubernetes.io/managed-by", "allocator.fairlead.io");
    var parent = new Tree();
    parent.put("name", allocation.getName());
    parent.put("namespace", allocation.getNamespace());
    parent.put("resource", "services");
    return Tree.object(
        VERSION, "IPAddress", meta.build(), Map.of("parentRef", parent.map()), Map.of());
  }
}
