package io.fairlead.cli;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.fairlead.api.Errors;
import io.fairlead.api.NodeCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.decide.Decision;
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
import io.fairlead.core.image.DigestMarks;
import io.fairlead.core.image.DigestTrail;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LabelSelector;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.record.Change;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.fairlead.v1.DrainPodReply;
import io.fairlead.v1.NodeRulesReply;
import io.fairlead.v1.NodeRulesRequest;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.Result;
import io.fairlead.v1.TraceFlowsReply;
import io.fairlead.v1.TraceFlowsRequest;
import io.fairlead.v1.WaitAppliedReply;
import io.fairlead.v1.WaitAppliedRequest;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * A control plane without a log: Fairlead's own deciders over an image in memory, behind Fairlead's
 * own gRPC server. It refuses and answers as the real one does, since the same code decides.
 */
final class LocalControlPlane implements AutoCloseable {
  static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");
  static final Partitioning PARTITIONING = new Partitioning(3);
  static final LogIdentity LOG = new LogIdentity("services-id", "pods-id");

  private final List<WaitAppliedRequest> waits = new CopyOnWriteArrayList<>();
  private final List<DrainPodReply> drainReplies = new CopyOnWriteArrayList<>();
  private final List<WaitAppliedReply> waitReplies = new CopyOnWriteArrayList<>();
  private final List<NodeRulesRequest> rulesRequests = new CopyOnWriteArrayList<>();
  private final List<NodeRulesReply> rulesReplies = new CopyOnWriteArrayList<>();
  private final List<TraceFlowsRequest> flowsRequests = new CopyOnWriteArrayList<>();
  private final List<TraceFlowsReply> flowsReplies = new CopyOnWriteArrayList<>();
  private final String replica;
  private final RandomSource random = RandomSource.seeded(7);
  final LocalReservations reservations = new LocalReservations(this);
  private final List<GrpcServer> servers = new ArrayList<>();
  private ClusterImage image = ClusterImage.EMPTY;
  private Position position = Position.start(LOG);
  private Instant now = NOW;
  private Instant completeSince = NOW.minus(Duration.ofDays(7));
  private final DigestTrail trail = new DigestTrail(DigestTrail.KEPT, () -> completeSince);
  private final List<io.fairlead.v1.LogEntry> written = new ArrayList<>();
  private final List<Runnable> watches = new ArrayList<>();
  private final Map<String, ClusterImage> past = new HashMap<>();
  private int dnsSupports;
  private int beginnings;
  private int pages;
  private boolean forgetful;
  private int failures;
  private Supplier<RuntimeException> failure = () -> Errors.notSynced("reading the log");

  /** Every request id that arrived, also with calls that failed. */
  final List<String> requestIds = new CopyOnWriteArrayList<>();

  LocalControlPlane(String replica) {
    this.replica = replica;
    append(
        List.of(
            new Change.Put(ServiceCidr.ready(meta("default"), List.of(Cidr.of("10.96.0.0/16"))))));
    var _ = serveAgain();
  }

  private ObjectMeta meta(String name) {
    return new ObjectMeta("", name, random.uuid(), new TreeMap<>(), new TreeMap<>(), NOW);
  }

  /** What whoever drains a Pod is answered. */
  List<DrainPodReply> drainReplies() {
    return drainReplies;
  }

  /** Waits for nodes that arrived. */
  List<WaitAppliedRequest> waits() {
    return waits;
  }

  /** Questions for the rules of nodes that arrived. */
  List<NodeRulesRequest> rulesRequests() {
    return rulesRequests;
  }

  /** What each of them is answered. */
  List<NodeRulesReply> rulesReplies() {
    return rulesReplies;
  }

  /** What questions for connections are answered. */
  List<TraceFlowsReply> flowsReplies() {
    return flowsReplies;
  }

  /** Those questions. */
  List<TraceFlowsRequest> flowsRequests() {
    return flowsRequests;
  }

  /** What each wait is answered. */
  List<WaitAppliedReply> waitReplies() {
    return waitReplies;
  }

  HostPort address() {
    return address(servers.getFirst());
  }

  private static HostPort address(GrpcServer server) {
    return new HostPort("127.0.0.1", server.port());
  }

  /** One more server of the same state, as another replica is. */
  HostPort serveAgain() {
    var server =
        GrpcServer.start(
            GrpcServer.Settings.listening(HostPort.of("127.0.0.1:0"))
                .withDrain(Duration.ofMillis(1)),
            List.of(
                new LocalServices(this),
                new LocalPods(this),
                new LocalNodes(this),
                new LocalSlices(this),
                new LocalEnvironments(this),
                new LocalNamespaces(this),
                new LocalServiceCidrs(this::image, this::decide),
                reservations,
                new LocalFeatureLevels(this),
                new LocalLog(this)),
            List.of(),
            new Metrics());
    servers.add(server);
    return address(server);
  }

  /** Ends a server and the calls that it has, at once. */
  void kill(HostPort address) {
    servers.stream().filter(server -> address(server).equals(address)).forEach(GrpcServer::close);
  }

