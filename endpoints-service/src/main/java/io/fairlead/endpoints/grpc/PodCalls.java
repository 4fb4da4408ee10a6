package io.fairlead.endpoints.grpc;

import com.google.protobuf.Message;
import io.fairlead.api.Errors;
import io.fairlead.api.NodeCodec;
import io.fairlead.api.PodCodec;
import io.fairlead.api.SliceCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.decide.DryRun;
import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodDraft;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.decide.Violation;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.PodDrain.Drain;
import io.fairlead.core.model.PodLease;
import io.fairlead.core.run.Time;
import io.fairlead.decider.Decider;
import io.fairlead.decider.Request;
import io.fairlead.decider.grpc.Caller;
import io.fairlead.decider.grpc.OwnerForwarding;
import io.fairlead.decider.grpc.OwnerForwarding.Call;
import io.fairlead.decider.grpc.Peers;
import io.fairlead.decider.grpc.RequestStamps;
import io.fairlead.endpoints.decider.PodLeases;
import io.fairlead.endpoints.stream.Uplink;
import io.fairlead.v1.ApplyEndpointSliceRequest;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.CreateEndpointSliceRequest;
import io.fairlead.v1.DeleteEndpointSliceRequest;
import io.fairlead.v1.DeleteNodeRequest;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.EndpointSliceReply;
import io.fairlead.v1.EndpointSlicesGrpc;
import io.fairlead.v1.MarkDrainingRequest;
import io.fairlead.v1.NodeReply;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.PodReply;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.ReconcileSourceReply;
import io.fairlead.v1.ReconcileSourceRequest;
import io.fairlead.v1.ReportReadinessReply;
import io.fairlead.v1.ReportReadinessRequest;
import io.fairlead.v1.UpdatePodStatusRequest;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * Every call that changes something, decided by whoever owns its partition. Blocks, for virtual
 * threads. Thread-safe.
 */
public final class PodCalls {
  private final OwnerForwarding<PodCommand, PodOutcome> owners;
  private final Partitioning partitioning;
  private final Replies replies;
  private final PodLeases leases;
  private final Time time;

  /**
   * Opens nothing.
   *
   * @param image the newest that this replica has
   * @param leases told of every Pod with a lease that somebody applies
   */
  public PodCalls(
      Decider<PodCommand, PodOutcome> decider,
      Peers peers,
      Partitioning partitioning,
      Supplier<ClusterImage> image,
      PodLeases leases,
      Time time) {
    this.owners = new OwnerForwarding<>(decider, peers, time);
    this.partitioning = partitioning;
    this.replies = new Replies(image);
    this.leases = leases;
    this.time = time;
  }

  PodReply apply(ApplyPodRequest message, Caller caller, Duration timeout) {
    var draft = PodCodec.draft(message.getPod());
    if (PodLease.of(draft.annotations()).isEmpty()) {
      return apply(message, draft, caller, timeout);
    }
    var renewal = leases.renewed(draft.objectName(), time.nanoTime());
    try {
      return apply(message, draft, caller, timeout);
    } catch (StatusRuntimeException e) {
      switch (e.getStatus().getCode()) {
        case INVALID_ARGUMENT, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED ->
            leases.refused(renewal);
        default -> {} // a log that is away costs no lease
      }
      throw e;
    }
  }

  private PodReply apply(ApplyPodRequest message, PodDraft draft, Caller caller, Duration timeout) {
    var request =
        RequestStamps.<PodCommand>request(
            caller, PodsGrpc.getApplyMethod(), message, new PodCommand.ApplyPod(draft));
    return owners.call(
        new Call<>(
            partitioning.ofNamespace(draft.objectName().namespace()),
            request,
            PodsGrpc.getApplyMethod(),
            message,
            replies::pod),
        caller,
        timeout);
  }

