package io.fairlead.endpoints;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Service;
import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.v1.ApplyEndpointSliceRequest;
import io.fairlead.v1.CreateEndpointSliceRequest;
import io.fairlead.v1.DeleteEndpointSliceRequest;
import io.fairlead.v1.EndpointConditions;
import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.EndpointSlicesGrpc;
import io.fairlead.v1.GetEndpointSliceRequest;
import io.fairlead.v1.ListEndpointSlicesRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Result;
import io.fairlead.v1.SliceEndpoint;
import io.fairlead.v1.SlicePort;
import io.fairlead.v1.WatchEndpointSlicesReply;
import io.fairlead.v1.WatchEndpointSlicesRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** EndpointSlices that people write, over gRPC. */
@Timeout(60)
class SlicesTest {
  private static final Service DB =
      TestObjects.with(TestObjects.service("db", "10.96.0.1"), s -> s.selector(Map.of()));
  private static final EndpointSlice SLICE =
      EndpointSlice.newBuilder()
          .setMetadata(
              ObjectMeta.newBuilder()
                  .setName("db-1")
                  .putLabels(ManualSlice.SERVICE_NAME_LABEL, "db")
                  .putLabels("team", "a"))
          .setAddressType("IPv4")
          .addPorts(SlicePort.newBuilder().setPort(9000))
          .addEndpoints(SliceEndpoint.newBuilder().addAddresses("192.0.2.7"))
          .build();

  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private static EndpointSlicesGrpc.EndpointSlicesBlockingStub slices(Replica replica) {
    return EndpointSlicesGrpc.newBlockingStub(replica.channel())
        .withDeadlineAfter(Duration.ofSeconds(20))
        .withWaitForReady();
  }

  private static ApplyEndpointSliceRequest apply(String id, EndpointSlice slice) {
    return ApplyEndpointSliceRequest.newBuilder().setRequestId(id).setEndpointSlice(slice).build();
  }

  private static DeleteEndpointSliceRequest delete(String id, String name) {
    return DeleteEndpointSliceRequest.newBuilder().setRequestId(id).setName(name).build();
  }

  private static GetEndpointSliceRequest get(String name) {
    return GetEndpointSliceRequest.newBuilder().setName(name).build();
  }

  @Test
  void appliesShowsAndDeletes() {
    var a = replicas.start("a");
    replicas.store(DB);
    slices(a).list(ListEndpointSlicesRequest.getDefaultInstance()); // so that it knows the Service
    var created = slices(a).apply(apply("1", SLICE));
    assertThat(created.getResult()).isEqualTo(Result.CREATED);
    var stored = created.getEndpointSlice();
    assertThat(stored.getMetadata().getUid()).isNotEmpty();
    assertThat(stored.getMetadata().getResourceVersion()).isNotEmpty();
    assertThat(stored.getEndpoints(0).getConditions())
        .isEqualTo(
            EndpointConditions.newBuilder()
                .setReady(true)
                .setServing(true)
                .setTerminating(false)
                .build());
    assertThat(slices(a).apply(apply("1", SLICE)))
        .as("the same request again is answered as it was")
        .satisfies(again -> assertThat(again.getResult()).isEqualTo(Result.CREATED))
        .satisfies(again ->
            assertThat(again.getEndpointSlice().getMetadata()).isEqualTo(stored.getMetadata()));
    assertThat(slices(a).apply(apply("2", SLICE)).getResult()).isEqualTo(Result.UNCHANGED);
    assertThat(slices(a).get(get("db-1")).getEndpointSlice()).isEqualTo(stored);
    assertThat(
            slices(a)
                .list(ListEndpointSlicesRequest.newBuilder().setLabelSelector("team=a").build())
                .getItemsList())
        .containsExactly(stored);
    var more = SLICE.toBuilder().addEndpoints(SliceEndpoint.newBuilder().addAddresses("192.0.2.8"));
    var changed = slices(a).apply(apply("3", more.build()));
    assertThat(changed.getResult()).isEqualTo(Result.CONFIGURED);
    assertThat(replicas.image().slices().all()).hasSize(1);
    more.getMetadataBuilder().setResourceVersion(stored.getMetadata().getResourceVersion());
    var stale = catchThrowable(() -> slices(a).apply(apply("4", more.build())));
    assertThat(ErrorReport.of(stale).reason()).contains(Reason.STALE_VERSION);
    var tried = delete("5", "db-1").toBuilder().setDryRun(true).build();
    assertThat(slices(a).delete(tried).getResult()).isEqualTo(Result.DELETED);
    assertThat(replicas.image().slices().all()).as("only tried").hasSize(1);
    var deleted = slices(a).delete(delete("6", "db-1"));
    assertThat(deleted.getEndpointSlice().getMetadata().getUid())
        .isEqualTo(stored.getMetadata().getUid());
    assertThat(replicas.image().slices().all()).isEmpty();
    assertThat(slices(a).delete(delete("6", "db-1")).getResult()).isEqualTo(Result.DELETED);
    var missing = catchThrowable(() -> slices(a).get(get("db-1")));
    assertThat(ErrorReport.of(missing).reason()).contains(Reason.NOT_FOUND);
  }

