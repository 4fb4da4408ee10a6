package io.fairlead.cli;

import io.fairlead.api.NodeCodec;
import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.Descriptions;
import io.fairlead.api.table.Tables;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.v1.DeleteNodeRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetNodeRequest;
import io.fairlead.v1.ListNodesRequest;
import io.fairlead.v1.Node;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.WatchNodesReply;
import io.fairlead.v1.WatchNodesRequest;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Nodes, of endpoints-service. */
record NodeResource() implements Resource<Node> {
  @Override
  public List<String> names() {
    return List.of("nodes", "node", "no");
  }

  @Override
  public boolean isNamespaced() {
    return false;
  }

  @Override
  public Node get(Session session, String namespace, String name, Freshness freshness) {
    var request = GetNodeRequest.newBuilder().setName(name).setFreshness(freshness).build();
    return session.nodes(stub -> stub.get(request)).getNode();
  }

  /** The server does not select nodes: they are few. */
  @Override
  public List<Node> list(Session session, Listing listing) {
    listing.refuseFields(plural());
    var wanted = Selection.selector(listing.selector());
    var request = ListNodesRequest.newBuilder().setFreshness(listing.freshness()).build();
    return session.nodes(stub -> stub.list(request)).getItemsList().stream()
        .filter(node -> wanted.matches(node.getMetadata().getLabelsMap()))
        .toList();
  }

  @Override
  public void watch(Session session, Query query, ObjectsReader<Node> reader) {
    query.refuseFields(plural());
    var request =
        WatchNodesRequest.newBuilder()
            .setLabelSelector(query.selector())
            .setName(query.name().orElse(""))
            .setFreshness(query.freshness());
    Watching.run(
        session,
        Session.Part.ENDPOINTS,
        NodesGrpc::newBlockingStub,
        (stub, from) -> stub.watch(request.setFrom(from).build()),
        NodeResource::told,
        reader);
  }

  private static Told<Node> told(WatchNodesReply reply) {
    return switch (reply.getEventCase()) {
      case ADDED -> new Told.There<>(reply.getAdded(), reply.getPosition());
      case MODIFIED -> new Told.There<>(reply.getModified(), reply.getPosition());
      case DELETED -> new Told.Gone<>(reply.getDeleted(), reply.getPosition());
      case SYNCED -> new Told.Synced<>(reply.getSynced());
      case BOOKMARK -> new Told.Bookmark<>(reply.getBookmark());
      case EVENT_NOT_SET -> new Told.Unknown<>();
    };
  }

  @Override
  public List<Node> of(ClusterImage image) {
    Function<Versioned<io.fairlead.core.model.Node>, Node> proto = NodeCodec::proto;
    return image.nodes().all().stream().map(proto).toList();
  }

  @Override
  public Deleted delete(Session session, String namespace, String name, Deletion how) {
    var request =
        DeleteNodeRequest.newBuilder()
            .setRequestId(session.requestId())
            .setName(name)
            .setDryRun(how.tried())
            .build();
    session.nodes(stub -> stub.delete(request));
    return new Deleted.Gone();
  }

  @Override
  public ObjectMeta meta(Node node) {
    return node.getMetadata();
  }

  @Override
  public Map<String, Object> tree(Node node) {
    return ManifestWriter.tree(node);
  }

  @Override
  public TextTable table(List<Node> nodes, Width width, Namespaces namespaces, Instant now) {
    return Tables.nodes(nodes, width, now);
  }

  @Override
  public String describe(Session session, Node node) {
    return Descriptions.of(node);
  }
}
