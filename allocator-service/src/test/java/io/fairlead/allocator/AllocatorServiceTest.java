package io.fairlead.allocator;

import static io.fairlead.allocator.Client.failure;
import static io.fairlead.allocator.Client.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.allocator.FakeNeighbours.Replica;
import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.eventlog.snapshot.Snapshots;
import io.fairlead.v1.ApplyNamespaceRequest;
import io.fairlead.v1.CreateNamespaceRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.DeleteNamespaceRequest;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetNamespaceRequest;
import io.fairlead.v1.GetServiceRequest;
import io.fairlead.v1.ListNamespacesRequest;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Position;
import io.fairlead.v1.Result;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServicePort;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServiceSpec;
import io.fairlead.v1.WatchNamespacesRequest;
import io.fairlead.v1.WatchServicesRequest;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class AllocatorServiceTest {
  private final FakeNeighbours world = new FakeNeighbours("10.96.0.0/16");

  @AfterEach
  void end() {
    world.close();
    assertThat(world.faults).isEmpty();
  }

  private static String id() {
    return "id-" + UUID.randomUUID();
  }

  @Test
  void beginsWithARangeAndTheControlPlanesOwnServiceOnItsFirstAddress() {
    var a = world.start("a");
    var request =
        GetServiceRequest.newBuilder().setNamespace("default").setName("fairlead").build();
    var spec = a.client.services().get(request).getService().getSpec();
    assertThat(spec.getClusterIp()).isEqualTo("10.96.0.1");
    assertThat(spec.getSelectorMap()).isEmpty();
    assertThat(spec.getPortsList())
        .extracting(p -> p.getName() + " " + p.getPort())
        .containsExactly("allocator 7401", "endpoints 7402");
    assertThat(world.claims()).containsEntry("10.96.0.1", "default/fairlead");
    assertThat(world.events())
        .extracting(event -> event.key().toString())
        .containsExactly("PartitionHeader//s", "ServiceCIDR//default", "Service/default/fairlead");
    a.stop();
    world.start("b");
    assertThat(world.events()).hasSize(3); // once for the life of the log
  }

  @Test
  void namespacesAreMadeOrThereBecauseTheyHoldAService() {
    var a = world.start("a");
    var namespaces = a.client.namespaces();
    a.client.create(id(), service("web", ""));
    var apply =
        ApplyNamespaceRequest.newBuilder()
            .setNamespace(
                Namespace.newBuilder()
                    .setMetadata(ObjectMeta.newBuilder().setName("lab").putLabels("team", "x")));
    var made = namespaces.apply(apply.setRequestId("1").build());
    assertThat(made.getResult()).isEqualTo(Result.CREATED);
    assertThat(made.getNamespace().getMetadata().getUid()).isNotEmpty();
    assertThat(namespaces.apply(apply.setRequestId("1").build())).isEqualTo(made);
    var again = namespaces.apply(apply.setRequestId("2").build());
    assertThat(again.getResult()).isEqualTo(Result.UNCHANGED);
    assertThat(namespaces.list(ListNamespacesRequest.getDefaultInstance()).getItemsList())
        .extracting(n -> n.getMetadata().getName() + " " + !n.getMetadata().getUid().isEmpty())
        .containsExactly("default false", "lab true", "shop false");
    assertThat(
            namespaces
                .list(ListNamespacesRequest.newBuilder().setLabelSelector("team=x").build())
                .getItemsList())
        .containsExactly(made.getNamespace());
    var full = deleteNamespace("shop");
    assertThat(failure(() -> namespaces.delete(full)).reason()).contains(Reason.NOT_EMPTY);
    a.client.delete(id(), "web");
    assertThat(failure(() -> namespaces.delete(deleteNamespace("shop"))).reason())
        .contains(Reason.NOT_FOUND);
    assertThat(namespaces.delete(deleteNamespace("lab")).getResult()).isEqualTo(Result.DELETED);
    var gone = GetNamespaceRequest.newBuilder().setName("lab").build();
    assertThat(failure(() -> namespaces.get(gone)).reason()).contains(Reason.NOT_FOUND);
    apply.getNamespaceBuilder().getMetadataBuilder().setName("Not_a_name");
    assertThat(failure(() -> namespaces.apply(apply.setRequestId("3").build())).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("metadata.name");
  }

  @Test
  void onlyOneOfManyMakesANamespace() throws Exception {
    var a = world.start("a");
    a.client.create(id(), service("web", ""));
    var shop = Namespace.newBuilder().setMetadata(ObjectMeta.newBuilder().setName("shop"));
    var results = new ConcurrentLinkedQueue<Optional<Reason>>();
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < 8; i++) {
      var request =
          CreateNamespaceRequest.newBuilder().setRequestId(id()).setNamespace(shop).build();
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                try {
                  assertThat(a.client.namespaces().create(request).getResult())
                      .isEqualTo(Result.CREATED);
                  results.add(Optional.empty());
                } catch (StatusRuntimeException e) {
                  results.add(ErrorReport.of(e).reason());
                }
              }));
    }
    for (var thread : threads) {
      thread.join();
    }
    assertThat(results).hasSize(8).containsOnlyOnce(Optional.empty());
    assertThat(results)
        .filteredOn(Optional::isPresent)
        .containsOnly(Optional.of(Reason.NAME_TAKEN));
    var again =
        CreateNamespaceRequest.newBuilder().setRequestId("again").setNamespace(shop).build();
    assertThat(failure(() -> a.client.namespaces().create(again)).words())
        .isEqualTo("Error from server (AlreadyExists): namespaces \"shop\" already exists");
    shop.getMetadataBuilder().setResourceVersion("1");
    var versioned = again.toBuilder().setRequestId(id()).setNamespace(shop).build();
    assertThat(failure(() -> a.client.namespaces().create(versioned)).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("metadata.resourceVersion");
  }

  @Test
  void tellsWhoWatchesNamespacesOfThoseMadeAndThoseThatHoldServices() {
    var a = world.start("a");
    var told =
        a.client.namespaces().watch(WatchNamespacesRequest.newBuilder().setName("shop").build());
    assertThat(told.next().getSynced().getOffsets()).isNotEmpty();
    a.client.create(id(), service("web", ""));
    assertThat(told.next().getAdded().getMetadata().getUid()).isEmpty();
    a.client.create(id(), service("db", "")); // changes nothing about the namespace
    var made =
        a.client
            .namespaces()
            .create(
                CreateNamespaceRequest.newBuilder()
                    .setRequestId(id())
                    .setNamespace(
                        Namespace.newBuilder().setMetadata(ObjectMeta.newBuilder().setName("shop")))
                    .build());
    assertThat(told.next().getModified()).isEqualTo(made.getNamespace());
    a.client.delete(id(), "db");
    a.client.delete(id(), "web");
    a.client.namespaces().delete(deleteNamespace("shop"));
    assertThat(told.next().getDeleted()).isEqualTo(made.getNamespace());
  }

  private static DeleteNamespaceRequest deleteNamespace(String name) {
    return DeleteNamespaceRequest.newBuilder().setRequestId(id()).setName(name).build();
  }

  @Test
  void tellsWhoWatchesWhatIsThereAndWhatChanges() {
    var a = world.start("a");
    a.client.create(id(), service("web", ""));
    var told = a.client.watch(WatchServicesRequest.newBuilder().setNamespace("shop").build());
    assertThat(told.next().getAdded().getMetadata().getName()).isEqualTo("web");
    assertThat(told.next().getSynced().getOffsets()).isNotEmpty();
    var created = a.client.create(id(), service("db", ""));
    assertThat(told.next().getAdded()).isEqualTo(created.getService());
    a.client.delete(id(), "web");
    assertThat(told.next().getDeleted().getMetadata().getName()).isEqualTo("web");
  }

  @Test
  void createsChangesShowsAndDeletes() {
    var a = world.start("a");
    var created = a.client.create(id(), service("web", ""));
    assertThat(created.getResult()).isEqualTo(Result.CREATED);
    var ip = created.getService().getSpec().getClusterIp();
    assertThat(ip).startsWith("10.96.");
    assertThat(world.claims()).containsEntry(ip, "shop/web");
    assertThat(a.client.get("web", Freshness.LATEST)).isEqualTo(created.getService());
    assertThat(created.getPosition().getOffsets())
        .isEqualTo(
            "s:" + (Long.parseLong(created.getService().getMetadata().getResourceVersion()) + 2));

    var unchanged = a.client.apply(id(), created.getService()); // as get -o yaml | apply does
    assertThat(unchanged.getResult()).isEqualTo(Result.UNCHANGED);
    assertThat(unchanged.getService()).isEqualTo(created.getService());

    var labelled = service("web", "").toBuilder();
    labelled.getMetadataBuilder().putLabels("tier", "front");
    var configured = a.client.apply(id(), labelled.build());
    assertThat(configured.getResult()).isEqualTo(Result.CONFIGURED);
    assertThat(configured.getService().getSpec().getClusterIp()).isEqualTo(ip);
    assertThat(failure(() -> a.client.apply(id(), created.getService())).reason())
        .contains(Reason.STALE_VERSION);

    assertThat(a.client.list("", "tier in (front)", Freshness.LATEST).getItemsList())
        .containsExactly(configured.getService());
    assertThat(a.client.list("shop", "tier=back", Freshness.LATEST).getItemsList()).isEmpty();
    assertThat(failure(() -> a.client.list("shop", "tier in front", Freshness.LATEST)).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("labelSelector");

    assertThat(a.client.delete(id(), "web").getResult()).isEqualTo(Result.DELETED);
    assertThat(world.claims()).doesNotContainKey(ip);
    assertThat(failure(() -> a.client.get("web", Freshness.LATEST)).code())
        .isEqualTo(Code.NOT_FOUND);
    assertThat(failure(() -> a.client.delete(id(), "web")).reason()).contains(Reason.NOT_FOUND);
  }

  @Test
  void namesThreeFaultsOfOneManifestAndWritesNothing() {
    var a = world.start("a");
    int before = world.events().size();
    var claims = world.claims();
    var faulty =
        Service.newBuilder()
            .setMetadata(ObjectMeta.newBuilder().setNamespace("shop").setName("Web"))
            .setSpec(
                ServiceSpec.newBuilder()
                    .setType("NodePort")
                    .addPorts(ServicePort.newBuilder().setPort(0)))
            .build();
    var failure = failure(() -> a.client.create(id(), faulty));
    assertThat(failure.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(failure.faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactlyInAnyOrder("metadata.name", "spec.type", "spec.ports[0].port");
    assertThat(world.events()).hasSize(before);
    assertThat(world.claims()).isEqualTo(claims);
  }

  @Test
  void ofManyWhoWantOneAddressExactlyOneGetsItAndTheOthersLearnWho() throws Exception {
    var a = world.start("a");
    var b = world.start("b");
    int users = 8;
    var together = new CyclicBarrier(users);
    var calls = new ArrayList<Callable<Object>>();
    for (int i = 0; i < users; i++) {
      var client = (i % 2 == 0 ? a : b).client;
      var name = "web-" + i;
      calls.add(() -> {
        together.await();
        try {
          return client.create(id(), service(name, "10.96.0.10"));
        } catch (StatusRuntimeException e) {
          return ErrorReport.of(e);
        }
      });
    }
    var winners = new ArrayList<String>();
    var losers = new ArrayList<ErrorReport>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (var outcome : threads.invokeAll(calls)) {
        switch (outcome.get()) {
          case ServiceReply reply ->
              winners.add("shop/" + reply.getService().getMetadata().getName());
          case ErrorReport report -> losers.add(report);
          default -> throw new AssertionError(outcome.get());
        }
      }
    }
    assertThat(winners).hasSize(1);
    assertThat(losers)
        .hasSize(users - 1)
        .allSatisfy(report -> {
          assertThat(report.code()).isEqualTo(Code.ALREADY_EXISTS);
          assertThat(report.reason()).contains(Reason.CLUSTER_IP_TAKEN);
          assertThat(report.metadata())
              .containsEntry("address", "10.96.0.10")
              .containsEntry("holder", winners.getFirst());
        });
    assertThat(world.claims()).containsEntry("10.96.0.10", winners.getFirst());
  }

  @Test
  void answersTheSameRequestIdTheSame() {
    var a = world.start("a");
    var first = a.client.create("one", service("web", ""));
    assertThat(a.client.create("one", service("web", ""))).isEqualTo(first);
    assertThat(failure(() -> a.client.create("one", service("other", ""))).reason())
        .contains(Reason.REQUEST_ID_REUSED);
    assertThat(failure(() -> a.client.apply("one", service("web", ""))).reason())
        .contains(Reason.REQUEST_ID_REUSED);
    assertThat(a.client.delete("two", "web")).isEqualTo(a.client.delete("two", "web"));
    assertThat(world.stored()).containsExactly("web");
  }

  @Test
  void wantsARequestIdForChanges() {
    var a = world.start("a");
    for (var id : List.of("", "x".repeat(129), "with blank")) {
      assertThat(failure(() -> a.client.create(id, service("web", ""))).faults())
          .extracting(ErrorReport.FieldFault::field)
          .containsExactly("requestId");
    }
    assertThat(a.client.create("x".repeat(128), service("web", "")).getResult())
        .isEqualTo(Result.CREATED);
  }

  @Test
  void aDryRunHoldsNothing() {
    var a = world.start("a");
    var request =
        CreateServiceRequest.newBuilder()
            .setRequestId(id())
            .setService(service("web", "10.96.0.7"))
            .setDryRun(true);
    assertThat(a.client.services().create(request.build()).getService().getSpec().getClusterIp())
        .isEqualTo("10.96.0.7");
    assertThat(world.claims()).doesNotContainKey("10.96.0.7");
    assertThat(world.stored()).isEmpty();
  }

  @Test
  void anyReplicaTakesARequestForTheOwner() {
    var a = world.start("a");
    var b = world.start("b");
    FakeNeighbours.await("one owns", () -> a.owns() || b.owns());
    var other = a.owns() ? b : a;
    var reply = other.client.create("one", service("web", ""));
    assertThat(other.client.get("web", Freshness.LATEST)).isEqualTo(reply.getService());
    assertThat(world.events().getLast())
        .isInstanceOfSatisfying(
            LogEvent.Stored.class,
            stored -> {
              assertThat(stored.envelope().actor()).isEqualTo("user:alice");
              assertThat(stored.envelope().request())
                  .get()
                  .extracting(stamp -> stamp.id())
                  .isEqualTo("one");
            });
  }

  @Test
  void whenTheOwnerDiesTheNextAnswersAndRemembers() {
    var a = world.start("a");
    var b = world.start("b");
    FakeNeighbours.await("one owns", () -> a.owns() || b.owns());
    var owner = a.owns() ? a : b;
    var other = owner == a ? b : a;
    var first = owner.client.create("one", service("web", ""));
    owner.crash();
    FakeNeighbours.await(other.name + " owns", other::owns);
    var again = retry(other, "one", "web");
    assertThat(again.getService()).isEqualTo(first.getService());
    assertThat(again.getResult()).isEqualTo(Result.CREATED);
    assertThat(world.stored()).containsExactly("web");
  }

  /** What it was asked before its snapshot it knows from that alone: it does not read it again. */
  @Test
  void whoGoesOnFromItsSnapshotRemembersTheRequests(@TempDir Path directory) {
    world.snapshots =
        Snapshots.Settings.of(Optional.of(directory), "allocator", Duration.ofHours(1));
    var a = world.start("a");
    var first = a.client.create("one", service("web", ""));
    a.stop();
    var again = world.start("a-again");
    assertThat(again.metrics.page("").text())
        .contains("fairlead_log_start_from_snapshot 1.0", "fairlead_log_start_entries 0.0");
    var answer = retry(again, "one", "web");
    assertThat(answer.getService()).isEqualTo(first.getService());
    assertThat(answer.getResult()).isEqualTo(Result.CREATED);
    assertThat(world.stored()).containsExactly("web");
    assertThat(retry(again, "two", "api").getService().getSpec().getClusterIp())
        .isNotEqualTo(first.getService().getSpec().getClusterIp());
    assertThat(world.faults).isEmpty();
  }

  /** Until it is answered, as a client does. */
  private static ServiceReply retry(Replica replica, String id, String name) {
    var replies = new ArrayList<ServiceReply>();
    FakeNeighbours.await(
        "answered",
        () -> {
          try {
            replies.add(replica.client.create(id, service(name, "")));
            return true;
          } catch (StatusRuntimeException e) {
            if (ErrorReport.of(e).isTransient()) {
              return false;
            }
            throw e;
          }
        });
    return replies.getFirst();
  }

  @Test
  void withoutEtcdNoAddressIsGivenOutAndTheRestGoesOn() {
    var a = world.start("a");
    a.client.create(id(), service("web", ""));
    int before = world.events().size();
    world.etcd.down();
    var failure = failure(() -> a.client.create(id(), service("more", "")));
    assertThat(failure.code()).isEqualTo(Code.UNAVAILABLE);
    assertThat(failure.reason()).contains(Reason.DEPENDENCY_UNAVAILABLE);
    assertThat(world.events()).hasSize(before);
    assertThat(a.client.get("web", Freshness.LATEST).getMetadata().getName()).isEqualTo("web");
    assertThat(a.client.create(id(), service("headless", "None")).getResult())
        .isEqualTo(Result.CREATED);
    world.etcd.up();
    FakeNeighbours.await("the claims follow the log", () -> world.claims().size() == 2);
    assertThat(retry(a, id(), "more").getResult()).isEqualTo(Result.CREATED);
    assertThat(world.claims()).hasSize(3);
  }

  @Test
  void withoutKafkaNothingIsChangedAndLocalReadsGoOn() {
    var a = world.start("a");
    a.client.create(id(), service("web", ""));
    var claims = world.claims();
    world.kafka.stop();
    assertThat(failure(() -> a.client.create("late", service("more", ""))).code())
        .isEqualTo(Code.UNAVAILABLE);
    assertThat(failure(() -> a.client.get("web", Freshness.LATEST)).reason())
        .contains(Reason.DEPENDENCY_UNAVAILABLE);
    assertThat(a.client.get("web", Freshness.LOCAL).getMetadata().getName()).isEqualTo("web");
    assertThat(a.client.list("", "", Freshness.LOCAL).getItemsList()).hasSize(2);
    world.kafka.start();
    assertThat(retry(a, "late", "more").getResult()).isEqualTo(Result.CREATED);
    assertThat(world.stored()).containsExactly("web", "more");
    assertThat(world.claims()).containsAllEntriesOf(claims).hasSize(3);
  }

  @Test
  void whatACrashBetweenClaimAndAppendLeftIsFreedByTheNextOwner() {
    var a = world.start("a");
    try (var client = world.etcd.client()) {
      var left =
          new ClaimRequest(
              Address.of("10.96.0.99"),
              RandomSource.seeded(3).uuid(),
              new ObjectName("shop", "gone"));
      client.claim(
          List.of(left),
          LogPartition.SERVICES,
          client.owner(LogPartition.SERVICES).orElseThrow().takeover());
    }
    assertThat(world.claims()).containsKey("10.96.0.99");
    a.crash();
    var b = world.start("b");
    FakeNeighbours.await("b owns", b::owns);
    FakeNeighbours.await("the orphan is gone", () -> !world.claims().containsKey("10.96.0.99"));
    assertThat(retry(b, id(), "web").getResult()).isEqualTo(Result.CREATED);
  }

  @Test
  void tellsWhereItStandsInTheLog() {
    var a = world.start("a");
    var b = world.start("b");
    var position = a.client.create(id(), service("web", "")).getPosition();
    var waiting = LogStatusRequest.newBuilder().setWaitFor(position).build();
    var fromA = a.client.status(waiting);
    var fromB = b.client.status(waiting);
    assertThat(fromA.getReplica()).isEqualTo("a");
    assertThat(fromA.getPartitionsList())
        .singleElement()
        .satisfies(s -> {
          assertThat(s.getPartition()).isEqualTo("s");
          assertThat(s.getObjects()).isEqualTo(4);
          assertThat(s.getDigest()).hasSize(32).isEqualTo(fromB.getPartitions(0).getDigest());
          assertThat(s.getOwner()).isEqualTo(world.etcdOwner());
        });
    var foreign = Position.newBuilder().setLog("x.y").setOffsets("s:1").build();
    assertThat(
            failure(() ->
                    a.client.status(LogStatusRequest.newBuilder().setWaitFor(foreign).build()))
                .reason())
        .contains(Reason.FOREIGN_LOG);
    var nonsense = Position.newBuilder().setLog("nonsense").build();
    assertThat(
            failure(() ->
                    a.client.status(LogStatusRequest.newBuilder().setWaitFor(nonsense).build()))
                .faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("waitFor");
  }

  @Test
  void letsGoOfThePartitionWhenItStops() {
    var a = world.start("a");
    assertThat(world.etcdOwner()).isEqualTo("a");
    a.stop();
    assertThat(world.etcdOwner()).isEmpty();
  }

  @Test
  void exportsWhatItCounts() {
    var a = world.start("a");
    a.client.create(id(), service("web", ""));
    FakeNeighbours.await(
        "counted", () -> a.metrics.page("").text().contains("fairlead_services_count 2.0"));
    assertThat(a.metrics.page("").text())
        .contains(
            "fairlead_decider_partitions_served 1.0",
            "fairlead_services_round_robin_ports 3.0",
            "fairlead_log_digests 0.0",
            "fairlead_log_digests_differing 0.0",
            "fairlead_log_digest_faults_total 0.0",
            "fairlead_log_digests_compared_total 0.0");
  }
}
