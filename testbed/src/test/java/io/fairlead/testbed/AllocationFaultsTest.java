package io.fairlead.testbed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.devkit.process.Executables;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.testbed.check.LogInvariants;
import io.fairlead.testbed.cluster.AllocationCluster;
import io.fairlead.testbed.cluster.Together;
import io.fairlead.testbed.fault.Fault;
import io.fairlead.testbed.history.HistoryCheck;
import io.fairlead.testbed.history.HistoryRun;
import io.fairlead.testbed.history.HistorySpec;
import io.fairlead.testbed.history.StaleReads;
import io.fairlead.testbed.history.Workload;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServicePort;
import io.fairlead.v1.ServiceSpec;
import io.fairlead.v1.ServicesGrpc;
import io.fairlead.v1.ServicesGrpc.ServicesBlockingStub;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Three replicas, three members of etcd, three brokers, and what happens to addresses when some of
 * them are killed, paused or away. After each, whatever it did: nobody has a Service, and no
 * address is claimed.
 */
@Tag("slow")
@Timeout(240)
final class AllocationFaultsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final String NAMESPACE = "shop";
  private static final Path DIRECTORY = Path.of("target", "allocation");

  private static AllocationCluster cluster;
  private static List<ManagedChannel> channels = List.of();

  /** Namespaces of theirs. What one leaves that fails would fill the range for all others. */
  private static final List<String> histories = new ArrayList<>();

  /** So that no test asks with the request ids of another. */
  private static int tests;

  @BeforeAll
  static void start() {
    Assumptions.assumeTrue(
        Executables.find("etcd").isPresent(), "etcd is not installed (Debian: etcd-server)");
    cluster =
        AllocationCluster.start(
            DIRECTORY.resolve("%016x".formatted(System.nanoTime())),
            List.of("--service-cidrs=" + HistoryRun.RANGE));
    channels = cluster.addresses().stream().map(a -> GrpcChannels.of(List.of(a))).toList();
  }

  @AfterAll
  static void end() {
    channels.forEach(ManagedChannel::shutdownNow);
    if (cluster != null) {
      cluster.close();
    }
  }

  @BeforeEach
  void count() {
    tests++;
  }

  @AfterEach
  void healAndCheck() {
    cluster.heal();
    new LogInvariants(cluster.stores()).awaitAll();
    histories.forEach(namespace -> HistoryRun.clear(cluster, namespace));
    histories.clear();
    for (var service : list(0)) {
      var name = service.getMetadata().getName();
      untilAnswered(stub -> stub.delete(deletion("clear-" + service.getMetadata().getUid(), name)));
    }
    new LogInvariants(cluster.stores()).awaitAll();
  }

  // --- a user

  private static ServicesBlockingStub replica(int index) {
    return ServicesGrpc.newBlockingStub(channels.get(index))
        .withDeadlineAfter(10, TimeUnit.SECONDS);
  }

  private static CreateServiceRequest creation(String id, String name, String address) {
    return CreateServiceRequest.newBuilder()
        .setRequestId(tests + "-" + id)
        .setService(
            Service.newBuilder()
                .setMetadata(ObjectMeta.newBuilder().setNamespace(NAMESPACE).setName(name))
                .setSpec(
                    ServiceSpec.newBuilder()
                        .setClusterIp(address)
                        .addPorts(ServicePort.newBuilder().setPort(80))))
        .build();
  }

  private static DeleteServiceRequest deletion(String id, String name) {
    return DeleteServiceRequest.newBuilder()
        .setRequestId(tests + "-" + id)
        .setNamespace(NAMESPACE)
        .setName(name)
        .build();
  }

  private static String create(int replica, String name, String address) {
    var reply = replica(replica).create(creation("create-" + name, name, address));
    return reply.getService().getSpec().getClusterIp();
  }

  /** With one request id, at one replica after the other, while nobody can answer. */
  private static <R> R untilAnswered(Function<ServicesBlockingStub, R> call) {
    var answer = new ArrayList<R>();
    var tries = new int[1];
    Awaitility.await("an answer")
        .atMost(PATIENCE)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(50))
        .until(() -> {
          try {
            answer.add(call.apply(replica(tries[0]++ % channels.size())));
            return true;
          } catch (StatusRuntimeException e) {
            if (!isTransient(e)) {
              throw e;
            }
            return false;
          }
        });
    return answer.getFirst();
  }

  private static boolean isTransient(StatusRuntimeException e) {
    return switch (e.getStatus().getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED -> true;
      default -> false;
    };
  }

  private static String createUntilAnswered(String name, String address) {
    var request = creation("create-" + name, name, address);
    return untilAnswered(stub -> stub.create(request)).getService().getSpec().getClusterIp();
  }

  private static List<Service> list(int replica) {
    return replica(replica)
        .list(
            ListServicesRequest.newBuilder()
                .setNamespace(NAMESPACE)
                .setFreshness(Freshness.LATEST)
                .build())
        .getItemsList();
  }

  private static Map<String, String> addresses(int replica) {
    var addresses = new TreeMap<String, String>();
    list(replica)
        .forEach(s -> addresses.put(s.getMetadata().getName(), s.getSpec().getClusterIp()));
    return addresses;
  }

  /** All at once, spread over the replicas: who won, and the refusals of the others. */
  private record Race(List<String> won, List<ErrorReport> refused) {}

  private static Race race(int users, Function<Integer, CreateServiceRequest> request) {
    var together = new CyclicBarrier(users);
    var calls =
        IntStream.range(0, users)
            .<Callable<Optional<ErrorReport>>>mapToObj(i ->
                () -> {
                  together.await();
                  try {
                    var _ = replica(i % channels.size()).create(request.apply(i));
                    return Optional.empty();
                  } catch (StatusRuntimeException e) {
                    return Optional.of(ErrorReport.of(e));
                  }
                })
            .toList();
    var won = new ArrayList<String>();
    var refused = new ArrayList<ErrorReport>();
    var outcomes = Together.run(calls);
    for (int i = 0; i < users; i++) {
      int user = i;
      outcomes
          .get(i)
          .ifPresentOrElse(
              refused::add,
              () -> won.add(request.apply(user).getService().getMetadata().getName()));
    }
    return new Race(won, refused);
  }

  // --- races

  @Test
  void ofManyWhoWantOneAddressOneGetsItAndTheOthersAreToldWho() {
    var race = race(12, i -> creation("same-" + i, "web-" + i, "10.96.0.9"));
    assertThat(race.won()).hasSize(1);
    assertThat(race.refused())
        .hasSize(11)
        .allSatisfy(refusal -> {
          assertThat(refusal.reason()).contains(Reason.CLUSTER_IP_TAKEN);
          assertThat(refusal.metadata())
              .containsEntry("address", "10.96.0.9")
              .containsEntry("holder", NAMESPACE + "/" + race.won().getFirst());
        });
  }

  @Test
  void ofManyWhoWantTheLastFreeAddressOneGetsIt() {
    for (int i = 1; i < HistoryRun.ADDRESSES.size(); i++) {
      create(i % channels.size(), "full-" + i, "");
    }
    var race = race(9, i -> creation("last-" + i, "last-" + i, ""));
    assertThat(race.won()).hasSize(1);
    assertThat(race.refused())
        .hasSize(8)
        .allSatisfy(refusal -> assertThat(refusal.reason()).contains(Reason.RANGE_FULL));
    assertThat(addresses(1).values()).containsExactlyInAnyOrderElementsOf(HistoryRun.ADDRESSES);
    // one freed: the next one gets just that
    var freed = addresses(1).get("full-3");
    var _ = replica(2).delete(deletion("free", "full-3"));
    assertThat(create(0, "next", "")).isEqualTo(freed);
  }

  @Test
  void ofManyWhoWantOneNameOneGetsIt() {
    var race = race(9, i -> creation("name-" + i, "web", ""));
    assertThat(race.won()).hasSize(1);
    assertThat(race.refused())
        .hasSize(8)
        .allSatisfy(refusal -> assertThat(refusal.reason()).contains(Reason.NAME_TAKEN));
    assertThat(list(0)).hasSize(1);
  }

  // --- etcd

  @Test
  void anEtcdWhoseLeaderIsLostGoesOn() {
    create(0, "before", "");
    cluster.killEtcd(cluster.etcdLeader());
    createUntilAnswered("after", "");
    assertThat(addresses(1).keySet()).containsExactly("after", "before");
  }

  @Test
  void withoutEtcdNoAddressIsGivenOutAndTheRestGoesOn() {
    var before = create(0, "before", "");
    int owner = cluster.owner();
    cluster.killEtcd(0);
    cluster.killEtcd(1);
    for (int i = 0; i < channels.size(); i++) {
      int replica = i;
      assertThatThrownBy(() -> create(replica, "not-" + replica, ""))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class,
              e -> assertThat(ErrorReport.of(e).isTransient()).as("%s", e).isTrue());
      assertThat(addresses(replica)).isEqualTo(Map.of("before", before)); // nothing half done
    }
    // needs no claim: the fence of the log alone keeps it right
    var headless = creation("headless", "headless", "None");
    assertThat(replica(owner).create(headless).getService().getSpec().getClusterIp())
        .isEqualTo("None");
    var _ = replica(owner).delete(deletion("gone", "before"));
    assertThat(addresses((owner + 1) % channels.size())).isEqualTo(Map.of("headless", "None"));
    cluster.restartEtcd();
    createUntilAnswered("then", before); // what was freed meanwhile is free
    assertThat(addresses(2)).isEqualTo(Map.of("headless", "None", "then", before));
  }

  @Test
  void aWipedEtcdGetsItsClaimsBackBeforeTheNextAddressIsGivenOut() {
    var addresses = new TreeMap<String, String>();
    for (int i = 1; i < HistoryRun.ADDRESSES.size(); i++) {
      addresses.put("old-" + i, create(i % channels.size(), "old-" + i, ""));
    }
    cluster.wipeEtcd();
    var free = HistoryRun.ADDRESSES.stream().filter(a -> !addresses.containsValue(a)).toList();
    assertThat(createUntilAnswered("new", "")).isEqualTo(free.getFirst());
    addresses.put("new", free.getFirst());
    assertThat(addresses(0)).isEqualTo(addresses);
  }

  // --- Kafka

  @Test
  void aLostBrokerIsNotMissed() {
    create(0, "before", "");
    cluster.killBroker(0);
    createUntilAnswered("without", "");
    cluster.restartBrokers();
    cluster.killBroker(1); // the one that was away has what happened meanwhile
    createUntilAnswered("without-another", "");
    assertThat(addresses(2).keySet()).containsExactly("before", "without", "without-another");
  }

  @Test
  void withoutKafkaNothingIsDecidedAndAnUnknownOutcomeIsDecidedOnce() {
    var before = create(0, "before", "");
    cluster.killBroker(0);
    cluster.killBroker(1);
    for (int i = 0; i < channels.size(); i++) {
      int replica = i;
      assertThatThrownBy(() -> create(replica, "cut-" + replica, ""))
          .isInstanceOfSatisfying(
              StatusRuntimeException.class, e -> assertThat(isTransient(e)).as("%s", e).isTrue());
    }
    cluster.restartBrokers();
    for (int i = 0; i < channels.size(); i++) { // the same request ids
      createUntilAnswered("cut-" + i, "");
    }
    assertThat(addresses(1)).hasSize(4).containsEntry("before", before);
  }

  // --- the owner

  @Test
  void anOwnerThatWakesAfterItsLeasesRanOutDecidesNothing() {
    var first = create(0, "before", "");
    int owner = cluster.owner();
    var other = (owner + 1) % channels.size();
    cluster.allocators().get(owner).pause();
    cluster.ownerOtherThan(owner);
    // it works: what the old owner believes to hold is given to others
    var _ = untilAnswered(stub -> stub.delete(deletion("gone", "before")));
    assertThat(createUntilAnswered("successor", first)).isEqualTo(first);
    cluster.allocators().get(owner).resume();
    // at once, and to the one that believes to be the owner
    var late = creation("late", "late", first);
    Awaitility.await("the late owner says who holds it")
        .atMost(PATIENCE)
        .until(() -> {
          try {
            throw new AssertionError(
                "given out twice: " + replica(owner).create(late).getService());
          } catch (StatusRuntimeException e) {
            return ErrorReport.of(e).reason().equals(Optional.of(Reason.CLUSTER_IP_TAKEN));
          }
        });
    assertThat(addresses(owner)).isEqualTo(addresses(other)).isEqualTo(Map.of("successor", first));
  }

  // --- histories

  @Test
  void aHistoryUnderFaultsIsLinearizable() throws InterruptedException {
    long seed = 1;
    var spec = HistorySpec.of(seed, "history-" + seed, HistoryRun.ADDRESSES);
    histories.add(spec.namespace());
    var report =
        HistoryRun.run(
            cluster,
            spec,
            List.of(Fault.OWNER_KILLED, Fault.OWNER_PAUSED, Fault.BROKER_KILLED),
            DIRECTORY);
    System.out.println("seed " + seed + ": " + report.calls());
    assertThat(report.faults()).isEmpty();
  }

  /** The check finds what a replica that reads its own past would answer. */
  @Test
  void aHistoryWithALieIsNot() throws InterruptedException {
    var spec = HistorySpec.of(2, "lies", HistoryRun.ADDRESSES);
    histories.add(spec.namespace());
    try (var workload = Workload.start(spec, cluster.addresses(), StaleReads::between)) {
      Awaitility.await("calls")
          .atMost(PATIENCE)
          .until(() -> workload.history().calls().size() > 800);
      workload.stop(PATIENCE);
      assertThat(HistoryCheck.faults(spec.namespace(), workload.history().calls(), List.of()))
          .anyMatch(fault -> fault.startsWith("name "));
    }
  }
}
