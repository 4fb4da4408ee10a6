package io.fairlead.api.manifest;

import io.fairlead.v1.Namespace;
import java.util.Map;
import java.util.Set;

/** {@code v1} Namespace. */
final class NamespaceManifest {
  private NamespaceManifest() {}

  static Namespace read(YamlObject object) {
    var proto = Namespace.newBuilder().setMetadata(Manifests.meta(object));
    object
        .object("spec")
        .ifPresent(spec -> {
          spec.ignoreSilently(Set.of("finalizers")); // every namespace of Kubernetes has one
          spec.done();
        });
    object.ignoreSilently(Set.of("status"));
    object.done();
    return proto.build();
  }

  /** In the order of {@code kubectl get -o yaml}: keys sorted. */
  static Map<String, Object> tree(Namespace namespace) {
    var status = new Tree();
    status.put("phase", namespace.getStatus().getPhase());
    return Tree.object("Namespace", namespace.getMetadata(), Map.of(), status.map());
  }
}
