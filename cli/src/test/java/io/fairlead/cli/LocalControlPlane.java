package io.fairlead.cli;

import io.fairlead.api.Errors;
import io.fairlead.api.NodeCodec;
import io.fairlead.api.PodCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.ServiceCodec;
import io.fairlead.core.decide.Decision;
import io.fairlead.core.decide.DryRun;
import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.decide.PodsContext;
import io.fairlead.core.decide.PodsDecider;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.decide.ServiceSettings;
import io.fairlead.core.decide.ServicesContext;
import io.fairlead.core.decide.ServicesDecider;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LabelSelector;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.record.Change;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.view.PodCondition;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.ApplyServiceRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.GetNodeRequest;
import io.fairlead.v1.GetPodRequest;
import io.fairlead.v1.GetServiceRequest;
import io.fairlead.v1.ListNodesReply;
import io.fairlead.v1.ListNodesRequest;
import io.fairlead.v1.ListPodsReply;
import io.fairlead.v1.ListPodsRequest;
import io.fairlead.v1.ListServicesReply;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.NodeReply;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.PartitionStatus;
import io.fairlead.v1.PodReply;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.Result;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServicesGrpc;
import io.grpc.stub.StreamObserver;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A control plane without a log: Fairlead's own deciders over an image in memory, behind Fairlead's
 * own gRPC server. It refuses and answers as the real one does, since the same code decides.
 */
final class LocalControlPlane implements AutoCloseable {
  static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");
  private static final Partitioning PARTITIONING = new Partitioning(3);
  private static final LogIdentity LOG = new LogIdentity("services-id", "pods-id");

  private final String replica;
  private final RandomSource random = RandomSource.seeded(7);
  private final GrpcServer server;
  private ClusterImage image = ClusterImage.EMPTY;
  private Position position = Position.start(LOG);
  private int failures;
  private Supplier<RuntimeException> failure = () -> Errors.notSynced("reading the log");

  /** Every request id that arrived, also with calls that failed. */
  final List<String> requestIds = new ArrayList<>();

  LocalControlPlane(String replica) {
    this.replica = replica;
    append(
        List.of(
            new Change.Put(
                new ServiceCidr(
                    new ObjectMeta(
                        "", "default", random.uuid(), new TreeMap<>(), new TreeMap<>(), NOW),
                    List.of(Cidr.of("10.96.0.0/16")),
                    false))));
    server =
        GrpcServer.start(
            GrpcServer.Settings.listening(HostPort.of("127.0.0.1:0")),
            List.of(new Services(), new Pods(), new Nodes(), new Log()),
            List.of(),
            new Metrics());
  }

  HostPort address() {
    return new HostPort("127.0.0.1", server.port());
  }

  /** The next calls fail, this many of them. */
  synchronized void failNext(int calls, Supplier<RuntimeException> with) {
    failures = calls;
    failure = with;
  }

  /** As an agent would: opens a session. */
  synchronized void openNode(io.fairlead.v1.Node node) {
    decideOnPods(new PodCommand.OpenNode(NodeCodec.draft(node)));
  }

  /** Changes behind the deciders' back: what a replica with a defect would have. */
  synchronized void corrupt(String namespace, String name) {
    var service = image.services().get(new ObjectName(namespace, name)).orElseThrow();
    var meta = service.object().meta();
    var labels = new TreeMap<>(meta.labels());
    labels.put("corrupt", "yes");
    var delta = new ClusterDelta(image);
    delta.replay(
        entry(
            LogPartition.SERVICES,
            service.offset(),
            new Change.Put(
                new io.fairlead.core.model.Service(
                    new ObjectMeta(
                        meta.namespace(),
                        meta.name(),
                        meta.uid(),
                        labels,
                        meta.annotations(),
                        meta.created()),
                    service.object().spec()))));
    image = delta.apply();
  }

  private void arrived(String requestId) {
    if (!requestId.isEmpty()) {
      requestIds.add(requestId);
    }
    if (failures > 0) {
      failures--;
      throw failure.get();
    }
  }

  /** Offset of the first record. */
  private OptionalLong append(List<Change> changes) {
    var delta = new ClusterDelta(image);
    OptionalLong first = OptionalLong.empty();
    for (var change : changes) {
      var partition = PARTITIONING.of(change.key());
      long offset = position.of(partition);
      delta.replay(entry(partition, offset, change));
      position = position.with(partition, offset + 1);
      first = first.isPresent() ? first : OptionalLong.of(offset);
    }
    image = delta.apply();
    return first;
  }

