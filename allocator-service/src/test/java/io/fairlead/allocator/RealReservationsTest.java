package io.fairlead.allocator;

import static io.fairlead.allocator.Client.failure;
import static io.fairlead.allocator.Client.service;
import static io.fairlead.allocator.RealNeighbours.await;
import static io.fairlead.allocator.RealNeighbours.untilAnswered;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.allocator.RealNeighbours.Allocator;
import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.run.GatewayException;
import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.v1.AddressClaim;
import io.fairlead.v1.GetAllocationRequest;
import io.fairlead.v1.ReleaseReservationRequest;
import io.fairlead.v1.Reservation;
import io.fairlead.v1.Result;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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

/** Reservations over a real etcd and a real Kafka, with replicas as processes that are killed. */
@Tag("slow")
@Timeout(300)
class RealReservationsTest {
  private static final String VIP = "10.96.0.10";

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

  private static Reservation reserve(
      List<Allocator> allocators, String holder, Duration ttl, String... addresses) {
    var request = Client.reserve("reserve-" + holder, holder, ttl, addresses);
    return untilAnswered(allocators, client -> client.reservations().reserve(request))
        .getReservation();
  }

  private static String id(Reservation reservation) {
    return reservation.getMetadata().getName();
  }

  private static AddressClaim claim(List<Allocator> allocators, String address) {
    var request = GetAllocationRequest.newBuilder().setAddress(address).build();
    return untilAnswered(allocators, client -> client.serviceCidrs().getAllocation(request))
        .getClaim();
  }

  /** Only the control plane's own address is claimed, and nothing is reserved. */
  private void assertNothingIsLeft() {
    await(
        "nothing is left in etcd",
        () -> {
          try (var coordination = world.coordination()) {
            return coordination.reservations().isEmpty()
                && world.claims().equals(Map.of("10.96.0.1", "default/fairlead"));
          } catch (GatewayException _) {
            return false;
          }
        });
  }

  @Test
  void outliveTheirOwnerAndEtcdAndEndByThemselves() throws Exception {
    var a = world.start("a");
    var b = world.start("b");
    var both = List.of(a, b);
    var won = raced(both);
    assertThat(won).hasSize(1);
    var kept = won.getFirst();
    var holder = kept.getSpec().getHolderName();
    var brief = reserve(both, "brief", Duration.ofSeconds(5), "10.96.0.20");
    var owner = world.owner().equals("a") ? a : b;
    owner.process.kill();
    var survivors = List.of(owner == a ? b : a);
    assertThat(
            untilAnswered(survivors, client -> client.renew(id(kept), Client.TOKEN))
                .getReservation()
                .getSpec())
        .isEqualTo(kept.getSpec());
    await("the brief one is gone", () -> !world.claims().containsKey("10.96.0.20"));
    assertThat(
            RealNeighbours.createUntilAnswered(survivors, "other", service("other", "10.96.0.20"))
                .getResult())
        .isEqualTo(Result.CREATED);
    assertThat(
            failure(() -> untilAnswered(survivors, client -> client.renew(id(brief), Client.TOKEN)))
                .reason())
        .contains(Reason.NOT_FOUND);
    assertThat(
            failure(() ->
                    RealNeighbours.createUntilAnswered(survivors, "thief", service("thief", VIP)))
                .reason())
        .contains(Reason.CLUSTER_IP_RESERVED);
    var taken = RealNeighbours.createUntilAnswered(survivors, "take", service(holder, ""));
    assertThat(taken.getService().getSpec().getClusterIp()).isEqualTo(VIP);
    assertThat(claim(survivors, VIP).getTakenFrom()).isEqualTo(id(kept));

    world.etcd.kill();
    assertThat(failure(() -> survivors.getFirst().client.renew(id(kept), Client.TOKEN)).reason())
        .contains(Reason.DEPENDENCY_UNAVAILABLE);
    world.etcd = EtcdProcess.start(world.etcdConfig);
    untilAnswered(survivors, client -> client.renew(id(kept), Client.TOKEN));
    untilAnswered(survivors, client -> client.delete("give-up", holder));
    await("it goes back", () -> claim(survivors, VIP).getReservation().equals(id(kept)));
    untilAnswered(survivors, client -> client.delete("other-goes", "other"));
    released(survivors, kept, "release");
    assertNothingIsLeft();
  }

  private static void released(List<Allocator> allocators, Reservation reservation, String id) {
    var request =
        ReleaseReservationRequest.newBuilder()
            .setRequestId(id)
            .setId(id(reservation))
            .setToken(Client.TOKEN)
            .build();
    untilAnswered(allocators, client -> client.reservations().release(request));
  }

  /** Many want one address at once; those who got it. */
  private static List<Reservation> raced(List<Allocator> allocators) throws Exception {
    int users = 12;
    var together = new CyclicBarrier(users);
    var won = new ArrayList<Reservation>();
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var calls = new ArrayList<Callable<List<Reservation>>>();
      for (int i = 0; i < users; i++) {
        var one = List.of(allocators.get(i % allocators.size()));
        var name = "dns-" + i;
        calls.add(() -> {
          together.await();
          try {
            return List.of(reserve(one, name, Duration.ofMinutes(10), VIP));
          } catch (StatusRuntimeException e) {
            assertThat(ErrorReport.of(e).reason()).contains(Reason.CLUSTER_IP_RESERVED);
            return List.of();
          }
        });
      }
      for (var one : threads.invokeAll(calls)) {
        won.addAll(one.get());
      }
    }
    return won;
  }

  /** Reserve, create, delete, release, over and over, while the owner is killed. */
  @Test
  void anOwnerThatIsKilledInTheMiddleOfThemLeaksNothing() throws Exception {
    var a = world.start("a");
    var b = world.start("b");
    var both = List.of(a, b);
    int clients = 4;
    int rounds = 8;
    var some = new CountDownLatch(2 * clients);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var running =
          java.util.stream.IntStream.range(0, clients)
              .mapToObj(client ->
                  threads.submit(() -> {
                    for (int i = 0; i < rounds; i++) {
                      round(both, "s-" + client + "-" + i, "10.96.1." + (10 + client));
                      some.countDown();
                    }
                    return client;
                  }))
              .toList();
      some.await();
      (world.owner().equals("a") ? a : b).process.kill();
      for (var one : running) {
        one.get();
      }
    }
    assertNothingIsLeft();
  }

  private static void round(List<Allocator> allocators, String name, String address) {
    var reservation = reserve(allocators, name, Duration.ofMinutes(10), address);
    var created = RealNeighbours.createUntilAnswered(allocators, "c-" + name, service(name, ""));
    assertThat(created.getService().getSpec().getClusterIp()).isEqualTo(address);
    untilAnswered(allocators, client -> client.delete("d-" + name, name));
    released(allocators, reservation, "r-" + name);
  }
}
