package io.fairlead.allocator;

import static io.fairlead.allocator.Client.failure;
import static io.fairlead.allocator.Client.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.RandomSource;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.v1.Allocation;
import io.fairlead.v1.ApplyServiceCidrRequest;
import io.fairlead.v1.CreateServiceCidrRequest;
import io.fairlead.v1.DeleteNamespaceRequest;
import io.fairlead.v1.DeleteServiceCidrRequest;
import io.fairlead.v1.GetAllocationRequest;
import io.fairlead.v1.GetNamespaceRequest;
import io.fairlead.v1.GetServiceCidrRequest;
import io.fairlead.v1.ListAllocationsRequest;
import io.fairlead.v1.ListServiceCidrsRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Result;
import io.fairlead.v1.ServiceCidr;
import io.fairlead.v1.ServiceCidrReply;
import io.fairlead.v1.ServiceCidrSpec;
import io.fairlead.v1.WatchServiceCidrsRequest;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ranges that come and go while Services do, and what is said of the addresses in them. */
@Timeout(120)
class ServiceCidrsTest {
  private final FakeNeighbours world = new FakeNeighbours("10.96.0.0/24");

  @AfterEach
  void end() {
    world.close();
    assertThat(world.faults).isEmpty();
  }

  private static String id() {
    return "id-" + UUID.randomUUID();
  }

  private static ServiceCidr cidr(String name, String... cidrs) {
    return ServiceCidr.newBuilder()
        .setMetadata(ObjectMeta.newBuilder().setName(name))
        .setSpec(ServiceCidrSpec.newBuilder().addAllCidrs(List.of(cidrs)))
        .build();
  }

  private static ServiceCidrReply create(Client client, String name, String... cidrs) {
    return client
        .serviceCidrs()
        .create(
            CreateServiceCidrRequest.newBuilder()
                .setRequestId(id())
                .setServiceCidr(cidr(name, cidrs))
                .build());
  }

  private static ServiceCidrReply delete(Client client, String id, String name) {
    return client
        .serviceCidrs()
        .delete(DeleteServiceCidrRequest.newBuilder().setRequestId(id).setName(name).build());
  }

  private static ServiceCidr get(Client client, String name) {
    return client
        .serviceCidrs()
        .get(GetServiceCidrRequest.newBuilder().setName(name).build())
        .getServiceCidr();
  }

  private static List<Allocation> allocations(Client client, ListAllocationsRequest request) {
    var all = new ArrayList<Allocation>();
    client
        .serviceCidrs()
        .listAllocations(request)
        .forEachRemaining(reply -> all.addAll(reply.getItemsList()));
    return all;
  }

  @Test
  void showsHowMuchOfEachBandIsInUse() {
    var a = world.start("a");
    a.client.create(id(), service("static", "10.96.0.16"));
    a.client.create(id(), service("web", ""));
    var shown = get(a.client, "default");
    assertThat(shown.getSpec().getCidrsList()).containsExactly("10.96.0.0/24");
    assertThat(shown.getStatus().getConditionsList())
        .singleElement()
        .satisfies(c -> assertThat(c.getType() + c.getStatus()).isEqualTo("ReadyTrue"));
    var range = shown.getStatus().getRanges(0);
    assertThat(range.getStaticBand().getSize()).isEqualTo("16");
    assertThat(range.getStaticBand().getUsed()).isEqualTo(2); // with the control plane's
    assertThat(range.getDynamicBand().getUsed()).isEqualTo(1);
    assertThat(range.getDynamicBand().getFree()).isEqualTo("237");
    assertThat(
            a.client
                .serviceCidrs()
                .list(ListServiceCidrsRequest.getDefaultInstance())
                .getItemsList())
        .containsExactly(shown);
  }

