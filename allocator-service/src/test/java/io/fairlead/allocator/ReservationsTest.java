package io.fairlead.allocator;

import static io.fairlead.allocator.Client.failure;
import static io.fairlead.allocator.Client.service;
import static io.fairlead.allocator.FakeNeighbours.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.record.LogEvent;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.eventlog.log.FakeEventLog.AppendFault;
import io.fairlead.v1.AddressClaim;
import io.fairlead.v1.CreateServiceCidrRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.DeleteServiceCidrRequest;
import io.fairlead.v1.GetAllocationRequest;
import io.fairlead.v1.GetReservationRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.ReleaseReservationRequest;
import io.fairlead.v1.Reservation;
import io.fairlead.v1.ReserveRequest;
import io.fairlead.v1.Result;
import io.fairlead.v1.ServiceCidr;
import io.fairlead.v1.ServiceCidrSpec;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Addresses that are held, taken over, given back, released and lost. */
@Timeout(120)
class ReservationsTest {
  private static final String VIP = "10.96.0.10";
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final FakeNeighbours world = new FakeNeighbours("10.96.0.0/24", "fd00:10:96::/108");

  @AfterEach
  void end() {
    world.close();
    assertThat(world.faults).isEmpty();
  }

  private static String id() {
    return "id-" + UUID.randomUUID();
  }

  private static String id(Reservation reservation) {
    return reservation.getMetadata().getName();
  }

  private AddressClaim claim(Client client, String address) {
    return client
        .serviceCidrs()
        .getAllocation(GetAllocationRequest.newBuilder().setAddress(address).build())
        .getClaim();
  }

  /** Records about reservations, in the order of the log. */
  private List<String> records() {
    return world.events().stream()
        .filter(event -> event.key().kind() == Kind.RESERVATION)
        .flatMap(event ->
            switch (event) {
              case LogEvent.Stored _ -> Optional.of("made").stream();
              case LogEvent.Deleted(_, _, var envelope) ->
                  Optional.of(envelope.cause().orElse("released")).stream();
              case LogEvent.Tombstone _ -> Optional.<String>empty().stream();
            })
        .toList();
  }

  /** No key of a reservation, and the claims are the addresses of the Services. */
  private void assertNothingReserved(Client client) {
    await("nothing is reserved", () -> client.listReservations("").isEmpty());
    await(
        "no key is left",
        () ->
            world.etcd.dump().keySet().stream()
                .noneMatch(key -> key.startsWith("/fairlead/v1/reservations/")));
    await(
        "no address is left",
        () ->
            world.etcd.dump().entrySet().stream()
                .noneMatch(key ->
                    key.getKey().startsWith("/fairlead/v1/ips/")
                        && !key.getValue().contains(" default/fairlead")));
  }

  @Test
  void holdsAnAddressForItsServiceAndTellsOthersWhoHasItAndHowLong() {
    var a = world.start("a");
    var before = Instant.now();
    var reserved = a.client.reserve("dns", VIP, "fd00:10:96::a");
    assertThat(reserved.getSpec().getAddressesList()).containsExactly(VIP, "fd00:10:96::a");
    assertThat(reserved.getStatus().getExpires().getSeconds())
        .isBetween(before.getEpochSecond() + 59, before.getEpochSecond() + 90);
    for (var other :
        List.of(
            failure(() -> a.client.create(id(), service("web", VIP))),
            failure(() -> a.client.reserve("web", "10.96.0.11", VIP)))) {
      assertThat(other.reason()).contains(Reason.CLUSTER_IP_RESERVED);
      assertThat(other.metadata())
          .containsEntry("holder", "shop/dns")
          .containsEntry("reservation", id(reserved))
          .containsEntry("address", VIP);
      assertThat(Instant.parse(other.metadata().get("expires")))
          .isBetween(before.plusSeconds(30), before.plusSeconds(90));
      assertThat(other.words()).contains("shop/dns").contains(other.metadata().get("expires"));
    }
    assertThat(world.claims()).doesNotContainKey("10.96.0.11"); // all or nothing
    assertThat(a.client.listReservations("shop"))
        .singleElement()
        .satisfies(listed -> {
          assertThat(listed.getMetadata()).isEqualTo(reserved.getMetadata());
          assertThat(listed.getSpec()).isEqualTo(reserved.getSpec());
        });
    assertThat(a.client.listReservations("other")).isEmpty();
  }

