package io.fairlead.allocator;

import static io.fairlead.allocator.Client.failure;
import static io.fairlead.allocator.Client.service;
import static io.fairlead.allocator.FakeNeighbours.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.Reason;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Service;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEvent;
import io.fairlead.v1.Allocation;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.ListAllocationsRequest;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A log from elsewhere, in which two Services have one address. */
@Timeout(60)
class ContestedAddressTest {
  private static final String VIP = "10.96.0.9";

  private final FakeNeighbours world = new FakeNeighbours("10.96.0.0/24");

  @AfterEach
  void end() {
    world.close();
    assertThat(world.faults).isEmpty();
  }

  private static LogEvent stored(Service service) {
    var envelope =
        new Envelope(
            service.uid(),
            TestObjects.NOON,
            "user:import",
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    return new LogEvent.Stored(service, envelope);
  }

  private static Allocation allocation(Client client) {
    var found = new ArrayList<Allocation>();
    client
        .serviceCidrs()
        .listAllocations(ListAllocationsRequest.newBuilder().setNamespace("default").build())
        .forEachRemaining(reply ->
            reply.getItemsList().stream()
                .filter(one -> one.getAddress().equals(VIP))
                .forEach(found::add));
    assertThat(found).hasSize(1);
    return found.getFirst();
  }

  /**
   * B26, but for the event: instead of it the loser is listed with the holder, and counted. Nothing
   * flaps, since who has it is a function of the two records.
   */
  @Test
  void theOlderOneKeepsItAndTheOtherIsListedAndCounted() {
    var a = world.start("a");
    // of one instant: the uid decides
    var services =
        Stream.of(TestObjects.service("one", VIP), TestObjects.service("other", VIP))
            .sorted(Comparator.comparing(service -> service.uid().toString()))
            .toList();
    var holder = services.getFirst().name();
    var loser = services.getLast().name();
    try (var elsewhere = world.kafka.connect();
        var appender = elsewhere.openAppender(LogPartition.SERVICES)) {
      appender.append(List.of(stored(services.getLast()), stored(services.getFirst())));
    }
    await(
        "counted",
        () -> a.metrics.page("").text().contains("fairlead_services_cluster_ips_contested 1.0"));
    assertThat(allocation(a.client).getName()).isEqualTo(holder.name());
    assertThat(allocation(a.client).getContendersList()).containsExactly(loser.toString());
    // fenced by the stranger, it takes over again with its next write
    await(
        "decides again",
        () -> {
          try {
            var _ = a.client.create("next", service("next", ""));
            return true;
          } catch (StatusRuntimeException _) {
            return false;
          }
        });
    await("claimed for the holder", () -> holder.toString().equals(world.claims().get(VIP)));
    assertThat(failure(() -> a.client.create("third", service("third", VIP))).reason())
        .contains(Reason.CLUSTER_IP_TAKEN);
    a.client
        .services()
        .delete(
            DeleteServiceRequest.newBuilder()
                .setRequestId("gone")
                .setNamespace(holder.namespace())
                .setName(holder.name())
                .build());
    assertThat(allocation(a.client).getName()).isEqualTo(loser.name());
    assertThat(allocation(a.client).getContendersList()).isEmpty();
    world.etcd.down(); // whoever comes back to etcd reconciles
    await("etcd is missed", () -> !a.health.isReady());
    world.etcd.up();
    await("claimed for the other one", () -> loser.toString().equals(world.claims().get(VIP)));
    assertThat(failure(() -> a.client.create("fourth", service("fourth", VIP))).reason())
        .contains(Reason.CLUSTER_IP_TAKEN);
  }
}
