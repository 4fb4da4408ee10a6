package io.fairlead.endpoints.grpc;

import io.fairlead.api.PodCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Pod;
import io.fairlead.core.view.PodCondition;

/** Pods as callers see them: with what other objects of the image say of them. */
final class PodMessages {
  private PodMessages() {}

  static io.fairlead.v1.Pod of(ClusterImage image, Versioned<Pod> pod) {
    var proto = PodCodec.proto(pod, PodCondition.of(image.pods(), pod.object()));
    return pod.object()
        .spec()
        .nodeName()
        .flatMap(image.nodes()::get)
        .flatMap(node -> node.object().addresses().stream().findFirst())
        .map(address -> {
          var withHost = proto.toBuilder();
          withHost.getStatusBuilder().setHostIp(address.toString());
          return withHost.build();
        })
        .orElse(proto);
  }
}