  @Test
  void theServiceTakesItOverAndGivesItBack() {
    var a = world.start("a");
    var reserved = a.client.reserve("dns", VIP);
    assertThat(claim(a.client, VIP).getReservation()).isEqualTo(id(reserved));
    assertThat(claim(a.client, VIP).hasExpires()).isTrue();
    assertThat(a.client.create(id(), service("dns", "")).getService().getSpec().getClusterIp())
        .isEqualTo(VIP);
    var taken = claim(a.client, VIP);
    assertThat(taken.getReservation()).isEmpty();
    assertThat(taken.getTakenFrom()).isEqualTo(id(reserved));
    assertThat(a.client.listReservations("").getFirst().getStatus().getTakenList())
        .containsExactly(VIP);
    a.client.delete(id(), "dns");
    assertThat(claim(a.client, VIP).getReservation()).isEqualTo(id(reserved)); // before the answer
    assertThat(failure(() -> a.client.create(id(), service("web", VIP))).reason())
        .contains(Reason.CLUSTER_IP_RESERVED);
    a.client.apply(id(), service("dns", VIP));
    world.expire(id(reserved));
    assertThat(world.claims()).containsEntry(VIP, "shop/dns"); // the lease was dropped
    await("the end is written down", () -> records().size() == 2);
    a.client.delete(id(), "dns");
    assertThat(a.client.create(id(), service("web", VIP)).getResult()).isEqualTo(Result.CREATED);
    assertThat(records()).containsExactly("made", "its lease ran out");
  }

  @Test
  void aReservationThatRanOutHoldsNothingAlsoBeforeItsEndIsWritten() {
    var a = world.start("a");
    var reserved = a.client.reserve("dns", VIP);
    world.expire(id(reserved));
    assertThat(a.client.create(id(), service("web", VIP)).getResult()).isEqualTo(Result.CREATED);
    assertThat(failure(() -> a.client.renew(id(reserved), Client.TOKEN)).reason())
        .contains(Reason.NOT_FOUND);
    var get = GetReservationRequest.newBuilder().setId(id(reserved)).build();
    assertThat(failure(() -> a.client.reservations().get(get)).reason()).contains(Reason.NOT_FOUND);
    await("the end is written down", () -> records().size() == 2);
    a.client.delete(id(), "web");
    assertNothingReserved(a.client);
  }

  @Test
  void isRenewedAndReleasedByItsTokenThroughAnyReplica() {
    var a = world.start("a");
    var b = world.start("b");
    var reserved = a.client.reserve("dns", VIP);
    for (var one : List.of(a, b)) {
      assertThat(failure(() -> one.client.renew(id(reserved), "guess")).reason())
          .contains(Reason.WRONG_TOKEN);
      assertThat(failure(() -> one.client.release(id(reserved), "")).reason())
          .contains(Reason.WRONG_TOKEN);
      assertThat(one.client.renew(id(reserved), Client.TOKEN).getReservation().getSpec())
          .isEqualTo(reserved.getSpec());
    }
    var other = world.etcdOwner().equals("a") ? b : a;
    assertThat(other.client.release(id(reserved), Client.TOKEN).getPosition().getOffsets())
        .isNotEmpty();
    assertThat(world.claims()).doesNotContainKey(VIP); // before the answer
    assertThat(failure(() -> a.client.release(id(reserved), Client.TOKEN)).reason())
        .contains(Reason.NOT_FOUND);
    assertThat(failure(() -> a.client.release("no-uuid", "")).reason()).contains(Reason.NOT_FOUND);
    assertNothingReserved(a.client);
    assertThat(records()).containsExactly("made", "released");
  }

