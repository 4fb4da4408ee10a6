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
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.fairlead.v1.ApplyNamespaceRequest;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.ApplyServiceRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.DeleteNamespaceRequest;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.EndpointSliceReply;
import io.fairlead.v1.EndpointSlicesGrpc;
import io.fairlead.v1.GetEndpointSliceRequest;
import io.fairlead.v1.GetNamespaceRequest;
import io.fairlead.v1.GetNodeRequest;
import io.fairlead.v1.GetPodRequest;
import io.fairlead.v1.GetServiceRequest;
import io.fairlead.v1.ListEndpointSlicesReply;
import io.fairlead.v1.ListEndpointSlicesRequest;
import io.fairlead.v1.ListNamespacesReply;
import io.fairlead.v1.ListNamespacesRequest;
import io.fairlead.v1.ListNodesReply;
import io.fairlead.v1.ListNodesRequest;
import io.fairlead.v1.ListPodsReply;
import io.fairlead.v1.ListPodsRequest;
import io.fairlead.v1.ListServicesReply;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.NamespaceReply;
import io.fairlead.v1.NamespacesGrpc;
import io.fairlead.v1.NodeReply;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.PartitionStatus;
import io.fairlead.v1.PodReply;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.ReadLogReply;
import io.fairlead.v1.ReadLogRequest;
import io.fairlead.v1.Result;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServicesGrpc;
import io.fairlead.v1.WatchEndpointSlicesReply;
import io.fairlead.v1.WatchEndpointSlicesRequest;
import io.fairlead.v1.WatchPodsReply;
import io.fairlead.v1.WatchPodsRequest;
import io.fairlead.v1.WatchServicesReply;
import io.fairlead.v1.WatchServicesRequest;
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
  private Instant now = NOW;
  private final List<io.fairlead.v1.LogEntry> written = new ArrayList<>();
  private final TreeMap<String, io.fairlead.v1.Namespace> made = new TreeMap<>();
  private final List<Runnable> watches = new ArrayList<>();
  private int failures;
  private Supplier<RuntimeException> failure = () -> Errors.notSynced("reading the log");

  /** Every request id that arrived, also with calls that failed. */
  final List<String> requestIds = new ArrayList<>();

  LocalControlPlane(String replica) {
    this.replica = replica;
    append(
        List.of(
            new Change.Put(
                ServiceCidr.ready(
                    new ObjectMeta(
                        "", "default", random.uuid(), new TreeMap<>(), new TreeMap<>(), NOW),
                    List.of(Cidr.of("10.96.0.0/16"))))));
    server =
        GrpcServer.start(
            GrpcServer.Settings.listening(HostPort.of("127.0.0.1:0")),
            List.of(
                new Services(),
                new Pods(),
                new Nodes(),
                new Slices(),
                new MadeNamespaces(),
                new LocalServiceCidrs(() -> image, this::decideNow),
                new Log()),
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

  /** Entries that come are of a later time. */
  synchronized void advance(java.time.Duration duration) {
    now = now.plus(duration);
  }

  /** How many watches there are. */
  synchronized int watches() {
    return watches.size();
  }

  /** What runs a Pod tells that it has ended. */
  synchronized void ended(String namespace, String name) {
    decideOnPods(new PodCommand.DeletePod(new ObjectName(namespace, name), "", OptionalInt.of(0)));
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
      var entry = entry(partition, offset, change);
      delta.replay(entry);
      written.add(message(entry));
      position = position.with(partition, offset + 1);
      first = first.isPresent() ? first : OptionalLong.of(offset);
    }
    image = delta.apply();
    watches.forEach(Runnable::run);
    return first;
  }

  private LogEntry entry(LogPartition partition, long offset, Change change) {
    var envelope =
        new Envelope(
            random.uuid7(now), now, "test", Optional.empty(), Optional.empty(), Optional.empty());
    LogEvent event =
        switch (change) {
          case Change.Put(var object) -> new LogEvent.Stored(object, envelope);
          case Change.Remove(var key, UUID uid) -> new LogEvent.Deleted(key, uid, envelope);
        };
    return new LogEntry(partition, offset, now, event);
  }

  private static io.fairlead.v1.LogEntry message(LogEntry entry) {
    var appended = entry.timestamp();
    var message =
        io.fairlead.v1.LogEntry.newBuilder()
            .setPartition(entry.partition().toString())
            .setOffset(entry.offset())
            .setKey(entry.event().key().toString())
            .setAppended(
                com.google.protobuf.Timestamp.newBuilder()
                    .setSeconds(appended.getEpochSecond())
                    .setNanos(appended.getNano()));
    byte[] value = EventCodec.encode(entry.partition(), entry.event()).value();
    if (value != null) {
      message.setRecord(com.google.protobuf.ByteString.copyFrom(value));
    }
    return message.build();
  }

  /** From another class, so on its own. */
  private synchronized ServiceOutcome decideNow(ServiceCommand command) {
    return decide(command);
  }

  private ServiceOutcome decide(ServiceCommand command) {
    var context =
        new ServicesContext(
            now, random, Set.of(), Map.of(), new LinkedHashSet<>(), ServiceSettings.DEFAULT);
    Decision<ServiceOutcome> decision = ServicesDecider.decide(image, command, context);
    if (decision.changes().isEmpty()) {
      return decision.reply();
    }
    return decision.reply().at(append(decision.changes()).orElseThrow());
  }

  private PodOutcome decideOnPods(PodCommand command) {
    Decision<PodOutcome> decision =
        PodsDecider.decide(image, command, new PodsContext(now, random));
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

  /** What one kind of objects is told as. */
  private record Telling<T, R>(
      Function<T, R> added,
      Function<T, R> modified,
      Function<T, R> deleted,
      Function<io.fairlead.v1.Position, R> synced) {}

  /** Tells what is there, and after each change what differs. */
  private synchronized <T, R> void watch(
      StreamObserver<R> observer, Telling<T, R> telling, Supplier<Map<String, T>> objects) {
    arrived("");
    var told = new TreeMap<>(objects.get());
    told.values().forEach(object -> observer.onNext(telling.added().apply(object)));
    observer.onNext(telling.synced().apply(PositionCodec.proto(position)));
    watches.add(() -> {
      var next = objects.get();
      next.forEach((key, object) -> {
        var before = told.put(key, object);
        if (before == null) {
          observer.onNext(telling.added().apply(object));
        } else if (!before.equals(object)) {
          observer.onNext(telling.modified().apply(object));
        }
      });
      var gone = new TreeMap<>(told);
      gone.keySet().removeAll(next.keySet());
      gone.forEach((key, object) -> {
        told.remove(key);
        observer.onNext(telling.deleted().apply(object));
      });
    });
  }

  private static <T> Map<String, T> byName(
      java.util.Collection<T> objects, Function<T, io.fairlead.v1.ObjectMeta> meta) {
    var result = new TreeMap<String, T>();
    objects.forEach(
        o -> result.put(meta.apply(o).getNamespace() + "/" + meta.apply(o).getName(), o));
    return result;
  }

  private static boolean isMeant(
      io.fairlead.v1.ObjectMeta meta, String namespace, String name, LabelSelector selector) {
    return (namespace.isEmpty() || namespace.equals(meta.getNamespace()))
        && (name.isEmpty() || name.equals(meta.getName()))
        && selector.matches(meta.getLabelsMap());
  }

  private final class Slices extends EndpointSlicesGrpc.EndpointSlicesImplBase {
    private List<io.fairlead.v1.EndpointSlice> slices(
        String namespace, String name, LabelSelector selector) {
      return new EndpointSliceResource()
          .of(image).stream()
              .filter(slice -> isMeant(slice.getMetadata(), namespace, name, selector))
              .toList();
    }

    @Override
    public void get(GetEndpointSliceRequest request, StreamObserver<EndpointSliceReply> observer) {
      answer(
          observer,
          "",
          () ->
              EndpointSliceReply.newBuilder()
                  .setEndpointSlice(
                      slices(request.getNamespace(), request.getName(), selector("")).stream()
                          .findFirst()
                          .orElseThrow(() ->
                              io.grpc.Status.NOT_FOUND
                                  .withDescription(
                                      "endpointslices \"" + request.getName() + "\" not found")
                                  .asRuntimeException()))
                  .build());
    }

    @Override
    public void list(
        ListEndpointSlicesRequest request, StreamObserver<ListEndpointSlicesReply> observer) {
      answer(
          observer,
          "",
          () ->
              ListEndpointSlicesReply.newBuilder()
                  .addAllItems(
                      slices(request.getNamespace(), "", selector(request.getLabelSelector())))
                  .build());
    }

    @Override
    public void watch(
        WatchEndpointSlicesRequest request, StreamObserver<WatchEndpointSlicesReply> observer) {
      var selector = selector(request.getLabelSelector());
      LocalControlPlane.this.watch(
          observer,
          new Telling<io.fairlead.v1.EndpointSlice, WatchEndpointSlicesReply>(
              o -> WatchEndpointSlicesReply.newBuilder().setAdded(o).build(),
              o -> WatchEndpointSlicesReply.newBuilder().setModified(o).build(),
              o -> WatchEndpointSlicesReply.newBuilder().setDeleted(o).build(),
              at -> WatchEndpointSlicesReply.newBuilder().setSynced(at).build()),
          () ->
              byName(
                  slices(request.getNamespace(), request.getName(), selector),
                  io.fairlead.v1.EndpointSlice::getMetadata));
    }
  }

  private final class MadeNamespaces extends NamespacesGrpc.NamespacesImplBase {
    private Map<String, io.fairlead.v1.Namespace> all() {
      var all = new TreeMap<String, io.fairlead.v1.Namespace>();
      for (var service : image.services().all()) {
        var name = service.object().meta().namespace();
        all.put(name, NamespaceResource.held(name));
      }
      all.putAll(made);
      return all;
    }

    @Override
    public void apply(ApplyNamespaceRequest request, StreamObserver<NamespaceReply> observer) {
      answer(
          observer,
          request.getRequestId(),
          () -> {
            var name = request.getNamespace().getMetadata().getName();
            var namespace = NamespaceResource.held(name).toBuilder();
            namespace
                .getMetadataBuilder()
                .setUid("uid-of-" + name)
                .setResourceVersion("1")
                .putAllLabels(request.getNamespace().getMetadata().getLabelsMap())
                .setCreationTimestamp(
                    com.google.protobuf.Timestamp.newBuilder().setSeconds(now.getEpochSecond()));
            var before = request.getDryRun() ? made.get(name) : made.put(name, namespace.build());
            return NamespaceReply.newBuilder()
                .setNamespace(namespace)
                .setResult(
                    before == null
                        ? Result.CREATED
                        : before.equals(namespace.build()) ? Result.UNCHANGED : Result.CONFIGURED)
                .build();
          });
    }

    @Override
    public void get(GetNamespaceRequest request, StreamObserver<NamespaceReply> observer) {
      answer(
          observer,
          "",
          () -> NamespaceReply.newBuilder().setNamespace(known(request.getName())).build());
    }

    private io.fairlead.v1.Namespace known(String name) {
      return Optional.ofNullable(all().get(name))
          .orElseThrow(() ->
              io.grpc.Status.NOT_FOUND
                  .withDescription("namespaces \"" + name + "\" not found")
                  .asRuntimeException());
    }

    @Override
    public void list(ListNamespacesRequest request, StreamObserver<ListNamespacesReply> observer) {
      answer(
          observer,
          "",
          () -> {
            var selector = selector(request.getLabelSelector());
            return ListNamespacesReply.newBuilder()
                .addAllItems(
                    all().values().stream()
                        .filter(n -> selector.matches(n.getMetadata().getLabelsMap()))
                        .toList())
                .build();
          });
    }

    @Override
    public void delete(DeleteNamespaceRequest request, StreamObserver<NamespaceReply> observer) {
      answer(
          observer,
          request.getRequestId(),
          () -> {
            known(request.getName());
            int deleted = 0;
            if (request.getCascade()) {
              for (var service : image.services().byNamespace(request.getName())) {
                decide(new ServiceCommand.Delete(service.object().name(), "", ""));
                deleted++;
              }
            }
            made.remove(request.getName());
            return NamespaceReply.newBuilder()
                .setResult(Result.DELETED)
                .setDeletedServices(deleted)
                .build();
          });
    }
  }

  private final class Services extends ServicesGrpc.ServicesImplBase {
    @Override
    public void watch(WatchServicesRequest request, StreamObserver<WatchServicesReply> observer) {
      var selector = selector(request.getLabelSelector());
      LocalControlPlane.this.watch(
          observer,
          new Telling<io.fairlead.v1.Service, WatchServicesReply>(
              o -> WatchServicesReply.newBuilder().setAdded(o).build(),
              o -> WatchServicesReply.newBuilder().setModified(o).build(),
              o -> WatchServicesReply.newBuilder().setDeleted(o).build(),
              at -> WatchServicesReply.newBuilder().setSynced(at).build()),
          () ->
              byName(
                  new ServiceResource()
                      .of(image).stream()
                          .filter(o ->
                              isMeant(
                                  o.getMetadata(),
                                  request.getNamespace(),
                                  request.getName(),
                                  selector))
                          .toList(),
                  io.fairlead.v1.Service::getMetadata));
    }

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
        case ServiceOutcome.NamespaceStored _,
            ServiceOutcome.NamespaceDeleted _,
            ServiceOutcome.Reserved _,
            ServiceOutcome.ReservationEnded _,
            ServiceOutcome.CidrStored _,
            ServiceOutcome.CidrTerminating _,
            ServiceOutcome.CidrDeleted _ ->
            throw new IllegalStateException("no Service: " + outcome);
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
    @Override
    public void watch(WatchPodsRequest request, StreamObserver<WatchPodsReply> observer) {
      var selector = selector(request.getLabelSelector());
      LocalControlPlane.this.watch(
          observer,
          new Telling<io.fairlead.v1.Pod, WatchPodsReply>(
              o -> WatchPodsReply.newBuilder().setAdded(o).build(),
              o -> WatchPodsReply.newBuilder().setModified(o).build(),
              o -> WatchPodsReply.newBuilder().setDeleted(o).build(),
              at -> WatchPodsReply.newBuilder().setSynced(at).build()),
          () ->
              byName(
                  new PodResource()
                      .of(image).stream()
                          .filter(o ->
                              isMeant(
                                  o.getMetadata(),
                                  request.getNamespace(),
                                  request.getName(),
                                  selector))
                          .toList(),
                  io.fairlead.v1.Pod::getMetadata));
    }

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
    public void read(ReadLogRequest request, StreamObserver<ReadLogReply> observer) {
      synchronized (LocalControlPlane.this) {
        arrived("");
        var from =
            request.hasFrom()
                ? PositionCodec.model(request.getFrom()).orElseThrow()
                : Position.start(LOG);
        var begin = ReadLogReply.newBuilder();
        begin
            .getBeginBuilder()
            .setFrom(PositionCodec.proto(from))
            .setEnd(PositionCodec.proto(position));
        observer.onNext(begin.build());
        for (var entry : written) {
          if (entry.getOffset()
              >= from.of(LogPartition.parse(entry.getPartition()).orElseThrow())) {
            observer.onNext(ReadLogReply.newBuilder().setEntry(entry).build());
          }
        }
        observer.onNext(ReadLogReply.newBuilder().setEnd(PositionCodec.proto(position)).build());
        if (!request.getFollow()) {
          observer.onCompleted();
          return;
        }
        var told = new int[] {written.size()};
        watches.add(() -> {
          while (told[0] < written.size()) {
            observer.onNext(ReadLogReply.newBuilder().setEntry(written.get(told[0]++)).build());
          }
        });
      }
    }

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
