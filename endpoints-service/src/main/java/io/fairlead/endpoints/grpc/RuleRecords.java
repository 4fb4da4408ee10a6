package io.fairlead.endpoints.grpc;

import io.fairlead.api.PositionCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Position;
import io.fairlead.v1.NodeRulesReply;
import io.fairlead.v1.ProgrammedEndpoint;
import io.fairlead.v1.ProgrammedPort;
import io.fairlead.v1.RecordReference;
import io.fairlead.v1.TraceFlowsReply;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Adds to what an agent says of its kernel which records of the log are behind it, as this replica
 * knows them. For one answer, by one thread: remembers whose uids are whose, namespace by
 * namespace.
 */
final class RuleRecords {
  private final ClusterImage image;
  private final Partitioning partitioning;
  private final Map<String, Map<String, Versioned<? extends DomainObject>>> byUid = new HashMap<>();
  private Optional<Position> programmed = Optional.empty();

  RuleRecords(ClusterImage image, Partitioning partitioning) {
    this.image = image;
    this.partitioning = partitioning;
  }

  /** With the records, in the order in which the parts come. */
  NodeRulesReply with(NodeRulesReply part) {
    if (part.hasHead()) {
      programmed = PositionCodec.model(part.getHead().getWanted());
    }
    var known = part.toBuilder();
    for (var port : known.getPortsBuilderList()) {
      add(port);
    }
    return known.build();
  }

  /** With the names of what is behind the endpoints. */
  TraceFlowsReply with(TraceFlowsReply part) {
    var known = part.toBuilder();
    for (var flow : known.getFlowsBuilderList()) {
      if (flow.hasService()) {
        var namespace = flow.getService().getNamespace();
        behind(namespace, flow.getUid())
            .ifPresent(versioned ->
                flow.setKind(versioned.object().key().kind().text())
                    .setNamespace(namespace)
                    .setName(versioned.object().key().name()));
      }
    }
    return known.build();
  }

  private Optional<Versioned<? extends DomainObject>> behind(String namespace, String uid) {
    return Optional.ofNullable(byUid.computeIfAbsent(namespace, this::uids).get(uid));
  }

  private void add(ProgrammedPort.Builder port) {
    if (!port.hasService()) {
      return;
    }
    var namespace = port.getService().getNamespace();
    image
        .services()
        .get(new ObjectName(namespace, port.getService().getName()))
        .ifPresent(service -> port.setRecord(reference(LogPartition.SERVICES, service.offset())));
    for (var endpoint : port.getEndpointsBuilderList()) {
      add(endpoint, namespace);
    }
  }

  private void add(ProgrammedEndpoint.Builder endpoint, String namespace) {
    behind(namespace, endpoint.getUid())
        .ifPresent(versioned -> {
          var partition = partitioning.ofNamespace(namespace);
          endpoint
              .setKind(versioned.object().key().kind().text())
              .setNamespace(namespace)
              .setName(versioned.object().key().name())
              .setRecord(reference(partition, versioned.offset()));
          if (versioned.object() instanceof Pod pod) {
            image
                .pods()
                .readiness(pod.name())
                .filter(readiness -> readiness.object().podUid().equals(pod.uid()))
                .ifPresent(
                    readiness -> endpoint.setReadiness(reference(partition, readiness.offset())));
          }
        });
  }

  /** By what entries name endpoints with. */
  private Map<String, Versioned<? extends DomainObject>> uids(String namespace) {
    var uids = new HashMap<String, Versioned<? extends DomainObject>>();
    for (var pod : image.pods().inNamespace(namespace)) {
      uids.put(pod.object().uid().toString(), pod);
    }
    for (Versioned<ManualSlice> slice : image.slices().inNamespace(namespace)) {
      slice
          .object()
          .endpoints()
          .forEach(endpoint -> uids.put(slice.object().uid(endpoint).toString(), slice));
    }
    return uids;
  }

  private RecordReference reference(LogPartition partition, long offset) {
    return RecordReference.newBuilder()
        .setPartition(partition.toString())
        .setOffset(offset)
        .setPending(programmed.filter(position -> offset < position.of(partition)).isEmpty())
        .build();
  }
}
