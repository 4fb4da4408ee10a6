package io.fairlead.endpoints.grpc;

import io.fairlead.api.PodCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Pod;
import io.fairlead.core.view.PodCondition;
import java.util.List;
import java.util.Optional;

/** Pods as callers see them: with what other objects of the image say of them. */
final class PodMessages {
  private PodMessages() {}

  /**
   * All that a message is made of.
   *
   * @param node the first address of its node, or none; empty where there is no such node
   */
  record Seen(Versioned<Pod> pod, PodCondition condition, Optional<List<Address>> node) {
    io.fairlead.v1.Pod message() {
      return PodCodec.seen(PodCodec.proto(pod, condition), node);
    }
  }

  static Seen see(ClusterImage image, Versioned<Pod> pod) {
    return new Seen(
        pod,
        PodCondition.of(image.pods(), pod.object()),
        pod.object()
            .spec()
            .nodeName()
            .flatMap(image.nodes()::get)
            .map(node -> node.object().addresses().stream().limit(1).toList()));
  }

  static io.fairlead.v1.Pod of(ClusterImage image, Versioned<Pod> pod) {
    return see(image, pod).message();
  }
}
