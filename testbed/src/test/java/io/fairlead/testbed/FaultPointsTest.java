package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.RandomSource;
import io.fairlead.devkit.process.Executables;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.runtime.FaultPointDirectory;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.testbed.check.LogInvariants;
import io.fairlead.testbed.cluster.AllocationCluster;
import io.fairlead.testbed.cluster.Part;
import io.fairlead.testbed.cluster.Together;
import io.fairlead.testbed.fault.FaultPointControl;
import io.fairlead.testbed.history.LogRecords;
import io.fairlead.v1.ApplyServiceRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.GetServiceRequest;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Result;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServicePort;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServiceSpec;
import io.fairlead.v1.ServicesGrpc;
import io.fairlead.v1.ServicesGrpc.ServicesBlockingStub;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A replica dies at every fault point, is paused there longer than its leases, or finds Kafka or
 * etcd gone there; the others, and the same one started again, go on. Then: no address twice, the
 * claims are the addresses, and what was asked for is in the log once, also where it was asked for
 * again.
 */
@Tag("slow")
@Timeout(120)
final class FaultPointsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Path DIRECTORY = Path.of("target", "fault-points");
  private static final String NAMESPACE = "shop";
  private static final Pattern QUEUED = Pattern.compile("queued_requests ([0-9.]+)");

  private static AllocationCluster cluster;
  private static FaultPointControl points;
  private static List<ManagedChannel> channels = List.of();

  /** Of static addresses, so that each is used once. */
  private static int addresses;

  @BeforeAll
  static void start() {
    Assumptions.assumeTrue(
        Executables.find("etcd").isPresent(), "etcd is not installed (Debian: etcd-server)");
    var directory = DIRECTORY.resolve("%016x".formatted(System.nanoTime()));
    points = FaultPointControl.in(directory.resolve("points"));
    cluster =
        AllocationCluster.startOverSingleStores(
            directory,
            List.of(
                "--service-cidrs=10.96.0.0/16,fd00:10:96::/112",
                "--lease-ttl=2s",
                points.option()));
    channels = cluster.addresses().stream().map(a -> GrpcChannels.of(List.of(a))).toList();
  }

  @AfterAll
  static void end() {
    channels.forEach(ManagedChannel::shutdownNow);
    if (cluster != null) {
      cluster.close();
    }
  }

  @AfterEach
  void healAndCheck() {
    points.clear();
    cluster.heal();
    new LogInvariants(cluster.stores()).awaitAll();
  }

  // --- users

  private static ServicesBlockingStub replica(int index) {
    return ServicesGrpc.newBlockingStub(channels.get(index))
        .withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  /** What came of a request: a reply, or a refusal that is for good. */
  private record Outcome(Optional<ServiceReply> reply, Optional<Code> refused) {
    static Outcome of(ServiceReply reply) {
      return new Outcome(Optional.of(reply.toBuilder().clearPosition().build()), Optional.empty());
    }

    static Outcome of(StatusRuntimeException e) {
      return new Outcome(Optional.empty(), Optional.of(e.getStatus().getCode()));
    }
  }

  /** A request, with the same id however often it is made. */
  private record Ask(String id, Function<ServicesBlockingStub, ServiceReply> call) {
    Outcome at(int index) {
      try {
        return Outcome.of(call.apply(replica(index)));
      } catch (StatusRuntimeException e) {
        if (isTransient(e)) {
          throw e;
        }
        return Outcome.of(e);
      }
    }

    /** At one replica after the other, while nobody can answer. */
    Outcome untilAnswered(int first) {
      var answer = new ArrayList<Outcome>();
      var tries = new int[] {first};
      Awaitility.await("an answer to " + id)
          .atMost(PATIENCE)
          .pollDelay(Duration.ZERO)
          .pollInterval(Duration.ofMillis(50))
          .until(() -> {
            try {
              answer.add(at(tries[0]++ % channels.size()));
              return true;
            } catch (StatusRuntimeException _) { // transient
              return false;
            }
          });
      return answer.getFirst();
    }
  }

  private static boolean isTransient(StatusRuntimeException e) {
    return switch (e.getStatus().getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED -> true;
      default -> false;
    };
  }

  private static Service service(String name, ServiceSpec.Builder spec) {
    return Service.newBuilder()
        .setMetadata(ObjectMeta.newBuilder().setNamespace(NAMESPACE).setName(name))
        .setSpec(spec)
        .build();
  }

  private static ServiceSpec.Builder clusterIp(String address) {
    return ServiceSpec.newBuilder()
        .setClusterIp(address)
        .addPorts(ServicePort.newBuilder().setPort(80));
  }

  private static ServiceSpec.Builder families(String policy) {
    return clusterIp("").setIpFamilyPolicy(policy);
  }

  private static ServiceSpec.Builder external() {
    return ServiceSpec.newBuilder().setType("ExternalName").setExternalName("db.example.org");
  }

  private static Ask create(String name, ServiceSpec.Builder spec) {
    var request =
        CreateServiceRequest.newBuilder()
            .setRequestId("create-" + name)
            .setService(service(name, spec))
            .build();
    return new Ask(request.getRequestId(), stub -> stub.create(request));
  }

  private static Ask apply(String name, ServiceSpec.Builder spec) {
    var request =
        ApplyServiceRequest.newBuilder()
            .setRequestId("apply-" + name)
            .setService(service(name, spec))
            .build();
    return new Ask(request.getRequestId(), stub -> stub.apply(request));
  }

  private static Ask delete(String name) {
    var request =
        DeleteServiceRequest.newBuilder()
            .setRequestId("delete-" + name)
            .setNamespace(NAMESPACE)
            .setName(name)
            .build();
    return new Ask(request.getRequestId(), stub -> stub.delete(request));
  }

  private static String staticAddress() {
    return "10.96.0." + (10 + addresses++); // below the dynamic band
  }

  /** Asks all at once, each first at another replica. */
  private static Map<String, Outcome> all(List<Ask> asks) {
    var outcomes = new ConcurrentHashMap<String, Outcome>();
    var calls = new ArrayList<Callable<Optional<Outcome>>>();
    for (int i = 0; i < asks.size(); i++) {
      int first = i;
      var ask = asks.get(i);
      calls.add(() -> Optional.ofNullable(outcomes.put(ask.id(), ask.untilAnswered(first))));
    }
    var _ = Together.run(calls);
    return outcomes;
  }

  // --- death

  /** Every way in which a decision touches addresses, and one that touches nothing. */
  private static List<Ask> load(String name, String address) {
    return List.of(
        create(name + "-any", clusterIp("")),
        create(name + "-static", clusterIp(address)),
        create(name + "-dual", families("RequireDualStack")),
        create(name + "-headless", clusterIp("None")),
        apply(name + "-to-external", external()),
        apply(name + "-to-cluster-ip", clusterIp("")),
        apply(name + "-one-more", families("RequireDualStack")),
        apply(name + "-one-less", families("SingleStack")),
        delete(name + "-gone"),
        delete(name + "-missing"));
  }

  private static void prepare(String name) {
    var before =
        all(
            List.of(
                create(name + "-to-external", clusterIp("")),
                create(name + "-to-cluster-ip", external()),
                create(name + "-one-more", families("SingleStack")),
                create(name + "-one-less", families("RequireDualStack")),
                create(name + "-gone", families("RequireDualStack"))));
    assertThat(before.values()).allMatch(outcome -> outcome.reply().isPresent());
  }

  private static final Set<FaultPoint> IN_TAKEOVER =
      EnumSet.of(
          FaultPoint.TAKEOVER_KEY_PUT,
          FaultPoint.TAKEOVER_FENCED,
          FaultPoint.TAKEOVER_LOOKED,
          FaultPoint.TAKEOVER_READ,
          FaultPoint.TAKEOVER_WRITTEN,
          FaultPoint.RECONCILE_LISTED,
          FaultPoint.RECONCILE_FREED,
          FaultPoint.RECONCILE_DONE);

  /**
   * All points: where the owner dies, and with as many of them as there are where its successor
   * dies in the take-over that follows.
   */
  static List<Deaths> deaths() {
    var ofOwner = new ArrayList<FaultPoint>();
    var ofSuccessor = new ArrayDeque<FaultPoint>();
    for (var point : FaultPoint.of(FaultPoint.Process.OWNER)) {
      if (IN_TAKEOVER.contains(point)) {
        ofSuccessor.add(point);
      } else {
        ofOwner.add(point);
      }
    }
    // who comes to these goes on for a while, and might reconcile
    ofOwner.sort(Comparator.comparing(p -> p == FaultPoint.SERVING || p == FaultPoint.RELEASING));
    var deaths =
        ofOwner.stream()
            .map(point -> new Deaths(point, Optional.ofNullable(ofSuccessor.poll())))
            .toList();
    assertThat(ofSuccessor).isEmpty();
    return deaths;
  }

  /** Of the owner, and of its successor. */
  record Deaths(FaultPoint owner, Optional<FaultPoint> successor) {
    @Override
    public String toString() {
      return owner + successor.map(point -> ", then " + point).orElse("");
    }
  }

  @ParameterizedTest
  @MethodSource("deaths")
  void aProcessThatDiesLosesAndDoublesNothing(Deaths deaths) throws Exception {
    var name = deaths.owner().toString().replace('.', '-');
    prepare(name);
    var address = staticAddress();
    int index = pinnedOwner();
    var owner = cluster.allocators().get(index);
    leaveAnOrphan(address);
    var asks = load(name, address);
    var answered = async(() -> all(asks));
    awaitQueue(owner, asks.size()); // all of them in one batch
    points.kill(deaths.owner());
    deaths.successor().ifPresent(points::kill);
    if (deaths.owner() != FaultPoint.SERVING) { // there the order to die replaced the one to wait
      points.release(FaultPoint.SERVING);
    }
    if (deaths.owner() == FaultPoint.RELEASING) {
      owner.stop();
    }
    comesToDie(deaths.owner());
    deaths.successor().ifPresent(FaultPointsTest::comesToDie);
    var outcomes = answered.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    points.clear();
    System.out.println("died at " + deaths);
    cluster.awaitReady();
    new LogInvariants(cluster.stores()).awaitAll();
    assertThat(outcomes.values().stream().filter(o -> o.reply().isEmpty()).toList())
        .containsExactly(new Outcome(Optional.empty(), Optional.of(Code.NOT_FOUND)));
    assertThat(all(asks)).as("asked for again").isEqualTo(outcomes);
    assertInTheLogOnce(asks, outcomes);
    assertThat(get(name + "-static").getSpec().getClusterIp()).isEqualTo(address);
    assertThat(get(name + "-to-external").getSpec().getClusterIp()).isEmpty();
    assertThat(get(name + "-to-cluster-ip").getSpec().getClusterIpsList()).hasSize(1);
    assertThat(get(name + "-one-more").getSpec().getClusterIpsList()).hasSize(2);
    assertThat(get(name + "-one-less").getSpec().getClusterIpsList()).hasSize(1);
  }

  /** The owner, which waits before its next batch: it cannot hand over meanwhile. */
  private static int pinnedOwner() {
    points.hold(FaultPoint.SERVING);
    points.awaitReached(FaultPoint.SERVING);
    return cluster.owner();
  }

  /** A request that waits at a point of the owner that it was made at. */
  private record Held(int owner, CompletableFuture<Optional<StatusRuntimeException>> answer) {
    static Held at(FaultPoint point, Ask ask) {
      int owner = pinnedOwner();
      var answer = async(() -> answerOf(ask, owner));
      awaitQueue(cluster.allocators().get(owner), 1);
      points.hold(point);
      points.release(FaultPoint.SERVING);
      points.awaitReached(point);
      return new Held(owner, answer);
    }

    /** How it ended; empty = well. */
    Optional<StatusRuntimeException> ended() throws Exception {
      return answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
  }

  /** A replica came to the point and is dead; it is started again. */
  private static void comesToDie(FaultPoint point) {
    points.awaitReached(point);
    Awaitility.await("one died at " + point)
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> cluster.allocators().stream().anyMatch(part -> !part.isAlive()));
    for (var part : cluster.allocators()) {
      if (!part.isAlive()) {
        assertThat(part.exitStatus()).hasValue(FaultPointDirectory.EXIT_CODE);
        part.launch();
      }
    }
  }

  /** As a crash between claim and append leaves it. */
  private static void leaveAnOrphan(String address) {
    try (var etcd = cluster.coordination()) {
      var takeover = etcd.owner(LogPartition.SERVICES).orElseThrow().takeover();
      var orphan =
          new ClaimRequest(
              Address.of(address),
              RandomSource.secure().uuid(),
              new ObjectName(NAMESPACE, "never-was"));
      var _ = etcd.claim(List.of(orphan), LogPartition.SERVICES, takeover);
    }
  }

  private static void awaitQueue(Part owner, int requests) {
    Awaitility.await(requests + " requests wait")
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> {
          var matcher = QUEUED.matcher(owner.get("/metrics").body());
          return matcher.find() && Double.parseDouble(matcher.group(1)) == requests;
        });
  }

  private static Service get(String name) {
    return replica(0)
        .get(GetServiceRequest.newBuilder().setNamespace(NAMESPACE).setName(name).build())
        .getService();
  }

  /** Invariant 3. */
  private static void assertInTheLogOnce(List<Ask> asks, Map<String, Outcome> outcomes) {
    var written =
        LogRecords.all(cluster.stores()).stream()
            .flatMap(entry -> envelope(entry.event()).flatMap(Envelope::request).stream())
            .collect(Collectors.groupingBy(stamp -> stamp.id(), Collectors.counting()));
    var expected = new LinkedHashMap<String, Long>();
    var found = new LinkedHashMap<String, Long>();
    for (var ask : asks) {
      var confirmed = Optional.ofNullable(outcomes.get(ask.id())).flatMap(Outcome::reply);
      expected.put(ask.id(), confirmed.isPresent() ? 1L : 0L);
      found.put(ask.id(), written.getOrDefault(ask.id(), 0L));
    }
    assertThat(found).as("records for each request").isEqualTo(expected);
  }

  private static Optional<Envelope> envelope(LogEvent event) {
    return switch (event) {
      case LogEvent.Stored(_, var envelope) -> Optional.of(envelope);
      case LogEvent.Deleted(_, _, var envelope) -> Optional.of(envelope);
      case LogEvent.Tombstone _ -> Optional.empty();
    };
  }

  // --- sleep

  /**
   * The owner sleeps longer than all its leases while its successor gives the same address to
   * somebody else; when it wakes it can neither claim nor append nor answer.
   */
  @ParameterizedTest
  @EnumSource(
      value = FaultPoint.class,
      names = {"COMMIT_DECIDED", "COMMIT_APPENDING", "COMMIT_APPENDED"})
  void anOwnerThatSleepsBeforeItsCommitGivesNothingOut(FaultPoint point) throws Exception {
    var name = "slept-" + point.toString().replace('.', '-');
    var address = staticAddress();
    var sleeper = create(name, clusterIp(address));
    var held = Held.at(point, sleeper);
    int owner = held.owner();
    cluster.allocators().get(owner).pause();
    points.release(point);
    int successor = cluster.ownerOtherThan(owner);
    var thief = create("thief-of-" + name, clusterIp(address));
    assertThat(thief.untilAnswered(successor).reply()).isPresent();
    cluster.allocators().get(owner).resume();
    // either it says that it does not know, or it passed the question on to its successor
    var late = held.ended();
    assertThat(late)
        .as("%s", late)
        .matches(e ->
            e.map(FaultPointsTest::isTransient).orElse(false)
                || e.map(ErrorReport::of)
                    .flatMap(ErrorReport::reason)
                    .equals(Optional.of(Reason.CLUSTER_IP_TAKEN)));
    assertThat(sleeper.untilAnswered(owner).refused()).contains(Code.ALREADY_EXISTS);
  }

  /** It does not know what its successor wrote: "not found" would be false. */
  @Test
  void anOwnerThatSleepsBeforeItAnswersSaysNothingFalse() throws Exception {
    var name = "slept-confirm";
    var missing = delete(name);
    var held = Held.at(FaultPoint.CONFIRM_READ, missing);
    int owner = held.owner();
    cluster.allocators().get(owner).pause();
    points.release(FaultPoint.CONFIRM_READ);
    int successor = cluster.ownerOtherThan(owner);
    assertThat(create(name, clusterIp("")).untilAnswered(successor).reply()).isPresent();
    cluster.allocators().get(owner).resume();
    assertThat(held.ended()).matches(e -> e.isEmpty() || isTransient(e.get()));
    assertThat(missing.untilAnswered(owner).reply()).isPresent();
  }

  /** On a thread of its own: the common pool has one on a small machine. */
  private static <T> CompletableFuture<T> async(Supplier<T> call) {
    var result = new CompletableFuture<T>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            result.complete(call.get());
          } catch (RuntimeException | Error e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  /** How a call ended; empty = well. */
  private static Optional<StatusRuntimeException> answerOf(Ask ask, int replica) {
    try {
      var _ =
          ask.call()
              .apply(replica(replica).withDeadlineAfter(60, TimeUnit.SECONDS).withWaitForReady());
      return Optional.empty();
    } catch (StatusRuntimeException e) {
      return Optional.of(e);
    }
  }

  // --- stores that are away

  @ParameterizedTest
  @EnumSource(
      value = FaultPoint.class,
      names = {"COMMIT_DECIDED", "COMMIT_APPENDING", "COMMIT_APPENDED", "COMMIT_COMMITTED"})
  void withKafkaGoneInTheMiddleOfACreateItIsDoneOnceOrNotAtAll(FaultPoint point) throws Exception {
    var name = "kafka-" + point.toString().replace('.', '-');
    var ask = create(name, clusterIp(staticAddress()));
    var held = Held.at(point, ask);
    cluster.killBroker(0);
    points.release(point);
    cluster.restartBrokers();
    assertThat(held.ended())
        .as("well or to be asked again")
        .matches(e -> e.isEmpty() || isTransient(e.get()));
    var outcome = ask.untilAnswered(0);
    assertThat(outcome.reply().map(ServiceReply::getResult)).contains(Result.CREATED);
    assertInTheLogOnce(List.of(ask), Map.of(ask.id(), outcome));
  }

  @ParameterizedTest
  @EnumSource(
      value = FaultPoint.class,
      names = {"COMMIT_DECIDED", "COMMIT_APPENDING"})
  void withEtcdGoneInTheMiddleOfACreateNothingIsHalfDone(FaultPoint point) throws Exception {
    var name = "etcd-" + point.toString().replace('.', '-');
    var ask = create(name, clusterIp(staticAddress()));
    var held = Held.at(point, ask);
    cluster.killEtcd(0);
    points.release(point);
    var failure = held.ended();
    if (point == FaultPoint.COMMIT_DECIDED) {
      assertThat(failure.map(e -> e.getStatus().getCode())).contains(Code.UNAVAILABLE);
      assertThat(names()).doesNotContain(name);
    } else { // what it needs of etcd it has
      assertThat(failure).isEmpty();
      assertThat(names()).contains(name);
    }
    cluster.restartEtcd();
    var outcome = ask.untilAnswered(0);
    assertThat(outcome.reply().map(ServiceReply::getResult)).contains(Result.CREATED);
    assertInTheLogOnce(List.of(ask), Map.of(ask.id(), outcome));
  }

  @Test
  void withEtcdGoneAfterADeletionTheAddressIsFreedLater() throws Exception {
    var address = staticAddress();
    assertThat(create("freed-later", clusterIp(address)).untilAnswered(0).reply()).isPresent();
    var ask = delete("freed-later");
    var held = Held.at(FaultPoint.COMMIT_DELIVERED, ask);
    cluster.killEtcd(0);
    points.release(FaultPoint.COMMIT_DELIVERED);
    assertThat(held.ended()).isEmpty();
    cluster.restartEtcd();
    assertThat(create("next", clusterIp(address)).untilAnswered(0).reply()).isPresent();
  }

  private static List<String> names() {
    return replica(0)
        .list(ListServicesRequest.newBuilder().setNamespace(NAMESPACE).build())
        .getItemsList()
        .stream()
        .map(service -> service.getMetadata().getName())
        .toList();
  }

  @Test
  void anEtcdRestoredFromABackupIsPutRightBeforeTheNextAddressIsGivenOut() {
    restored("running", () -> {});
  }

  @Test
  void anEtcdRestoredWhileNoReplicaRunsIsPutRightWhenOneDoes() {
    restored("down", () -> cluster.allocators().forEach(Part::kill));
  }

  private void restored(String name, Runnable before) {
    var freed = staticAddress();
    var given = staticAddress();
    assertThat(create(name + "-old", clusterIp(freed)).untilAnswered(0).reply()).isPresent();
    var backup = cluster.backUpEtcd(DIRECTORY.resolve("%016x".formatted(System.nanoTime())));
    // after the backup: one address is given up, another one given out
    assertThat(delete(name + "-old").untilAnswered(0).reply()).isPresent();
    assertThat(create(name + "-new", clusterIp(given)).untilAnswered(1).reply()).isPresent();
    before.run();
    cluster.restoreEtcd(backup);
    cluster.allocators().stream().filter(part -> !part.isAlive()).forEach(Part::launch);
    assertThat(create(name + "-twice", clusterIp(given)).untilAnswered(2).refused())
        .contains(Code.ALREADY_EXISTS);
    assertThat(create(name + "-again", clusterIp(freed)).untilAnswered(0).reply()).isPresent();
    new LogInvariants(cluster.stores()).awaitAll();
  }
}