  @Test
  void addsRangesAndRemovesThemWhenTheirLastAddressIsFreed() {
    var a = world.start("a");
    var b = world.start("b");
    var told = a.client.serviceCidrs().watch(WatchServiceCidrsRequest.newBuilder().build());
    assertThat(told.next().getAdded().getMetadata().getName()).isEqualTo("default");
    assertThat(told.next().hasSynced()).isTrue();
    var created = create(b.client, "more", "10.97.0.0/24", "fd00:97::/112");
    assertThat(created.getResult()).isEqualTo(Result.CREATED);
    assertThat(told.next().getAdded()).isEqualTo(created.getServiceCidr());
    a.client.create(id(), service("web", "10.97.0.9"));

    var deleted = delete(a.client, "delete", "more");
    assertThat(deleted.getResult()).isEqualTo(Result.DELETED);
    assertThat(deleted.getServiceCidr().getMetadata().hasDeletionTimestamp()).isTrue();
    assertThat(deleted.getServiceCidr().getStatus().getConditions(0))
        .satisfies(c -> {
          assertThat(c.getStatus()).isEqualTo("False");
          assertThat(c.getReason()).isEqualTo("Terminating");
          assertThat(c.getMessage()).startsWith("1 address ");
        });
    assertThat(delete(b.client, "delete", "more")).isEqualTo(deleted);
    assertThat(told.next().getModified().getMetadata().hasDeletionTimestamp()).isTrue();
    assertThat(failure(() -> a.client.create(id(), service("late", "10.97.0.10"))).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("spec.clusterIPs");
    var again =
        ApplyServiceCidrRequest.newBuilder()
            .setRequestId(id())
            .setServiceCidr(cidr("more", "10.97.0.0/24", "fd00:97::/112"))
            .build();
    assertThat(failure(() -> a.client.serviceCidrs().apply(again)).reason())
        .contains(Reason.TERMINATING);

    a.client.delete(id(), "web");
    assertThat(failure(() -> get(a.client, "more")).code()).isEqualTo(Code.NOT_FOUND);
    assertThat(told.next().getDeleted().getMetadata().getName()).isEqualTo("more");
    assertThat(world.events())
        .extracting(event -> event.getClass().getSimpleName() + " " + event.key())
        .endsWith(
            "Deleted Service/shop/web",
            "Tombstone Service/shop/web",
            "Deleted ServiceCIDR//more",
            "Tombstone ServiceCIDR//more");
    assertThat(create(a.client, "more", "10.97.0.0/24").getResult()).isEqualTo(Result.CREATED);
  }

  /** Whichever comes first in the log: a Service of the range keeps it, or gets none of it. */
  @Test
  void creationsThatRaceWithTheRemovalOfTheirRangeNeverGetAnAddressOutsideAllRanges()
      throws Exception {
    var a = world.start("a");
    var b = world.start("b");
    for (int round = 0; round < 8; round++) {
      create(a.client, "more", "10.97.0.0/29");
      var calls = new ArrayList<Callable<String>>();
      for (int i = 1; i <= 6; i++) {
        var client = (i % 2 == 0 ? a : b).client;
        var name = "s" + i;
        var address = "10.97.0." + i;
        calls.add(() -> {
          try {
            client.create(id(), service(name, address));
            return "created";
          } catch (StatusRuntimeException e) {
            return ErrorReport.of(e).code().toString();
          }
        });
      }
      calls.add(3, () -> delete(a.client, id(), "more").getResult().toString());
      int created = 0;
      try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (var outcome : threads.invokeAll(calls)) {
          assertThat(outcome.get()).isIn("created", "DELETED", "INVALID_ARGUMENT");
          created += outcome.get().equals("created") ? 1 : 0;
        }
      }
      var inside = Cidr.of("10.97.0.0/29");
      var held =
          allocations(
              a.client, ListAllocationsRequest.newBuilder().setCidr("10.97.0.0/29").build());
      assertThat(held)
          .hasSize(created)
          .allMatch(allocation -> inside.contains(Address.of(allocation.getAddress())));
      if (created > 0) {
        assertThat(get(a.client, "more").getStatus().getConditions(0).getReason())
            .isEqualTo("Terminating");
        held.forEach(allocation -> a.client.delete(id(), allocation.getName()));
      }
      assertThat(failure(() -> get(b.client, "more")).reason()).contains(Reason.NOT_FOUND);
    }
    FakeNeighbours.await(
        "only the control plane's claim is left", () -> world.claims().size() == 1);
  }

