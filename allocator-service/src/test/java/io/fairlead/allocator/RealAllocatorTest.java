package io.fairlead.allocator;

import static io.fairlead.allocator.Client.failure;
import static io.fairlead.allocator.Client.service;
import static io.fairlead.allocator.RealNeighbours.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.allocator.RealNeighbours.Allocator;
import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.RandomSource;
import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.v1.CreateServiceCidrRequest;
import io.fairlead.v1.DeleteNamespaceRequest;
import io.fairlead.v1.DeleteServiceCidrRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetServiceCidrRequest;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Position;
import io.fairlead.v1.Result;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceCidr;
import io.fairlead.v1.ServiceCidrSpec;
import io.fairlead.v1.ServiceReply;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replicas as processes, killed and cut off from a real Kafka and a real etcd. */
@Tag("slow")
@Timeout(300)
class RealAllocatorTest {
  @TempDir Path directory;
  private RealNeighbours world;

  @BeforeEach
  void begin() {
    world = new RealNeighbours(directory);
  }

  @AfterEach
  void end() {
    world.close();
  }

  @Test
  void aKilledOwnerLosesAndDoublesNothing() throws Exception {
    var a = world.start("a");
    var b = world.start("b");
    var both = List.of(a, b);
    int clients = 4;
    int each = 25;
    var someAnswered = new CountDownLatch(30);
    var calls = new ArrayList<Callable<List<ServiceReply>>>();
    for (int c = 0; c < clients; c++) {
      int client = c;
      calls.add(() -> {
        var replies = new ArrayList<ServiceReply>();
        for (int i = 0; i < each; i++) {
          var name = "s-" + client + "-" + i;
          replies.add(
              RealNeighbours.createUntilAnswered(both, "create-" + name, service(name, "")));
          someAnswered.countDown();
        }
        return replies;
      });
    }
    var answered = new ArrayList<ServiceReply>();
    Allocator owner;
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var running = calls.stream().map(threads::submit).toList();
      someAnswered.await();
      owner = world.owner().equals("a") ? a : b;
      owner.process.kill(); // in the middle of it
      for (var one : running) {
        answered.addAll(one.get());
      }
    }
    var survivor = owner == a ? b : a;
    var services = survivor.client.list("shop", "", Freshness.LATEST).getItemsList();
    assertThat(answered)
        .hasSize(clients * each)
        .allMatch(reply -> reply.getResult() == Result.CREATED);
    assertThat(services)
        .hasSize(clients * each)
        .containsExactlyInAnyOrderElementsOf(
            answered.stream().map(ServiceReply::getService).toList());
    var restarted = world.start(owner.name + "2");
    assertOneAddressEach(survivor);
    assertSameDigest(survivor, restarted);
  }

  /** No address twice, and the claims are the addresses. */
  private void assertOneAddressEach(Allocator allocator) {
    var addresses = new TreeMap<String, String>();
    for (Service service : allocator.client.list("", "", Freshness.LATEST).getItemsList()) {
      var name = service.getMetadata().getNamespace() + "/" + service.getMetadata().getName();
      service.getSpec().getClusterIpsList().stream()
          .filter(ip -> !ip.equals("None"))
          .forEach(ip ->
              assertThat(addresses.put(ip, name)).as("holder of %s besides %s", ip, name).isNull());
    }
    await(
        "claims are the addresses",
        () -> world.claims().equals((SortedMap<String, String>) addresses));
  }

  private static void assertSameDigest(Allocator one, Allocator other) {
    var position = one.client.status(LogStatusRequest.getDefaultInstance()).getPosition();
    assertThat(partition(other, position)).isEqualTo(partition(one, position));
  }

  private static List<Object> partition(Allocator allocator, Position position) {
    LogStatusReply status =
        allocator.client.status(LogStatusRequest.newBuilder().setWaitFor(position).build());
    var services = status.getPartitions(0);
    return List.of(services.getNext(), services.getDigest(), services.getObjects());
  }

  /** B8: ALREADY_EXISTS with the holder, whichever replica was asked. */
  @Test
  void ofManyWhoWantOneAddressExactlyOneGetsIt() throws Exception {
    var a = world.start("a");
    var b = world.start("b");
    int users = 12;
    var together = new CyclicBarrier(users);
    var calls = new ArrayList<Callable<String>>();
    for (int i = 0; i < users; i++) {
      var client = (i % 2 == 0 ? a : b).client;
      var name = "web-" + i;
      calls.add(() -> {
        together.await();
        try {
          client.create("create-" + name, service(name, "10.96.0.10"));
          return "won by shop/" + name;
        } catch (StatusRuntimeException e) {
          var report = ErrorReport.of(e);
          return report.code() + " " + report.metadata().get("holder");
        }
      });
    }
    var outcomes = new ArrayList<String>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var one : threads.invokeAll(calls)) {
        outcomes.add(one.get());
      }
    }
    var winner =
        outcomes.stream().filter(o -> o.startsWith("won by ")).map(o -> o.substring(7)).toList();
    assertThat(winner).hasSize(1);
    assertThat(outcomes)
        .filteredOn(o -> !o.startsWith("won by "))
        .hasSize(users - 1)
        .containsOnly(Code.ALREADY_EXISTS + " " + winner.getFirst());
    assertThat(world.claims()).containsEntry("10.96.0.10", winner.getFirst());
    a.client.delete("delete", winner.getFirst().substring(5));
    assertThat(world.claims()).doesNotContainKey("10.96.0.10"); // before it was answered
    assertThat(b.client.create("again", service("next", "10.96.0.10")).getResult())
        .isEqualTo(Result.CREATED);
  }

  /** Whatever the owner was killed in: who has an address of the range keeps it Terminating. */
  @Test
  void aRangeThatIsRemovedWhileItsOwnerIsKilledHoldsNobody() throws Exception {
    var a = world.start("a");
    var b = world.start("b");
    var both = List.of(a, b);
    var cidr =
        ServiceCidr.newBuilder()
            .setMetadata(ObjectMeta.newBuilder().setName("more"))
            .setSpec(ServiceCidrSpec.newBuilder().addCidrs("10.97.0.0/24"))
            .build();
    RealNeighbours.untilAnswered(
        both,
        client ->
            client
                .serviceCidrs()
                .create(
                    CreateServiceCidrRequest.newBuilder()
                        .setRequestId("range")
                        .setServiceCidr(cidr)
                        .build()));
    int services = 40;
    var someAnswered = new CountDownLatch(10);
    var calls = new ArrayList<Callable<Boolean>>();
    for (int i = 1; i <= services; i++) {
      var name = "s-" + i;
      var address = "10.97.0." + i;
      calls.add(() -> {
        try {
          RealNeighbours.createUntilAnswered(both, "create-" + name, service(name, address));
          return true;
        } catch (StatusRuntimeException e) {
          assertThat(ErrorReport.of(e).faults())
              .extracting(ErrorReport.FieldFault::field)
              .containsExactly("spec.clusterIPs");
          return false;
        } finally {
          someAnswered.countDown();
        }
      });
    }
    var removal = DeleteServiceCidrRequest.newBuilder().setRequestId("remove").setName("more");
    int created = 0;
    Allocator owner;
    try (var threads = Executors.newFixedThreadPool(8, Thread.ofVirtual().factory())) {
      var running = calls.stream().map(threads::submit).toList();
      someAnswered.await();
      owner = world.owner().equals("a") ? a : b;
      var removed =
          Thread.ofVirtual()
              .start(() ->
                  RealNeighbours.untilAnswered(
                      both, client -> client.serviceCidrs().delete(removal.build())));
      owner.process.kill(); // in the middle of both
      for (var one : running) {
        created += one.get() ? 1 : 0;
      }
      removed.join();
    }
    var survivor = owner == a ? b : a;
    var held =
        survivor.client.list("shop", "", Freshness.LATEST).getItemsList().stream()
            .map(service -> service.getMetadata().getName())
            .toList();
    assertThat(held).hasSize(created).hasSizeGreaterThanOrEqualTo(10);
    var get = GetServiceCidrRequest.newBuilder().setName("more").build();
    var terminating = survivor.client.serviceCidrs().get(get).getServiceCidr();
    assertThat(terminating.getMetadata().hasDeletionTimestamp()).isTrue();
    assertThat(terminating.getStatus().getConditions(0).getMessage()).startsWith(created + " ");
    assertOneAddressEach(survivor);
    var late = failure(() -> survivor.client.create("late", service("late", "10.97.0.200")));
    assertThat(late.code()).isEqualTo(Code.INVALID_ARGUMENT);
    var cascade =
        DeleteNamespaceRequest.newBuilder()
            .setRequestId("all")
            .setName("shop")
            .setCascade(true)
            .build();
    assertThat(survivor.client.namespaces().delete(cascade).getDeletedServices())
        .isEqualTo(created);
    assertThat(failure(() -> survivor.client.serviceCidrs().get(get)).code())
        .isEqualTo(Code.NOT_FOUND);
    var restarted = world.start(owner.name + "2");
    assertOneAddressEach(survivor);
    assertSameDigest(survivor, restarted);
  }

  @Test
  void withoutEtcdReadsGoOnAndNothingIsHalfDone() {
    var a = world.start("a");
    a.client.create("one", service("web", ""));
    try (var coordination = world.coordination()) { // as a crash between claim and append leaves it
      var owner = coordination.owner(LogPartition.SERVICES).orElseThrow();
      coordination.claim(
          List.of(
              new ClaimRequest(
                  Address.of("10.96.0.99"),
                  RandomSource.secure().uuid(),
                  new ObjectName("shop", "gone"))),
          LogPartition.SERVICES,
          owner.takeover());
    }
    world.etcd.kill();
    var failure = failure(() -> a.client.create("two", service("more", "")));
    assertThat(failure.code()).isEqualTo(Code.UNAVAILABLE);
    assertThat(failure.reason()).contains(Reason.DEPENDENCY_UNAVAILABLE);
    assertThat(a.client.list("shop", "", Freshness.LATEST).getItemsList()).hasSize(1);
    assertThat(a.client.get("web", Freshness.LOCAL).getMetadata().getName()).isEqualTo("web");
    world.etcd = EtcdProcess.start(world.etcdConfig);
    var reply = RealNeighbours.createUntilAnswered(List.of(a), "two", service("more", ""));
    assertThat(reply.getResult()).isEqualTo(Result.CREATED);
    await("the orphan is freed", () -> !world.claims().containsKey("10.96.0.99"));
    assertOneAddressEach(a);
  }

  @Test
  void withoutKafkaNothingIsChangedAndLocalReadsGoOn() {
    var a = world.start("a");
    a.client.create("one", service("web", ""));
    world.kafka.pause();
    assertThat(failure(() -> a.client.create("two", service("more", ""))).code())
        .isEqualTo(Code.UNAVAILABLE);
    assertThat(a.client.get("web", Freshness.LOCAL).getMetadata().getName()).isEqualTo("web");
    assertThat(failure(() -> a.client.get("web", Freshness.LATEST)).code())
        .isEqualTo(Code.UNAVAILABLE);
    world.kafka.resume();
    RealNeighbours.createUntilAnswered(List.of(a), "two", service("more", ""));
    assertThat(a.client.list("shop", "", Freshness.LATEST).getItemsList()).hasSize(2);
    assertOneAddressEach(a);
  }

  @Test
  void whenItIsToldToEndItHandsThePartitionOver() {
    var a = world.start("a");
    var b = world.start("b");
    var owner = world.owner().equals("a") ? a : b;
    var other = owner == a ? b : a;
    owner.process.stop(Duration.ofSeconds(20));
    assertThat(owner.process.exitStatus()).hasValue(0);
    assertThat(world.owner()).isIn("", other.name);
    assertThat(
            RealNeighbours.createUntilAnswered(List.of(other), "one", service("web", ""))
                .getResult())
        .isEqualTo(Result.CREATED);
  }
}
