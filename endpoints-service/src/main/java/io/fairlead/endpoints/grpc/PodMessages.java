package io.fairlead.endpoints.grpc;

import io.fairlead.api.PodCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Pod;
import io.fairlead.core.view.PodCondition;
import java.util.Optional;

/** Pods as callers see them: with what other objects of the image say of them. */
final class PodMessages {
  private PodMessages() {}

  /**
   * All that a message is made of.
   *
   * @param host address of its node, where that is known
   */
  record Seen(Versioned<Pod> pod, PodCondition condition, Optional<Address> host) {
    io.fairlead.v1.Pod message() {
      var proto = PodCodec.proto(pod, condition);
      return host.map(
              address -> {
                var withHost = proto.toBuilder();
                withHost.getStatusBuilder().setHostIp(address.toString());
                return withHost.build();
              })
          .orElse(proto);
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
            .flatMap(node -> node.object().addresses().stream().findFirst()));
  }

  static io.fairlead.v1.Pod of(ClusterImage image, Versioned<Pod> pod) {
    return see(image, pod).message();
  }
}