  @Test
  void theNextOwnerGoesOnWithTheRangesOfTheLog() {
    var a = world.start("a");
    create(a.client, "wide", "10.96.0.0/16");
    assertThat(delete(a.client, id(), "default").getServiceCidr().getMetadata().getName())
        .isEqualTo("default");
    a.client.create(id(), service("web", "10.96.7.7"));
    delete(a.client, id(), "wide");
    a.crash();
    var b = world.start("b");
    FakeNeighbours.await("b owns", b::owns);
    FakeNeighbours.await(
        "b decides",
        () -> {
          try {
            create(b.client, "fresh", "10.98.0.0/24");
            return true;
          } catch (StatusRuntimeException e) {
            if (ErrorReport.of(e).isTransient()) {
              return false;
            }
            throw e;
          }
        });
    assertThat(
            b.client
                .serviceCidrs()
                .list(ListServiceCidrsRequest.getDefaultInstance())
                .getItemsList())
        .extracting(c -> c.getMetadata().getName())
        .as("default was deleted on purpose and does not come back")
        .containsExactly("fresh", "wide");
    assertThat(b.client.create(id(), service("new", "")).getService().getSpec().getClusterIp())
        .startsWith("10.98.0.");
  }

  @Test
  void listsAllocationsByOwnerAndByRange() {
    var a = world.start("a");
    a.client.create(id(), service("web", "10.96.0.9"));
    var none =
        a.client
            .serviceCidrs()
            .listAllocations(ListAllocationsRequest.newBuilder().setNamespace("none").build());
    assertThat(none.next().getPosition().getOffsets()).isNotEmpty();
    assertThat(none.hasNext()).isFalse();
    assertThat(allocations(a.client, ListAllocationsRequest.getDefaultInstance()))
        .extracting(x -> x.getAddress() + " " + x.getNamespace() + "/" + x.getName())
        .containsExactly("10.96.0.1 default/fairlead", "10.96.0.9 shop/web");
    for (var request :
        List.of(
            ListAllocationsRequest.newBuilder().setNamespace("shop"),
            ListAllocationsRequest.newBuilder().setNamespace("shop").setName("web"),
            ListAllocationsRequest.newBuilder().setCidr("10.96.0.8/29"),
            ListAllocationsRequest.newBuilder().setNamespace("shop").setCidr("10.96.0.0/24"))) {
      assertThat(allocations(a.client, request.build()))
          .extracting(Allocation::getAddress)
          .containsExactly("10.96.0.9");
    }
    var wrong = ListAllocationsRequest.newBuilder().setCidr("10.96.0.9/24").build();
    assertThat(failure(() -> allocations(a.client, wrong)).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("cidr");
    var half = ListAllocationsRequest.newBuilder().setName("web").build();
    assertThat(failure(() -> allocations(a.client, half)).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("namespace");
  }

  @Test
  void tellsMoreAllocationsThanOneMessageHolds() throws Exception {
    var a = world.start("a");
    create(a.client, "more", "10.97.0.0/20");
    int services = 1_200;
    var calls = new ArrayList<Callable<String>>();
    for (int i = 0; i < services; i++) {
      var name = "s" + i;
      calls.add(
          () -> a.client.create(id(), service(name, "")).getService().getSpec().getClusterIp());
    }
    var given = new TreeSet<Address>();
    try (var threads = Executors.newFixedThreadPool(64, Thread.ofVirtual().factory())) {
      for (var one : threads.invokeAll(calls)) {
        given.add(Address.of(one.get()));
      }
    }
    var portions = new ArrayList<Integer>();
    var told = new ArrayList<Address>();
    a.client
        .serviceCidrs()
        .listAllocations(ListAllocationsRequest.newBuilder().setNamespace("shop").build())
        .forEachRemaining(reply -> {
          portions.add(reply.getItemsCount());
          reply.getItemsList().forEach(one -> told.add(Address.of(one.getAddress())));
        });
    assertThat(portions).containsExactly(1_000, 200);
    assertThat(told).containsExactlyElementsOf(given);
  }

  @Test
  void saysAllOfOneAddress() {
    var a = world.start("a");
    var web = a.client.create(id(), service("web", "10.96.0.9")).getService();
    var get = GetAllocationRequest.newBuilder();
    var reply = a.client.serviceCidrs().getAllocation(get.setAddress("10.96.0.9").build());
    assertThat(reply.getAllocation().getUid()).isEqualTo(web.getMetadata().getUid());
    assertThat(reply.getClaim().getUid()).isEqualTo(web.getMetadata().getUid());
    assertThat(reply.getClaim().getRevision()).isPositive();
    assertThat(reply.getServiceCidrsList()).containsExactly("default");
    var free = get.setAddress("10.96.0.77").build();
    assertThat(failure(() -> a.client.serviceCidrs().getAllocation(free)).code())
        .isEqualTo(Code.NOT_FOUND);
    var wrong = get.setAddress("10.96.0.077").build();
    assertThat(failure(() -> a.client.serviceCidrs().getAllocation(wrong)).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("address");
    try (var client = world.etcd.client()) { // as a crash between claim and append leaves it
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
    var orphan = a.client.serviceCidrs().getAllocation(get.setAddress("10.96.0.99").build());
    assertThat(orphan.hasAllocation()).isFalse();
    assertThat(orphan.getClaim().getName()).isEqualTo("gone");
    world.etcd.down();
    var known = a.client.serviceCidrs().getAllocation(get.setAddress("10.96.0.9").build());
    assertThat(known.getAllocation().getName()).isEqualTo("web");
    assertThat(known.getClaimUnknown()).contains("etcd");
    assertThat(failure(() -> a.client.serviceCidrs().getAllocation(free)).reason())
        .contains(Reason.DEPENDENCY_UNAVAILABLE);
  }

  @Test
  void aNamespaceIsDeletedWithAllItsServicesEachByItsOwnRecord() {
    var a = world.start("a");
    var b = world.start("b");
    for (int i = 0; i < 40; i++) {
      a.client.create(id(), service("s" + i, i % 2 == 0 ? "" : "None"));
    }
    var request = DeleteNamespaceRequest.newBuilder().setName("shop");
    var refused = failure(() -> b.client.namespaces().delete(request.setRequestId(id()).build()));
    assertThat(refused.reason()).contains(Reason.NOT_EMPTY);
    assertThat(refused.metadata()).containsEntry("services", "40");
    var all = request.setRequestId("all").setCascade(true).build();
    var reply = b.client.namespaces().delete(all);
    assertThat(reply.getResult()).isEqualTo(Result.DELETED);
    assertThat(reply.getDeletedServices()).isEqualTo(40);
    var gone = GetNamespaceRequest.newBuilder().setName("shop").build();
    assertThat(failure(() -> a.client.namespaces().get(gone)).code()).isEqualTo(Code.NOT_FOUND);
    assertThat(world.claims()).containsOnlyKeys("10.96.0.1");
    assertThat(world.events())
        .filteredOn(event -> event.getClass().getSimpleName().equals("Deleted"))
        .hasSize(40);
    assertThat(
            failure(() -> a.client.namespaces().delete(all.toBuilder().setRequestId("x").build()))
                .code())
        .isEqualTo(Code.NOT_FOUND);
  }

  @Test
  void aNamespaceThatHoldsTheControlPlanesServiceIsNotDeletedWithIt() {
    var a = world.start("a");
    var request =
        DeleteNamespaceRequest.newBuilder()
            .setRequestId(id())
            .setName("default")
            .setCascade(true)
            .build();
    assertThat(failure(() -> a.client.namespaces().delete(request)).reason())
        .contains(Reason.NOT_YOURS);
  }
}
