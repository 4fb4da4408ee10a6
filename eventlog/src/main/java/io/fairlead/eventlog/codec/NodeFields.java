package io.fairlead.eventlog.codec;

import static io.fairlead.eventlog.codec.Fields.all;
import static io.fairlead.eventlog.codec.Fields.optional;
import static io.fairlead.eventlog.codec.Fields.unknown;

import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.PartitionHeader;
import java.util.OptionalLong;

/** Nodes, partition headers and the feature level as messages. */
final class NodeFields {
  private NodeFields() {}

  static io.fairlead.log.v1.Node write(Node node) {
    var message =
        io.fairlead.log.v1.Node.newBuilder()
            .setMeta(Fields.write(node.meta()))
            .setAgentVersion(node.agentVersion())
            .setState(write(node.state()))
            .setReason(node.reason())
            .setInstance(node.instance())
            .addAllSources(node.sources());
    node.zone().ifPresent(message::setZone);
    node.addresses().forEach(a -> message.addAddresses(Fields.write(a)));
    node.podCidrs().forEach(c -> message.addPodCidrs(Fields.write(c)));
    node.session().ifPresent(message::setSession);
    return message.build();
  }

  static Node read(io.fairlead.log.v1.Node message, Texts texts) {
    return new Node(
        Fields.meta(message.getMeta(), texts),
        optional(message.getZone()),
        all(message.getAddressesList(), a -> Fields.address("addresses", a)),
        all(message.getPodCidrsList(), c -> Fields.cidr("pod_cidrs", c)),
        message.getAgentVersion(),
        message.getInstance(),
        message.hasSession() ? OptionalLong.of(message.getSession()) : OptionalLong.empty(),
        state(message.getState()),
        message.getReason(),
        message.getSourcesList());
  }

  static io.fairlead.log.v1.FeatureLevel write(FeatureLevel level) {
    return io.fairlead.log.v1.FeatureLevel.newBuilder()
        .setLevel(level.level())
        .setUid(level.uid().toString())
        .build();
  }

  static FeatureLevel read(io.fairlead.log.v1.FeatureLevel message) {
    return new FeatureLevel(message.getLevel(), Fields.uuid("uid", message.getUid()));
  }

  static io.fairlead.log.v1.PartitionHeader write(PartitionHeader header) {
    return io.fairlead.log.v1.PartitionHeader.newBuilder()
        .setPartition(header.partition().toString())
        .setPartitions(header.partitions())
        .setHash(header.hash())
        .setUid(header.uid().toString())
        .build();
  }

  static PartitionHeader read(io.fairlead.log.v1.PartitionHeader message) {
    return new PartitionHeader(
        LogPartition.parse(message.getPartition())
            .orElseThrow(() -> Fields.bad("partition", "'" + message.getPartition() + "' is none")),
        message.getPartitions(),
        message.getHash(),
        Fields.uuid("uid", message.getUid()));
  }

  private static io.fairlead.log.v1.Node.State write(Node.State state) {
    return switch (state) {
      case READY -> io.fairlead.log.v1.Node.State.READY;
      case LOST -> io.fairlead.log.v1.Node.State.LOST;
    };
  }

  private static Node.State state(io.fairlead.log.v1.Node.State state) {
    return switch (state) {
      case READY -> Node.State.READY;
      case LOST -> Node.State.LOST;
      case STATE_UNSPECIFIED, UNRECOGNIZED -> throw unknown("state");
    };
  }
}