  PodReply delete(DeletePodRequest message, Caller caller, Duration timeout) {
    var name =
        new ObjectName(namespace(message.getNamespace()), required("name", message.getName()));
    var request =
        RequestStamps.<PodCommand>request(
            caller,
            PodsGrpc.getDeleteMethod(),
            message,
            new PodCommand.DeletePod(
                name,
                message.getUid(),
                message.hasGracePeriodSeconds()
                    ? OptionalInt.of(message.getGracePeriodSeconds())
                    : OptionalInt.empty()));
    return owners.call(
        new Call<>(
            partitioning.ofNamespace(name.namespace()),
            request,
            PodsGrpc.getDeleteMethod(),
            message,
            replies::pod),
        caller,
        timeout);
  }

  PodReply markDraining(MarkDrainingRequest message, Caller caller, Duration timeout) {
    var name =
        new ObjectName(namespace(message.getNamespace()), required("name", message.getName()));
    var request =
        RequestStamps.<PodCommand>request(
            caller,
            PodsGrpc.getMarkDrainingMethod(),
            message,
            new PodCommand.DrainPod(
                name, message.getUid(), message.getDraining() ? Drain.ON : Drain.OFF));
    return owners.call(
        new Call<>(
            partitioning.ofNamespace(name.namespace()),
            request,
            PodsGrpc.getMarkDrainingMethod(),
            message,
            replies::pod),
        caller,
        timeout);
  }

  EndpointSliceReply create(CreateEndpointSliceRequest message, Caller caller, Duration timeout) {
    var draft = SliceCodec.draft(message.getEndpointSlice());
    return slice(
        draft.objectName().namespace(),
        EndpointSlicesGrpc.getCreateMethod(),
        message,
        new PodCommand.CreateSlice(draft, dryRun(message.getDryRun())),
        caller,
        timeout);
  }

  EndpointSliceReply apply(ApplyEndpointSliceRequest message, Caller caller, Duration timeout) {
    var draft = SliceCodec.draft(message.getEndpointSlice());
    return slice(
        draft.objectName().namespace(),
        EndpointSlicesGrpc.getApplyMethod(),
        message,
        new PodCommand.ApplySlice(draft, dryRun(message.getDryRun())),
        caller,
        timeout);
  }

  EndpointSliceReply delete(DeleteEndpointSliceRequest message, Caller caller, Duration timeout) {
    var name =
        new ObjectName(namespace(message.getNamespace()), required("name", message.getName()));
    return slice(
        name.namespace(),
        EndpointSlicesGrpc.getDeleteMethod(),
        message,
        new PodCommand.DeleteSlice(
            name, message.getUid(), message.getResourceVersion(), dryRun(message.getDryRun())),
        caller,
        timeout);
  }

  private <M extends Message> EndpointSliceReply slice(
      String namespace,
      MethodDescriptor<M, EndpointSliceReply> method,
      M message,
      PodCommand command,
      Caller caller,
      Duration timeout) {
    return owners.call(
        new Call<>(
            partitioning.ofNamespace(namespace),
            RequestStamps.request(caller, method, message, command),
            method,
            message,
            replies::slice),
        caller,
        timeout);
  }

  private static DryRun dryRun(boolean asked) {
    return asked ? DryRun.YES : DryRun.NO;
  }

  PodReply updateStatus(UpdatePodStatusRequest message, Caller caller, Duration timeout) {
    var name =
        new ObjectName(namespace(message.getNamespace()), required("name", message.getName()));
    var request =
        RequestStamps.<PodCommand>request(
            caller,
            PodsGrpc.getUpdateStatusMethod(),
            message,
            new PodCommand.UpdatePodStatus(
                name,
                message.getUid(),
                message.getNodeName(),
                message.hasStatus()
                    ? Optional.of(PodCodec.draft(message.getStatus()))
                    : Optional.empty(),
                message.getConditionsList().stream().map(PodCodec::draft).toList()));
    return owners.call(
        new Call<>(
            partitioning.ofNamespace(name.namespace()),
            request,
            PodsGrpc.getUpdateStatusMethod(),
            message,
            replies::pod),
        caller,
        timeout);
  }