  private LogEntry entry(LogPartition partition, long offset, Change change) {
    var envelope =
        new Envelope(
            random.uuid7(NOW), NOW, "test", Optional.empty(), Optional.empty(), Optional.empty());
    LogEvent event =
        switch (change) {
          case Change.Put(var object) -> new LogEvent.Stored(object, envelope);
          case Change.Remove(var key, UUID uid) -> new LogEvent.Deleted(key, uid, envelope);
        };
    return new LogEntry(partition, offset, NOW, event);
  }

  private ServiceOutcome decide(ServiceCommand command) {
    var context =
        new ServicesContext(
            NOW, random, Set.of(), Map.of(), new LinkedHashSet<>(), ServiceSettings.DEFAULT);
    Decision<ServiceOutcome> decision = ServicesDecider.decide(image, command, context);
    if (decision.changes().isEmpty()) {
      return decision.reply();
    }
    return decision.reply().at(append(decision.changes()).orElseThrow());
  }

  private PodOutcome decideOnPods(PodCommand command) {
    Decision<PodOutcome> decision =
        PodsDecider.decide(image, command, new PodsContext(NOW, random));
    if (decision.changes().isEmpty()) {
      return decision.reply();
    }
    return decision.reply().at(append(decision.changes()).orElseThrow());
  }

  private static Result result(io.fairlead.core.decide.Result result) {
    return Result.valueOf(result.name());
  }

  private <R> void answer(StreamObserver<R> observer, String requestId, Supplier<R> reply) {
    synchronized (this) {
      arrived(requestId);
      observer.onNext(reply.get());
    }
    observer.onCompleted();
  }

  private static <T> T found(Optional<T> found, Kind kind, String namespace, String name) {
    return found.orElseThrow(
        () -> Errors.refused(new Refusal.NotFound(new ObjectKey(kind, namespace, name))));
  }

  private static LabelSelector selector(String text) {
    return switch (LabelSelector.parse(text)) {
      case LabelSelector.Parsed.Valid(var valid) -> valid;
      case LabelSelector.Parsed.Invalid(var message) ->
          throw Errors.invalid(
              "labelSelector", io.fairlead.core.decide.Violation.Reason.INVALID, message);
    };
  }

  private final class Services extends ServicesGrpc.ServicesImplBase {
    private ServiceReply reply(ServiceOutcome outcome) {
      return switch (outcome) {
        case ServiceOutcome.Stored(var result, var service, var version) ->
            ServiceReply.newBuilder()
                .setService(ServiceCodec.proto(service, version))
                .setPosition(PositionCodec.proto(position))
                .setResult(result(result))
                .build();
        case ServiceOutcome.Deleted _ ->
            ServiceReply.newBuilder()
                .setPosition(PositionCodec.proto(position))
                .setResult(Result.DELETED)
                .build();
        case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      };
    }

    private DryRun dryRun(io.fairlead.v1.CreateServiceRequest request) {
      return request.getDryRun() ? DryRun.YES : DryRun.NO;
    }

    @Override
    public void create(CreateServiceRequest request, StreamObserver<ServiceReply> observer) {
      answer(
          observer,
          request.getRequestId(),
          () ->
              reply(
                  decide(
                      new ServiceCommand.Create(
                          ServiceCodec.draft(request.getService()), dryRun(request)))));
    }

    @Override
    public void apply(ApplyServiceRequest request, StreamObserver<ServiceReply> observer) {
      answer(
          observer,
          request.getRequestId(),
          () ->
              reply(
                  decide(
                      new ServiceCommand.Apply(
                          ServiceCodec.draft(request.getService()),
                          request.getDryRun() ? DryRun.YES : DryRun.NO))));
    }

    @Override
    public void delete(DeleteServiceRequest request, StreamObserver<ServiceReply> observer) {
      answer(
          observer,
          request.getRequestId(),
          () ->
              reply(
                  decide(
                      new ServiceCommand.Delete(
                          new ObjectName(request.getNamespace(), request.getName()),
                          request.getUid(),
                          request.getResourceVersion()))));
    }

    @Override
    public void get(GetServiceRequest request, StreamObserver<ServiceReply> observer) {
      answer(
          observer,
          "",
          () ->
              ServiceReply.newBuilder()
                  .setService(
                      ServiceCodec.proto(
                          found(
                              image
                                  .services()
                                  .get(new ObjectName(request.getNamespace(), request.getName())),
                              Kind.SERVICE,
                              request.getNamespace(),
                              request.getName())))
                  .build());
    }

    @Override
    public void list(ListServicesRequest request, StreamObserver<ListServicesReply> observer) {
      answer(
          observer,
          "",
          () -> {
            var selector = selector(request.getLabelSelector());
            var items =
                request.getNamespace().isEmpty()
                    ? image.services().all()
                    : image.services().byNamespace(request.getNamespace());
            return ListServicesReply.newBuilder()
                .addAllItems(
                    items.stream()
                        .filter(s -> selector.matches(s.object().meta().labels()))
                        .map(ServiceCodec::proto)
                        .toList())
                .build();
          });
    }
  }

