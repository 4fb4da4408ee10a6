package io.fairlead.testbed.cluster;

import io.fairlead.api.manifest.ManifestObject;
import io.fairlead.api.manifest.Manifests;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.v1.ApplyEndpointSliceRequest;
import io.fairlead.v1.ApplyServiceRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.EndpointSlicesGrpc;
import io.fairlead.v1.GetPodRequest;
import io.fairlead.v1.ListPodsRequest;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServicesGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * A client of a cluster, as a user's program is one: several addresses, deadlines, request ids,
 * retries. Thread-safe.
 */
public final class Api implements AutoCloseable {
  private static final Duration CALL = Duration.ofSeconds(5);
  private static final Duration GIVE_UP = Duration.ofSeconds(60);

  private final ManagedChannel allocator;
  private final ManagedChannel endpoints;

  public Api(Cluster cluster) {
    this.allocator = GrpcChannels.of(cluster.allocatorAddresses(), GrpcChannels.Spread.ROUND_ROBIN);
    this.endpoints =
        GrpcChannels.of(cluster.endpointsServiceAddresses(), GrpcChannels.Spread.ROUND_ROBIN);
  }

  public ServicesGrpc.ServicesBlockingStub services() {
    return ServicesGrpc.newBlockingStub(allocator)
        .withDeadlineAfter(CALL.toMillis(), TimeUnit.MILLISECONDS);
  }

  public PodsGrpc.PodsBlockingStub pods() {
    return PodsGrpc.newBlockingStub(endpoints)
        .withDeadlineAfter(CALL.toMillis(), TimeUnit.MILLISECONDS);
  }

  public EndpointSlicesGrpc.EndpointSlicesBlockingStub slices() {
    return EndpointSlicesGrpc.newBlockingStub(endpoints)
        .withDeadlineAfter(CALL.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** The Services of a manifest. */
  public static List<Service> parse(String manifest) {
    var read = Manifests.read("manifest", manifest);
    if (!read.faults().isEmpty()) {
      throw new IllegalArgumentException(read.faults().toString());
    }
    return read.items().stream()
        .map(Manifests.Item::object)
        .filter(ManifestObject.OfService.class::isInstance)
        .map(o -> ((ManifestObject.OfService) o).service())
        .toList();
  }

  /** Creates what a manifest says; one try each. */
  public List<ServiceReply> create(String manifest) {
    return parse(manifest).stream()
        .map(service ->
            services()
                .create(
                    CreateServiceRequest.newBuilder()
                        .setRequestId(UUID.randomUUID().toString())
                        .setService(service)
                        .build()))
        .toList();
  }

  /** Applies what a manifest says. */
  public List<ServiceReply> apply(String manifest) {
    return parse(manifest).stream()
        .map(service ->
            services()
                .apply(
                    ApplyServiceRequest.newBuilder()
                        .setRequestId(UUID.randomUUID().toString())
                        .setService(service)
                        .build()))
        .toList();
  }

  /** Applies the EndpointSlices of a manifest. */
  public void applySlices(String manifest) {
    for (var item : Manifests.read("manifest", manifest).items()) {
      if (item.object() instanceof ManifestObject.OfEndpointSlice(var slice)) {
        var _ =
            slices()
                .apply(
                    ApplyEndpointSliceRequest.newBuilder()
                        .setRequestId(UUID.randomUUID().toString())
                        .setEndpointSlice(slice)
                        .build());
      }
    }
  }

  /** Creates a Service, trying again with the same request id while nobody can answer. */
  public ServiceReply createUntilAnswered(Service service) throws InterruptedException {
    var request =
        CreateServiceRequest.newBuilder()
            .setRequestId(UUID.randomUUID().toString())
            .setService(service)
            .build();
    long giveUp = System.nanoTime() + GIVE_UP.toNanos();
    while (true) {
      try {
        return services().create(request);
      } catch (StatusRuntimeException e) {
        if (!isTransient(e.getStatus()) || System.nanoTime() > giveUp) {
          throw e;
        }
        Thread.sleep(50); // as a client does: not at once again
      }
    }
  }

  private static boolean isTransient(Status status) {
    return switch (status.getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED -> true;
      default -> false;
    };
  }

  public List<Service> listServices() {
    return services().list(ListServicesRequest.getDefaultInstance()).getItemsList();
  }

  public Pod pod(String namespace, String name) {
    return pods()
        .get(GetPodRequest.newBuilder().setNamespace(namespace).setName(name).build())
        .getPod();
  }

  /** How many Pods of a namespace with that label selector are ready. */
  public long readyPods(String namespace, String selector) {
    return pods()
        .list(
            ListPodsRequest.newBuilder().setNamespace(namespace).setLabelSelector(selector).build())
        .getItemsList()
        .stream()
        .filter(p -> p.getStatus().getReady())
        .count();
  }

  @Override
  public void close() {
    allocator.shutdownNow();
    endpoints.shutdownNow();
  }
}