  @Test
  void isReleasedByForceWithoutItsTokenAndLeavesWhatAServiceTook() {
    var a = world.start("a");
    var reserved = a.client.reserve("dns", VIP, "10.96.0.11");
    a.client.create(id(), service("dns", VIP));
    var force =
        ReleaseReservationRequest.newBuilder()
            .setRequestId("force")
            .setId(id(reserved))
            .setForce(true)
            .build();
    var done = a.client.reservations().release(force);
    assertThat(a.client.reservations().release(force)).isEqualTo(done); // remembered
    assertThat(world.claims()).containsEntry(VIP, "shop/dns").doesNotContainKey("10.96.0.11");
    a.client.delete(id(), "dns");
    assertNothingReserved(a.client);
    var both = force.toBuilder().setRequestId("both").setToken("x").build();
    assertThat(failure(() -> a.client.reservations().release(both)).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("force");
  }

  @Test
  void asksForAnyStaticAddressOfAFamily() {
    var a = world.start("a");
    var request =
        Client.reserve(id(), "dns", MINUTE).toBuilder()
            .setAnyStatic(ReserveRequest.AnyStatic.newBuilder().setCount(2).setIpFamily("IPv6"))
            .build();
    assertThat(a.client.reservations().reserve(request).getReservation().getSpec())
        .satisfies(spec ->
            assertThat(spec.getAddressesList()).containsExactly("fd00:10:96::1", "fd00:10:96::2"));
    var again = a.client.reservations().reserve(request);
    assertThat(a.client.listReservations("")).hasSize(1); // the same request
    assertThat(
            failure(() ->
                    a.client
                        .reservations()
                        .reserve(request.toBuilder().setHolderName("web").build()))
                .reason())
        .contains(Reason.REQUEST_ID_REUSED);
    assertThat(again.getReservation().getSpec().getAddressesCount()).isEqualTo(2);
  }

  record Fault(String field, ReserveRequest.Builder request) {}

  @Test
  void namesWhatIsWrongWithARequest() {
    var a = world.start("a");
    var good = Client.reserve("bad", "dns", MINUTE, VIP);
    var faults =
        List.of(
            new Fault("ttl", Client.reserve("1", "dns", Duration.ofSeconds(4), VIP).toBuilder()),
            new Fault("ttl", Client.reserve("2", "dns", Duration.ofDays(2), VIP).toBuilder()),
            new Fault(
                "ttl",
                good.toBuilder()
                    .setTtl(com.google.protobuf.Duration.newBuilder().setSeconds(Long.MIN_VALUE))),
            new Fault("tokenHash", good.toBuilder().clearTokenHash()),
            new Fault("addresses[0]", good.toBuilder().setAddresses(0, "10.97.0.1")),
            new Fault("holderName", good.toBuilder().setHolderName("No_Name")),
            new Fault("requestId", good.toBuilder().setRequestId("")));
    for (var fault : faults) {
      var report = failure(() -> a.client.reservations().reserve(fault.request().build()));
      assertThat(report.code()).isEqualTo(Code.INVALID_ARGUMENT);
      assertThat(report.faults())
          .extracting(ErrorReport.FieldFault::field)
          .containsExactly(fault.field());
    }
    assertThat(records()).isEmpty();
    assertNothingReserved(a.client);
  }

  @Test
  void ofManyWhoReserveOneAddressExactlyOneGetsIt() throws Exception {
    var a = world.start("a");
    var b = world.start("b");
    int users = 16;
    var together = new CyclicBarrier(users);
    var calls = new ArrayList<Callable<String>>();
    for (int i = 0; i < users; i++) {
      var client = (i % 2 == 0 ? a : b).client;
      var name = "web-" + i;
      calls.add(() -> {
        together.await();
        try {
          return "won by shop/" + client.reserve(name, VIP).getSpec().getHolderName();
        } catch (StatusRuntimeException e) {
          var report = ErrorReport.of(e);
          return report.reason().orElseThrow() + " " + report.metadata().get("holder");
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
        .containsOnly(Reason.CLUSTER_IP_RESERVED + " " + winner.getFirst());
    assertThat(a.client.listReservations("")).hasSize(1);
  }

  @Test
  void dynamicPicksLeaveReservedAddressesAlone() {
    var a = world.start("a");
    var block = new ArrayList<String>();
    for (int i = 17; i < 255; i++) {
      block.add("10.96.0." + i);
    }
    for (int from = 0; from < block.size(); from += 60) {
      a.client.reserve(
          "dns", block.subList(from, Math.min(block.size(), from + 60)).toArray(String[]::new));
    }
    var ip = a.client.create(id(), service("web", "")).getService().getSpec().getClusterIp();
    assertThat(Address.of(ip)).isLessThan(Address.of("10.96.0.17")); // the rest is reserved
  }

  @Test
  void withoutEtcdAllAreUnavailableAndNothingIsHalfDone() {
    var a = world.start("a");
    var reserved = a.client.reserve("dns", VIP);
    var before = records();
    world.etcd.down();
    for (var report :
        List.of(
            failure(() -> a.client.reserve("web", "10.96.0.12")),
            failure(() -> a.client.renew(id(reserved), Client.TOKEN)),
            failure(() -> a.client.release(id(reserved), Client.TOKEN)),
            failure(() -> a.client.listReservations("")),
            failure(() -> a.client.create(id(), service("dns", VIP))))) {
      assertThat(report.code()).isEqualTo(Code.UNAVAILABLE);
    }
    world.etcd.up();
    assertThat(records()).isEqualTo(before);
    await(
        "it can be released",
        () -> {
          try {
            a.client.release(id(reserved), Client.TOKEN);
            return true;
          } catch (StatusRuntimeException e) {
            assertThat(ErrorReport.of(e).isTransient()).isTrue();
            return false;
          }
        });
    assertNothingReserved(a.client);
  }

  @Test
  void whatTheLogRefusesIsNotReservedAndWhatWasTakenGoesBack() {
    var a = world.start("a");
    var reserved = a.client.reserve("dns", VIP);
    a.log.failNextAppend(AppendFault.REFUSED);
    assertThat(failure(() -> a.client.create(id(), service("dns", VIP))).code())
        .isEqualTo(Code.UNAVAILABLE);
    assertThat(claim(a.client, VIP).getReservation()).isEqualTo(id(reserved));
    a.log.failNextAppend(AppendFault.REFUSED);
    assertThat(failure(() -> a.client.reserve("web", "10.96.0.12")).code())
        .isEqualTo(Code.UNAVAILABLE);
    assertThat(world.claims()).doesNotContainKey("10.96.0.12");
    a.log.failNextAppend(AppendFault.REFUSED);
    assertThat(failure(() -> a.client.release(id(reserved), Client.TOKEN)).code())
        .isEqualTo(Code.UNAVAILABLE);
    assertThat(a.client.listReservations("")).hasSize(1);
  }

  @Test
  void theNextOwnerPutsRightWhatACrashLeft() {
    var a = world.start("a");
    var kept = a.client.reserve("dns", VIP, "10.96.0.11", "10.96.0.12");
    var released = a.client.reserve("web", "10.96.0.14");
    var dns = new ObjectName("shop", "dns");
    world.asOwner((etcd, takeover) -> {
      // between the claim of a Service that takes over and its record
      var claim = etcd.claimOn(Address.of(VIP)).orElseThrow();
      var taken = new ClaimRequest(Address.of(VIP), new UUID(1, 1), dns, claim.reservation());
      assertThat(etcd.replaceClaim(taken, claim, LogPartition.SERVICES, takeover)).isTrue();
      // a claim lost, by hand or by a restored etcd
      var lost = new ClaimRequest(Address.of("10.96.0.11"), UUID.fromString(id(kept)), dns);
      etcd.free(List.of(lost), LogPartition.SERVICES, takeover);
      // between the keys of a reservation and its record
      var known = etcd.reservation(UUID.fromString(id(kept))).orElseThrow();
      var orphan =
          new io.fairlead.core.model.Reservation(
              new UUID(7, 7),
              Instant.EPOCH,
              dns,
              List.of(Address.of("10.96.0.13")),
              Duration.ofHours(1));
      etcd.reserve(orphan, known.tokenHash(), Map.of(), LogPartition.SERVICES, takeover);
    });
    a.crash(); // first: an owner that hands over leaves word that its claims are right
    var b = world.start("b");
    assertThat(
            FakeNeighbours.untilAnswered(
                () -> b.client.create(id(), service("other", "10.96.0.13")).getResult()))
        .isEqualTo(Result.CREATED);
    await("it goes back", () -> claim(b.client, VIP).getReservation().equals(id(kept)));
    assertThat(claim(b.client, "10.96.0.11").getReservation()).isEqualTo(id(kept));
    assertThat(claim(b.client, "10.96.0.12").getReservation()).isEqualTo(id(kept));
    assertThat(b.client.listReservations(""))
        .extracting(ReservationsTest::id)
        .containsExactlyInAnyOrder(id(kept), id(released));
    assertThat(world.etcd.dump()).doesNotContainKey("/fairlead/v1/reservations/" + new UUID(7, 7));
    b.client.renew(id(kept), Client.TOKEN); // it survived its owner
  }

  @Test
  void aReleaseWhoseOwnerCrashedBeforeItFreedIsDoneByTheNextOne() {
    var a = world.start("a");
    var reserved = a.client.reserve("dns", VIP);
    var backup = world.etcd.backup();
    a.client.release(id(reserved), Client.TOKEN);
    world.etcd.restore(backup); // the log has its end, etcd has not
    await("the key is gone", () -> !world.etcd.dump().toString().contains(id(reserved)));
    assertNothingReserved(a.client);
    assertThat(a.client.create(id(), service("web", VIP)).getResult()).isEqualTo(Result.CREATED);
  }

  @Test
  void anEtcdThatLostItEndsIt() {
    var a = world.start("a");
    var reserved = a.client.reserve("dns", VIP);
    a.client.create(id(), service("dns", VIP));
    world.etcd.wipe();
    await("the end is written down", () -> records().size() == 2);
    await("the Service's claim is made again", () -> world.claims().containsKey(VIP));
    assertThat(
            FakeNeighbours.untilAnswered(
                () -> failure(() -> a.client.renew(id(reserved), Client.TOKEN)).reason()))
        .contains(Reason.NOT_FOUND);
  }

  /** A reservation does not hold a range: what it names there is nobody's any more. */
  @Test
  void whatIsReservedInARangeThatGoesIsNotGivenOut() {
    var a = world.start("a");
    var cidr =
        ServiceCidr.newBuilder()
            .setMetadata(ObjectMeta.newBuilder().setName("more"))
            .setSpec(ServiceCidrSpec.newBuilder().addCidrs("10.97.0.0/24"));
    a.client
        .serviceCidrs()
        .create(
            CreateServiceCidrRequest.newBuilder().setRequestId(id()).setServiceCidr(cidr).build());
    var reserved = a.client.reserve("dns", "10.97.0.9");
    var delete = DeleteServiceCidrRequest.newBuilder().setRequestId(id()).setName("more").build();
    assertThat(
            a.client
                .serviceCidrs()
                .delete(delete)
                .getServiceCidr()
                .getMetadata()
                .hasDeletionTimestamp())
        .isFalse(); // gone at once
    assertThat(failure(() -> a.client.create(id(), service("dns", "10.97.0.9"))).code())
        .isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(a.client.create(id(), service("dns", "")).getService().getSpec().getClusterIp())
        .startsWith("10.96.0.");
    a.client.release(id(reserved), Client.TOKEN);
    a.client.delete(id(), "dns");
    assertNothingReserved(a.client);
  }

  @Test
  void aDryRunGoesByTheLog() {
    var a = world.start("a");
    a.client.reserve("dns", VIP);
    var dry =
        CreateServiceRequest.newBuilder()
            .setRequestId(id())
            .setDryRun(true)
            .setService(service("web", VIP))
            .build();
    assertThat(failure(() -> a.client.services().create(dry)).reason())
        .contains(Reason.CLUSTER_IP_RESERVED);
  }

  @Test
  void countsWhatThereIsWhatRanOutAndWhatWasTakenOver() {
    var a = world.start("a");
    var first = a.client.reserve("dns", VIP, "10.96.0.11");
    a.client.reserve("web", "10.96.0.12");
    a.client.create(id(), service("dns", VIP));
    world.expire(id(first));
    await(
        "the end is written down, delivered and counted",
        () ->
            a.metrics
                .page("text/plain")
                .text()
                .contains("fairlead_reservations_expired_total 1.0"));
    assertThat(records()).hasSize(3);
    assertThat(a.metrics.page("text/plain").text())
        .contains("fairlead_reservations_count 1.0")
        .contains("fairlead_reservations_addresses 1.0")
        .contains("fairlead_reservations_addresses_taken_over_total 1.0");
  }
}