  private final class Pods extends PodsGrpc.PodsImplBase {
    private io.fairlead.v1.Pod proto(Versioned<Pod> pod) {
      return PodCodec.proto(pod, PodCondition.of(image.pods(), pod.object()));
    }

    private PodReply reply(PodOutcome outcome) {
      var reply = PodReply.newBuilder().setPosition(PositionCodec.proto(position));
      return switch (outcome) {
        case PodOutcome.Stored(var result, var pod, _) ->
            reply
                .setPod(proto(image.pods().get(pod.name()).orElseThrow()))
                .setResult(result(result))
                .build();
        case PodOutcome.Deleted _ -> reply.setResult(Result.DELETED).build();
        case PodOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
        case PodOutcome.NodeStored _, PodOutcome.Reported _, PodOutcome.Reconciled _ ->
            throw new IllegalStateException("not asked for: " + outcome);
      };
    }

    @Override
    public void apply(ApplyPodRequest request, StreamObserver<PodReply> observer) {
      answer(
          observer,
          request.getRequestId(),
          () -> {
            var draft = PodCodec.draft(request.getPod());
            return reply(decideOnPods(new PodCommand.ApplyPod(draft)));
          });
    }

    @Override
    public void delete(DeletePodRequest request, StreamObserver<PodReply> observer) {
      answer(
          observer,
          request.getRequestId(),
          () ->
              reply(
                  decideOnPods(
                      new PodCommand.DeletePod(
                          new ObjectName(request.getNamespace(), request.getName()),
                          request.getUid(),
                          request.hasGracePeriodSeconds()
                              ? OptionalInt.of(request.getGracePeriodSeconds())
                              : OptionalInt.empty()))));
    }

    @Override
    public void get(GetPodRequest request, StreamObserver<PodReply> observer) {
      answer(
          observer,
          "",
          () ->
              PodReply.newBuilder()
                  .setPod(
                      proto(
                          found(
                              image
                                  .pods()
                                  .get(new ObjectName(request.getNamespace(), request.getName())),
                              Kind.POD,
                              request.getNamespace(),
                              request.getName())))
                  .build());
    }

    @Override
    public void list(ListPodsRequest request, StreamObserver<ListPodsReply> observer) {
      answer(
          observer,
          "",
          () -> {
            var selector = selector(request.getLabelSelector());
            var items =
                request.getNamespace().isEmpty()
                    ? image.pods().all()
                    : image.pods().inNamespace(request.getNamespace());
            return ListPodsReply.newBuilder()
                .addAllItems(
                    items.stream()
                        .filter(pod -> selector.matches(pod.object().meta().labels()))
                        .map(this::proto)
                        .toList())
                .build();
          });
    }
  }

  private final class Nodes extends NodesGrpc.NodesImplBase {
    @Override
    public void open(OpenNodeRequest request, StreamObserver<NodeReply> observer) {
      openNode(request.getNode());
      answer(observer, request.getRequestId(), NodeReply::getDefaultInstance);
    }

    @Override
    public void get(GetNodeRequest request, StreamObserver<NodeReply> observer) {
      answer(
          observer,
          "",
          () ->
              NodeReply.newBuilder()
                  .setNode(
                      NodeCodec.proto(
                          found(
                              image.nodes().get(request.getName()),
                              Kind.NODE,
                              "",
                              request.getName())))
                  .build());
    }

    @Override
    public void list(ListNodesRequest request, StreamObserver<ListNodesReply> observer) {
      Function<Versioned<io.fairlead.core.model.Node>, io.fairlead.v1.Node> proto =
          NodeCodec::proto;
      answer(
          observer,
          "",
          () ->
              ListNodesReply.newBuilder()
                  .addAllItems(image.nodes().all().stream().map(proto).toList())
                  .build());
    }
  }

  private final class Log extends LogGrpc.LogImplBase {
    @Override
    public void status(LogStatusRequest request, StreamObserver<LogStatusReply> observer) {
      answer(
          observer,
          "",
          () -> {
            var reply =
                LogStatusReply.newBuilder()
                    .setReplica(replica)
                    .setPosition(PositionCodec.proto(position));
            for (var partition : position.next().keySet()) {
              reply.addPartitions(
                  PartitionStatus.newBuilder()
                      .setPartition(partition.toString())
                      .setNext(position.of(partition))
                      .setDigest(image.digest(partition).toString())
                      .setObjects(image.objects(partition))
                      .setOwner("replica-1"));
            }
            return reply.build();
          });
    }
  }

  @Override
  public void close() {
    server.close();
  }
}