  String replica() {
    return replica;
  }

  synchronized ClusterImage image() {
    return image;
  }

  synchronized Position position() {
    return position;
  }

  /** What its only other follower supports; 0 = that has not said. */
  synchronized int dnsSupports() {
    return dnsSupports;
  }

  synchronized void dnsSupports(int level) {
    dnsSupports = level;
  }

  /** The digests that it kept. */
  synchronized SortedMap<LogPartition, DigestMarks> digests() {
    return trail.marks();
  }

  /** All entries, in the order in which they were written. */
  List<io.fairlead.v1.LogEntry> written() {
    return written;
  }

  /** Since when nothing was removed from the log. */
  synchronized void compactedBefore(Instant time) {
    completeSince = time;
  }

  synchronized Instant completeSince() {
    return completeSince;
  }

  /** Is called after each change. */
  synchronized void onChange(Runnable listener) {
    watches.add(listener);
  }

  /** The next calls fail, this many of them. */
  synchronized void failNext(int calls, Supplier<RuntimeException> with) {
    failures = calls;
    failure = with;
  }

  /** Entries that come are of a later time. */
  synchronized void advance(Duration duration) {
    now = now.plus(duration);
  }

  /** With that many namespaces. */
  synchronized void fillLog(int entries) {
    var changes = new ArrayList<Change>();
    for (int i = 0; i < entries; i++) {
      var meta = new ObjectMeta("", "n" + i, random.uuid(), new TreeMap<>(), new TreeMap<>(), now);
      changes.add(new Change.Put(new Namespace(meta)));
    }
    append(changes);
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
    decideOnPods(
        new PodCommand.OpenNode(
            NodeCodec.draft(OpenNodeRequest.newBuilder().setNode(node).build())));
  }

  /** As the owner of the Nodes would, of one whose lease ran out. */
  synchronized void loseNode(String name) {
    var session = image.nodes().get(name).orElseThrow().offset();
    decideOnPods(new PodCommand.LoseNode(name, session, "no lease for 40 s"));
  }

  /** Changes behind the deciders' back: what a replica with a defect would have. */
  synchronized void corrupt(String namespace, String name) {
    var service = image.services().get(new ObjectName(namespace, name)).orElseThrow();
    var meta = service.object().meta();
    var labels = new TreeMap<>(meta.labels());
    labels.put("corrupt", "yes");
    var corrupted =
        new io.fairlead.core.model.Service(
            new ObjectMeta(
                meta.namespace(),
                meta.name(),
                meta.uid(),
                labels,
                meta.annotations(),
                meta.created()),
            service.object().spec());
    var delta = new ClusterDelta(image);
    delta.restore(
        corrupted.key(),
        LogPartition.SERVICES,
        Optional.of(Versioned.at(corrupted, service.offset())));
    image = delta.apply();
  }

