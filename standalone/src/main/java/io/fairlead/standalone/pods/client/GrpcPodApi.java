package io.fairlead.standalone.pods.client;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.PodCodec;
import io.fairlead.api.ServiceCodec;
import io.fairlead.core.decide.ServicesDecider;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Service;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.RandomSource;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.standalone.pods.run.KnownPod;
import io.fairlead.standalone.pods.run.PodApi;
import io.fairlead.standalone.pods.run.PodReport;
import io.fairlead.v1.DeletePodRequest;
import io.fairlead.v1.GetServiceRequest;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.PodsGrpc;
import io.fairlead.v1.ServicesGrpc;
import io.fairlead.v1.UpdatePodStatusRequest;
import io.fairlead.v1.WatchPodsReply;
import io.fairlead.v1.WatchPodsRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The control plane over gRPC. Any thread. */
public final class GrpcPodApi implements PodApi, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GrpcPodApi.class);
  private static final Duration LIMIT = Duration.ofSeconds(5);

  private final ManagedChannel allocator;
  private final ManagedChannel endpoints;
  private final RandomSource random;

  /** Pods that were said to be passed over, so that they are not said again. */
  private final Set<String> notUnderstood = ConcurrentHashMap.newKeySet();

  private GrpcPodApi(ManagedChannel allocator, ManagedChannel endpoints, RandomSource random) {
    this.allocator = allocator;
    this.endpoints = endpoints;
    this.random = random;
  }

  /** Connects when it is first used. */
  public static GrpcPodApi of(
      List<HostPort> allocator, List<HostPort> endpoints, RandomSource random) {
    return new GrpcPodApi(GrpcChannels.of(allocator), GrpcChannels.of(endpoints), random);
  }

  @Override
  public void watch(Consumer<Event> events) {
    try {
      var stream = PodsGrpc.newBlockingStub(endpoints).watch(WatchPodsRequest.getDefaultInstance());
      while (stream.hasNext()) {
        tell(stream.next(), events);
      }
    } catch (StatusRuntimeException e) {
      throw trouble("watch Pods", e);
    }
    throw new GatewayException(
        GatewayException.Outcome.KNOWN_FAILED, "the server ended the watch of Pods");
  }

  private void tell(WatchPodsReply reply, Consumer<Event> events) {
    switch (reply.getEventCase()) {
      case ADDED -> read(reply.getAdded(), GrpcPodApi::present).ifPresent(events);
      case MODIFIED -> read(reply.getModified(), GrpcPodApi::present).ifPresent(events);
      case DELETED ->
          read(reply.getDeleted(), pod -> new Gone(UUID.fromString(pod.getMetadata().getUid())))
              .ifPresent(events);
      case SYNCED -> events.accept(new Synced());
      case BOOKMARK, EVENT_NOT_SET -> {
        // nothing of a Pod; not set: of a newer server
      }
    }
  }

  private static Event present(io.fairlead.v1.Pod proto) {
    var told = proto.getStatus().getContainerStatusesList().stream().map(Statuses::read).toList();
    return new Present(new KnownPod(PodCodec.model(proto), told));
  }

  /**
   * What is told of a Pod; empty where it cannot be understood, such as one of a newer server: it
   * is passed over, and said once, so that the others go on.
   */
  private Optional<Event> read(
      io.fairlead.v1.Pod proto, Function<io.fairlead.v1.Pod, Event> event) {
    var meta = proto.getMetadata();
    var key = meta.getNamespace() + "/" + meta.getName() + " " + meta.getUid();
    try {
      var read = event.apply(proto);
      notUnderstood.remove(key);
      return Optional.of(read);
    } catch (RuntimeException e) {
      if (notUnderstood.add(key)) {
        LOG.atWarn()
            .setCause(e)
            .addKeyValue("object", "Pod/" + meta.getNamespace() + "/" + meta.getName())
            .log("A Pod cannot be understood and is passed over");
      }
      return Optional.empty();
    }
  }

  @Override
  public Answer report(Pod pod, PodReport report) {
    var request =
        UpdatePodStatusRequest.newBuilder()
            .setRequestId(random.uuid().toString())
            .setNamespace(pod.meta().namespace())
            .setName(pod.meta().name())
            .setUid(pod.uid().toString())
            .setNodeName(report.node())
            .setStatus(Statuses.write(report))
            .build();
    return answer(
        pod,
        "tell a Pod's status",
        () -> PodsGrpc.newBlockingStub(endpoints).withDeadlineAfter(LIMIT).updateStatus(request));
  }

  @Override
  public Answer delete(Pod pod) {
    var request =
        DeletePodRequest.newBuilder()
            .setRequestId(random.uuid().toString())
            .setNamespace(pod.meta().namespace())
            .setName(pod.meta().name())
            .setUid(pod.uid().toString())
            .setGracePeriodSeconds(0)
            .build();
    return answer(
        pod,
        "delete a Pod",
        () -> PodsGrpc.newBlockingStub(endpoints).withDeadlineAfter(LIMIT).delete(request));
  }

  @Override
  public List<Service> services(String namespace) {
    return calling(
        "list Services",
        () -> {
          var stub = ServicesGrpc.newBlockingStub(allocator).withDeadlineAfter(LIMIT);
          var services =
              new ArrayList<>(
                  stub.list(ListServicesRequest.newBuilder().setNamespace(namespace).build())
                      .getItemsList());
          var own = ServicesDecider.CONTROL_PLANE;
          if (!own.namespace().equals(namespace)) {
            try {
              services.add(
                  stub.get(
                          GetServiceRequest.newBuilder()
                              .setNamespace(own.namespace())
                              .setName(own.name())
                              .build())
                      .getService());
            } catch (StatusRuntimeException e) {
              if (e.getStatus().getCode() != Code.NOT_FOUND) {
                throw e;
              }
            }
          }
          return services.stream().map(ServiceCodec::model).toList();
        });
  }

  private static Answer answer(Pod pod, String what, Supplier<?> call) {
    try {
      var _ = calling(what, call);
      return Answer.DONE;
    } catch (StatusRuntimeException e) {
      return switch (e.getStatus().getCode()) {
        case NOT_FOUND, ABORTED -> Answer.GONE;
        default -> {
          LOG.atWarn()
              .addKeyValue("object", "Pod/" + pod.name())
              .addKeyValue("what", what)
              .addKeyValue("cause", ErrorReport.of(e).words())
              .log("The API refuses what a Pod's runner says");
          yield Answer.REFUSED;
        }
      };
    }
  }

  /** Turns what may be otherwise another time into a GatewayException; a refusal stays as it is. */
  private static <T> T calling(String what, Supplier<T> call) {
    try {
      return call.get();
    } catch (StatusRuntimeException e) {
      switch (e.getStatus().getCode()) {
        case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, RESOURCE_EXHAUSTED, INTERNAL, UNKNOWN ->
            throw trouble(what, e);
        default -> throw e;
      }
    }
  }

  private static GatewayException trouble(String what, StatusRuntimeException e) {
    return new GatewayException(
        GatewayException.Outcome.UNKNOWN, "cannot " + what + ": " + ErrorReport.of(e).message(), e);
  }

  /** Ends every call; a watch fails. */
  @Override
  public void close() {
    GrpcChannels.close(allocator, Duration.ZERO);
    GrpcChannels.close(endpoints, Duration.ZERO);
  }
}