  @Test
  void createsUnderAFreeNameOnly() {
    var a = replicas.start("a");
    var request = CreateEndpointSliceRequest.newBuilder().setRequestId("1").setEndpointSlice(SLICE);
    assertThat(slices(a).create(request.build()).getResult()).isEqualTo(Result.CREATED);
    var taken = catchThrowable(() -> slices(a).create(request.setRequestId("2").build()));
    assertThat(ErrorReport.of(taken).reason()).contains(Reason.NAME_TAKEN);
    request.setRequestId("3").getEndpointSliceBuilder().getMetadataBuilder().clearName();
    request.getEndpointSliceBuilder().getMetadataBuilder().setGenerateName("db-");
    assertThat(slices(a).create(request.build()).getEndpointSlice().getMetadata().getName())
        .matches("db-[a-z0-9]{5}");
  }

  /** C44, C45 over the network: all faults at once, and nothing is written. */
  @Test
  void refusesWhatKubernetesRefuses() {
    var a = replicas.start("a");
    slices(a).apply(apply("1", SLICE));
    var faulty = SLICE.toBuilder().setAddressType("IPv6");
    faulty.getEndpointsBuilder(0).setAddresses(0, "::1");
    var refused = catchThrowable(() -> slices(a).apply(apply("2", faulty.build())));
    assertThat(ErrorReport.of(refused).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("endpoints[0].addresses[0]", "addressType");
    assertThat(replicas.image().slices().all()).hasSize(1);
  }

  @Test
  void everyReplicaTakesTheRequestAndAnyTellsOfBothSorts() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    replicas.store(DB, TestObjects.service("web", "10.96.0.2"));
    for (var replica : List.of(a, b)) {
      var slice = SLICE.toBuilder();
      slice.getMetadataBuilder().setName("db-" + replica.name);
      slices(replica).apply(apply("of-" + replica.name, slice.build()));
    }
    for (var replica : List.of(a, b)) {
      assertThat(
              slices(replica)
                  .list(ListEndpointSlicesRequest.newBuilder().setNamespace("default").build())
                  .getItemsList())
          .extracting(slice -> slice.getMetadata().getName())
          .containsExactly("db-a", "db-b");
    }
  }

  /** What becomes of a slice also when something else changes. */
  @Test
  void aWatchTellsWhetherAnythingUsesASlice() {
    var a = replicas.start("a");
    try (Watching<WatchEndpointSlicesReply> watching =
        Watching.of(replies ->
            EndpointSlicesGrpc.newStub(a.channel())
                .withWaitForReady()
                .watch(WatchEndpointSlicesRequest.getDefaultInstance(), replies))) {
      watching.await("synced", WatchEndpointSlicesReply::hasSynced);
      slices(a).apply(apply("1", SLICE));
      var added = watching.await("it", WatchEndpointSlicesReply::hasAdded).getAdded();
      assertThat(added.getUnused()).isEqualTo("there is no Service default/db");
      replicas.store(DB);
      watching.await("used", m -> m.hasModified() && m.getModified().getUnused().isEmpty());
      replicas.store(TestObjects.service("db", "10.96.0.1"));
      watching.await(
          "unused",
          m ->
              m.hasModified()
                  && m.getModified().getUnused().equals("Service default/db has a selector"));
      slices(a).delete(delete("2", "db-1"));
      watching.await("gone", WatchEndpointSlicesReply::hasDeleted);
    }
  }
}
