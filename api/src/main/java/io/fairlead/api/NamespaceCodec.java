package io.fairlead.api;

import io.fairlead.core.decide.NamespaceDraft;
import io.fairlead.core.model.Namespace;
import io.fairlead.v1.NamespaceStatus;
import io.fairlead.v1.ObjectMeta;
import java.util.OptionalLong;

/** Namespaces: what users send, as drafts; what is stored, and what is there because it is used. */
public final class NamespaceCodec {
  private static final NamespaceStatus ACTIVE =
      NamespaceStatus.newBuilder().setPhase("Active").build();

  private NamespaceCodec() {}

  /** What was sent, unchecked. What only the server sets is ignored. */
  public static NamespaceDraft draft(io.fairlead.v1.Namespace proto) {
    var meta = proto.getMetadata();
    return new NamespaceDraft(
        meta.getName(),
        meta.getLabelsMap(),
        meta.getAnnotationsMap(),
        meta.getResourceVersion(),
        meta.getUid());
  }

  /** As stored. */
  public static io.fairlead.v1.Namespace proto(Namespace namespace, OptionalLong version) {
    return io.fairlead.v1.Namespace.newBuilder()
        .setMetadata(Metas.proto(namespace.meta(), version))
        .setStatus(ACTIVE)
        .build();
  }

  /** One that nobody made: it holds something. */
  public static io.fairlead.v1.Namespace implied(String name) {
    return io.fairlead.v1.Namespace.newBuilder()
        .setMetadata(ObjectMeta.newBuilder().setName(name))
        .setStatus(ACTIVE)
        .build();
  }
}
