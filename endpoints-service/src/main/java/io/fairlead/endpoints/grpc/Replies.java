package io.fairlead.endpoints.grpc;

import io.fairlead.api.Errors;
import io.fairlead.api.NodeCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.SliceCodec;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.decide.PodWarnings;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.decider.Answer;
import io.fairlead.v1.DroppedReport;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.EndpointSliceReply;
import io.fairlead.v1.NodeReply;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.PodReply;
import io.fairlead.v1.ReconcileSourceReply;
import io.fairlead.v1.ReportReadinessReply;
import io.fairlead.v1.Result;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Supplier;

/** What deciders answer, as messages; refusals as statuses. */
final class Replies {
  private final Supplier<ClusterImage> image;

  /**
   * Answers from decisions.
   *
   * @param image the newest that this replica has, for whether a Pod is ready
   */
  Replies(Supplier<ClusterImage> image) {
    this.image = image;
  }

  PodReply pod(Answer.Decided<PodOutcome> decided) {
    var reply = PodReply.newBuilder().setPosition(PositionCodec.proto(decided.position()));
    return switch (decided.reply()) {
      case PodOutcome.Stored(var result, var pod, var version) ->
          reply
              .setPod(PodMessages.of(image.get(), versioned(pod, version)))
              .setResult(result(result))
              .addAllWarnings(PodWarnings.of(pod.spec()))
              .build();
      case PodOutcome.Deleted(var name, var uid, var version) ->
          reply
              .setPod(io.fairlead.v1.Pod.newBuilder().setMetadata(deleted(name, uid, version)))
              .setResult(Result.DELETED)
              .build();
      case PodOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case PodOutcome.NodeStored _,
          PodOutcome.NodeDeleted _,
          PodOutcome.Reported _,
          PodOutcome.Reconciled _,
          PodOutcome.Collected _,
          PodOutcome.SliceStored _,
          PodOutcome.SliceDeleted _ ->
          throw unexpected(decided);
    };
  }

  EndpointSliceReply slice(Answer.Decided<PodOutcome> decided) {
    var reply =
        EndpointSliceReply.newBuilder().setPosition(PositionCodec.proto(decided.position()));
    return switch (decided.reply()) {
      case PodOutcome.SliceStored(var result, var slice, var version) ->
          reply
              .setEndpointSlice(
                  SliceCodec.proto(
                      image.get(),
                      version.isPresent()
                          ? Versioned.at(slice, version.getAsLong())
                          : Versioned.pending(slice)))
              .setResult(result(result))
              .build();
      case PodOutcome.SliceDeleted(var name, var uid, var version) ->
          reply
              .setEndpointSlice(EndpointSlice.newBuilder().setMetadata(deleted(name, uid, version)))
              .setResult(Result.DELETED)
              .build();
      case PodOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case PodOutcome.Stored _,
          PodOutcome.Deleted _,
          PodOutcome.NodeStored _,
          PodOutcome.NodeDeleted _,
          PodOutcome.Reported _,
          PodOutcome.Reconciled _,
          PodOutcome.Collected _ ->
          throw unexpected(decided);
    };
  }

  private static ObjectMeta.Builder deleted(ObjectName name, UUID uid, OptionalLong version) {
    var meta =
        ObjectMeta.newBuilder()
            .setNamespace(name.namespace())
            .setName(name.name())
            .setUid(uid.toString());
    version.ifPresent(offset -> meta.setResourceVersion(Long.toString(offset)));
    return meta;
  }

  private static Versioned<Pod> versioned(Pod pod, OptionalLong version) {
    return version.isPresent() ? Versioned.at(pod, version.getAsLong()) : Versioned.pending(pod);
  }

  NodeReply node(Answer.Decided<PodOutcome> decided) {
    return switch (decided.reply()) {
      case PodOutcome.NodeStored(_, var node, var version) ->
          NodeReply.newBuilder()
              .setNode(
                  NodeCodec.proto(
                      version.isPresent()
                          ? Versioned.at(node, version.getAsLong())
                          : Versioned.pending(node)))
              .setPosition(PositionCodec.proto(decided.position()))
              .build();
      case PodOutcome.NodeDeleted(var name, var uid, var version) -> {
        var meta = ObjectMeta.newBuilder().setName(name).setUid(uid.toString());
        version.ifPresent(offset -> meta.setResourceVersion(Long.toString(offset)));
        yield NodeReply.newBuilder()
            .setNode(io.fairlead.v1.Node.newBuilder().setMetadata(meta))
            .setResult(Result.DELETED)
            .setPosition(PositionCodec.proto(decided.position()))
            .build();
      }
      case PodOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case PodOutcome.Stored _,
          PodOutcome.Deleted _,
          PodOutcome.Reported _,
          PodOutcome.Reconciled _,
          PodOutcome.Collected _,
          PodOutcome.SliceStored _,
          PodOutcome.SliceDeleted _ ->
          throw unexpected(decided);
    };
  }

  static ReportReadinessReply reported(Answer.Decided<PodOutcome> decided) {
    return switch (decided.reply()) {
      case PodOutcome.Reported(var dropped, _) ->
          ReportReadinessReply.newBuilder()
              .setPosition(PositionCodec.proto(decided.position()))
              .addAllDropped(dropped(dropped))
              .build();
      case PodOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case PodOutcome.Stored _,
          PodOutcome.Deleted _,
          PodOutcome.NodeStored _,
          PodOutcome.NodeDeleted _,
          PodOutcome.Reconciled _,
          PodOutcome.Collected _,
          PodOutcome.SliceStored _,
          PodOutcome.SliceDeleted _ ->
          throw unexpected(decided);
    };
  }

  static ReconcileSourceReply reconciled(Answer.Decided<PodOutcome> decided) {
    return switch (decided.reply()) {
      case PodOutcome.Reconciled(var refused, _) ->
          ReconcileSourceReply.newBuilder()
              .setPosition(PositionCodec.proto(decided.position()))
              .addAllRefused(dropped(refused))
              .build();
      case PodOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case PodOutcome.Stored _,
          PodOutcome.Deleted _,
          PodOutcome.NodeStored _,
          PodOutcome.NodeDeleted _,
          PodOutcome.Reported _,
          PodOutcome.Collected _,
          PodOutcome.SliceStored _,
          PodOutcome.SliceDeleted _ ->
          throw unexpected(decided);
    };
  }

  private static List<DroppedReport> dropped(List<PodOutcome.Dropped> dropped) {
    return dropped.stream()
        .map(d -> DroppedReport.newBuilder().setName(d.pod().name()).setReason(d.reason()).build())
        .toList();
  }

  private static Result result(io.fairlead.core.decide.Result result) {
    return switch (result) {
      case CREATED -> Result.CREATED;
      case CONFIGURED -> Result.CONFIGURED;
      case UNCHANGED -> Result.UNCHANGED;
      case DELETED -> Result.DELETED;
    };
  }

  private static IllegalStateException unexpected(Answer.Decided<PodOutcome> decided) {
    return new IllegalStateException("no reply to this request: " + decided.reply());
  }
}