  void arrived(String requestId) {
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
      trail.replay(entry, delta);
      written.add(message(entry));
      position = position.with(partition, offset + 1);
      first = first.isPresent() ? first : OptionalLong.of(offset);
    }
    image = delta.apply();
    trail.reached(position, image);
    past.put(position.offsets(), image);
    watches.removeIf(LocalControlPlane::isGone);
    return first;
  }

  /** Tells one that watches. */
  private static boolean isGone(Runnable watch) {
    try {
      watch.run();
      return false;
    } catch (StatusRuntimeException | IllegalStateException _) {
      return true; // its server was killed
    }
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
    var message =
        io.fairlead.v1.LogEntry.newBuilder()
            .setPartition(entry.partition().toString())
            .setOffset(entry.offset())
            .setKey(entry.event().key().toString())
            .setAppended(Timestamps.proto(entry.timestamp()));
    EventCodec.value(entry.event()).map(ByteString::copyFrom).ifPresent(message::setRecord);
    return message.build();
  }

  synchronized ServiceOutcome decide(ServiceCommand command) {
    var context =
        new ServicesContext(
            now, random, Set.of(), Map.of(), new LinkedHashSet<>(), ServiceSettings.DEFAULT);
    Decision<ServiceOutcome> decision = ServicesDecider.decide(image, command, context);
    if (decision.changes().isEmpty()) {
      return decision.reply();
    }
    return decision.reply().at(append(decision.changes()).orElseThrow());
  }

  PodOutcome decideOnPods(PodCommand command) {
    Decision<PodOutcome> decision =
        PodsDecider.decide(image, command, new PodsContext(now, random));
    if (decision.changes().isEmpty()) {
      return decision.reply();
    }
    return decision.reply().at(append(decision.changes()).orElseThrow());
  }

  static Result result(io.fairlead.core.decide.Result result) {
    return Result.valueOf(result.name());
  }

  <R> void answer(StreamObserver<R> observer, String requestId, Supplier<R> reply) {
    synchronized (this) {
      arrived(requestId);
      observer.onNext(reply.get());
    }
    observer.onCompleted();
  }

  static <T> T found(Optional<T> found, Kind kind, String namespace, String name) {
    return found.orElseThrow(
        () -> Errors.refused(new Refusal.NotFound(new ObjectKey(kind, namespace, name))));
  }

  static LabelSelector selector(String text) {
    return switch (LabelSelector.parse(text)) {
      case LabelSelector.Parsed.Valid(var valid) -> valid;
      case LabelSelector.Parsed.Invalid(var message) ->
          throw Errors.invalid(
              "labelSelector", io.fairlead.core.decide.Violation.Reason.INVALID, message);
    };
  }

  /** What one kind of objects is told as. */
  record Telling<T, R>(
      Function<T, R> added,
      Function<T, R> modified,
      Function<T, R> deleted,
      Function<io.fairlead.v1.Position, R> synced) {}

  /** Tells what is there, or differs from a position, and after each change what differs. */
  synchronized <T, R extends Message> void watch(
      StreamObserver<R> observer,
      io.fairlead.v1.Position from,
      Telling<T, R> telling,
      Supplier<Map<String, T>> objects) {
    arrived("");
    var told = new TreeMap<String, T>();
    if (from.equals(io.fairlead.v1.Position.getDefaultInstance())) {
      beginnings++;
      told.putAll(objects.get());
      told.values().forEach(object -> observer.onNext(telling.added().apply(object)));
    } else {
      told.putAll(at(from, objects));
      tellDifferences(observer, telling, told, objects.get());
    }
    observer.onNext(telling.synced().apply(PositionCodec.proto(position)));
    watches.add(() -> tellDifferences(observer, telling, told, objects.get()));
  }

  /** How many watches began with what is there. */
  synchronized int beginnings() {
    return beginnings;
  }

  /** What was there at a position is not known any more. */
  synchronized void forgetThePast() {
    past.clear();
  }

  /** The same, as soon as the next page of a list is told, since something happened meanwhile. */
  synchronized void forgetAfterAPage() {
    forgetful = true;
  }

  private <A> A at(io.fairlead.v1.Position from, Supplier<A> asked) {
    var then = past.get(from.getOffsets());
    if (then == null) {
      throw Errors.positionTooOld(from.getOffsets(), position.offsets());
    }
    var now = image;
    image = then;
    try {
      return asked.get();
    } finally {
      image = now;
    }
  }

  private <T, R extends Message> void tellDifferences(
      StreamObserver<R> observer, Telling<T, R> telling, Map<String, T> told, Map<String, T> next) {
    next.forEach((key, object) -> {
      var before = told.put(key, object);
      if (before == null) {
        observer.onNext(atNow(telling.added().apply(object)));
      } else if (!before.equals(object)) {
        observer.onNext(atNow(telling.modified().apply(object)));
      }
    });
    var gone = new TreeMap<>(told);
    gone.keySet().removeAll(next.keySet());
    gone.forEach((key, object) -> {
      told.remove(key);
      observer.onNext(atNow(telling.deleted().apply(object)));
    });
  }

  @SuppressWarnings("unchecked")
  private <R extends Message> R atNow(R message) {
    var field = message.getDescriptorForType().findFieldByName("position");
    return (R) message.toBuilder().setField(field, PositionCodec.proto(position)).build();
  }

  /** A page of a list; the others are of the same moment. */
  synchronized <T> Listing.Page<T> page(int limit, String next, Supplier<List<T>> all) {
    var parts = next.split("/", 2); // position, and how many were told before
    var items =
        next.isEmpty()
            ? all.get()
            : at(io.fairlead.v1.Position.newBuilder().setOffsets(parts[0]).build(), all);
    int first = next.isEmpty() ? 0 : Integer.parseInt(parts[1]);
    int end = limit == 0 ? items.size() : Math.min(items.size(), first + limit);
    var moment = next.isEmpty() ? position.offsets() : parts[0];
    pages++;
    if (forgetful) {
      forgetful = false;
      forgetThePast();
      append(List.of(new Change.Put(new Namespace(meta("elsewhere")))));
    }
    return new Listing.Page<>(
        items.subList(first, end), end == items.size() ? "" : moment + "/" + end);
  }

  /** How many pages of lists were asked for. */
  synchronized int pages() {
    return pages;
  }

  static <T> Map<String, T> byName(
      java.util.Collection<T> objects, Function<T, io.fairlead.v1.ObjectMeta> meta) {
    var result = new TreeMap<String, T>();
    objects.forEach(
        o -> result.put(meta.apply(o).getNamespace() + "/" + meta.apply(o).getName(), o));
    return result;
  }

  static boolean isMeant(
      io.fairlead.v1.ObjectMeta meta, String namespace, String name, LabelSelector selector) {
    return (namespace.isEmpty() || namespace.equals(meta.getNamespace()))
        && (name.isEmpty() || name.equals(meta.getName()))
        && selector.matches(meta.getLabelsMap());
  }

  @Override
  public void close() {
    servers.forEach(GrpcServer::close);
  }
}
