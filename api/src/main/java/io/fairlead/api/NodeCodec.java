package io.fairlead.api;

import io.fairlead.core.decide.NodeDraft;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Node;
import io.fairlead.v1.OpenNodeRequest;
import java.util.OptionalLong;

/** Nodes: what agents say of themselves, as drafts; what is stored. */
public final class NodeCodec {
  private NodeCodec() {}

  /** What was sent, unchecked. What only the server sets is ignored. */
  public static NodeDraft draft(OpenNodeRequest request) {
    var proto = request.getNode();
    var meta = proto.getMetadata();
    return new NodeDraft(
        meta.getName(),
        meta.getLabelsMap(),
        meta.getAnnotationsMap(),
        proto.getZone(),
        proto.getAddressesList(),
        proto.getPodCidrsList(),
        proto.getAgentVersion(),
        request.getInstance(),
        request.getPreviousSession(),
        proto.getSourcesList());
  }

  /** As stored. What the node acknowledged only the replica that holds its stream can add. */
  public static io.fairlead.v1.Node proto(Versioned<Node> node) {
    var stored = node.object();
    var version = node.isPending() ? OptionalLong.empty() : OptionalLong.of(node.offset());
    var proto =
        io.fairlead.v1.Node.newBuilder()
            .setMetadata(Metas.proto(stored.meta(), version))
            .addAllAddresses(stored.addresses().stream().map(Address::toString).toList())
            .addAllPodCidrs(stored.podCidrs().stream().map(Cidr::toString).toList())
            .setAgentVersion(stored.agentVersion())
            .setState(stored.state().text())
            .setReason(stored.reason())
            .addAllSources(stored.sources());
    stored.zone().ifPresent(proto::setZone);
    if (version.isPresent()) {
      proto.setSession(stored.session(version.getAsLong()));
    } else {
      stored.session().ifPresent(proto::setSession);
    }
    return proto.build();
  }
}