  ReportReadinessReply report(ReportReadinessRequest message, Caller caller, Duration timeout) {
    var namespace = namespace(message.getNamespace());
    var command =
        new PodCommand.ReportReadiness(
            namespace,
            message.getNode(),
            message.getSession(),
            message.getSequence(),
            message.getReportsList().stream()
                .map(r ->
                    new PodCommand.Report(
                        r.getName(),
                        r.getPodUid(),
                        r.getReady(),
                        r.getReason(),
                        Timestamps.model(r.getRunsMap())))
                .toList());
    return owners.call(
        new Call<>(
            partitioning.ofNamespace(namespace),
            ofNode(caller, message.getRequestId(), command),
            PodsGrpc.getReportReadinessMethod(),
            message,
            Replies::reported),
        caller,
        timeout);
  }

  ReconcileSourceReply reconcile(ReconcileSourceRequest message, Caller caller, Duration timeout) {
    var namespace = namespace(message.getNamespace());
    var command =
        new PodCommand.ReconcileSource(
            namespace,
            required("source", message.getSource()),
            required("node", message.getNode()),
            message.getSession(),
            message.getSequence(),
            message.getPodsList().stream().map(PodCodec::draft).toList());
    return owners.call(
        new Call<>(
            partitioning.ofNamespace(namespace),
            ofNode(caller, message.getRequestId(), command),
            PodsGrpc.getReconcileSourceMethod(),
            message,
            Replies::reconciled),
        caller,
        timeout);
  }

  NodeReply open(OpenNodeRequest message, Caller caller, Duration timeout) {
    var request =
        RequestStamps.<PodCommand>request(
            caller,
            NodesGrpc.getOpenMethod(),
            message,
            new PodCommand.OpenNode(NodeCodec.draft(message)));
    return owners.call(
        new Call<>(LogPartition.NODES, request, NodesGrpc.getOpenMethod(), message, replies::node),
        caller,
        timeout);
  }

  /**
   * Takes a node off the record.
   *
   * @param streamAt which replica holds its stream, as far as is known here
   */
  NodeReply delete(
      DeleteNodeRequest message, Optional<String> streamAt, Caller caller, Duration timeout) {
    var request =
        RequestStamps.<PodCommand>request(
            caller,
            NodesGrpc.getDeleteMethod(),
            message,
            new PodCommand.DeleteNode(
                required("name", message.getName()),
                message.getUid(),
                message.getResourceVersion(),
                dryRun(message.getDryRun()),
                streamAt));
    return owners.call(
        new Call<>(
            LogPartition.NODES, request, NodesGrpc.getDeleteMethod(), message, replies::node),
        caller,
        timeout);
  }

  /**
   * What nodes say counts by session and sequence: sent again it changes nothing. So nobody has to
   * remember the request, which probes would make many of; its id is only checked.
   */
  private static Request<PodCommand> ofNode(Caller caller, String id, PodCommand command) {
    RequestStamps.checkId(id);
    return new Request<>(
        caller.actor(), Optional.empty(), command, caller.traceparent(), Optional.empty());
  }

  private static String namespace(String text) {
    return text.isEmpty() ? ObjectName.DEFAULT_NAMESPACE : text;
  }

  private static String required(String field, String text) {
    if (text.isEmpty()) {
      throw Errors.invalid(
          "request",
          List.of(new Violation(field, Violation.Reason.REQUIRED, "a " + field + " is needed")));
    }
    return text;
  }

  /** For the streams that this replica holds. */
  public Uplink uplink(Duration timeout) {
    return new Uplink() {
      @Override
      public NodeReply open(OpenNodeRequest request) {
        return PodCalls.this.open(
            request, node(request.getNode().getMetadata().getName()), timeout);
      }

      @Override
      public ReportReadinessReply report(ReportReadinessRequest request) {
        return PodCalls.this.report(request, node(request.getNode()), timeout);
      }

      @Override
      public ReconcileSourceReply reconcile(ReconcileSourceRequest request) {
        return PodCalls.this.reconcile(request, node(request.getNode()), timeout);
      }

      private Caller node(String name) {
        return new Caller("node:" + name, Optional.empty(), OptionalLong.empty());
      }
    };
  }
}
