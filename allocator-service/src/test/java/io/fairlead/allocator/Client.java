package io.fairlead.allocator;

import com.google.protobuf.ByteString;
import io.fairlead.api.ErrorReport;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.ApplyServiceRequest;
import io.fairlead.v1.CreateServiceRequest;
import io.fairlead.v1.DeleteServiceRequest;
import io.fairlead.v1.FeatureLevelsGrpc;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetServiceRequest;
import io.fairlead.v1.ListReservationsRequest;
import io.fairlead.v1.ListServicesReply;
import io.fairlead.v1.ListServicesRequest;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogStatusReply;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.NamespacesGrpc;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.ReleaseReservationReply;
import io.fairlead.v1.ReleaseReservationRequest;
import io.fairlead.v1.RenewReservationRequest;
import io.fairlead.v1.Reservation;
import io.fairlead.v1.ReservationReply;
import io.fairlead.v1.ReservationsGrpc;
import io.fairlead.v1.ReserveRequest;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceCidrsGrpc;
import io.fairlead.v1.ServicePort;
import io.fairlead.v1.ServiceReply;
import io.fairlead.v1.ServiceSpec;
import io.fairlead.v1.ServicesGrpc;
import io.fairlead.v1.WatchServicesReply;
import io.fairlead.v1.WatchServicesRequest;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** A user of one replica, over the network. */
final class Client implements AutoCloseable {
  private static final Metadata.Key<String> ACTOR =
      Metadata.Key.of("fairlead-actor", Metadata.ASCII_STRING_MARSHALLER);

  private final ManagedChannel channel;

  Client(int port) {
    channel = GrpcChannels.of(List.of(new HostPort("127.0.0.1", port)));
  }

  ServicesGrpc.ServicesBlockingStub services() {
    var headers = new Metadata();
    headers.put(ACTOR, "user:alice");
    return ServicesGrpc.newBlockingStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  NamespacesGrpc.NamespacesBlockingStub namespaces() {
    return NamespacesGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  FeatureLevelsGrpc.FeatureLevelsBlockingStub featureLevels() {
    return FeatureLevelsGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  ServiceCidrsGrpc.ServiceCidrsBlockingStub serviceCidrs() {
    return ServiceCidrsGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  ReservationsGrpc.ReservationsBlockingStub reservations() {
    return ReservationsGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  static final String TOKEN = "open sesame";

  /** Of addresses for a Service of namespace shop. */
  static ReserveRequest reserve(String id, String holder, Duration ttl, String... addresses) {
    return ReserveRequest.newBuilder()
        .setRequestId(id)
        .setHolderNamespace("shop")
        .setHolderName(holder)
        .addAllAddresses(List.of(addresses))
        .setTtl(com.google.protobuf.Duration.newBuilder().setSeconds(ttl.toSeconds()))
        .setTokenHash(ByteString.copyFrom(sha256(TOKEN)))
        .build();
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** For a minute. */
  Reservation reserve(String holder, String... addresses) {
    return reservations()
        .reserve(reserve("reserve-" + UUID.randomUUID(), holder, Duration.ofMinutes(1), addresses))
        .getReservation();
  }

  ReservationReply renew(String reservation, String token) {
    return reservations()
        .renew(RenewReservationRequest.newBuilder().setId(reservation).setToken(token).build());
  }

  ReleaseReservationReply release(String reservation, String token) {
    return reservations()
        .release(
            ReleaseReservationRequest.newBuilder()
                .setRequestId("release-" + UUID.randomUUID())
                .setId(reservation)
                .setToken(token)
                .build());
  }

  List<Reservation> listReservations(String namespace) {
    return reservations()
        .list(ListReservationsRequest.newBuilder().setNamespace(namespace).build())
        .getItemsList();
  }

  Iterator<WatchServicesReply> watch(WatchServicesRequest request) {
    return ServicesGrpc.newBlockingStub(channel)
        .withDeadlineAfter(60, TimeUnit.SECONDS)
        .watch(request);
  }

  LogStatusReply status(LogStatusRequest request) {
    return LogGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS).status(request);
  }

  /** A Service of one port 80 in namespace shop. */
  static Service service(String name, String clusterIp) {
    return Service.newBuilder()
        .setMetadata(ObjectMeta.newBuilder().setNamespace("shop").setName(name))
        .setSpec(
            ServiceSpec.newBuilder()
                .setClusterIp(clusterIp)
                .putSelector("app", "web")
                .addPorts(ServicePort.newBuilder().setPort(80)))
        .build();
  }

  ServiceReply create(String id, Service service) {
    return services()
        .create(CreateServiceRequest.newBuilder().setRequestId(id).setService(service).build());
  }

  ServiceReply apply(String id, Service service) {
    return services()
        .apply(ApplyServiceRequest.newBuilder().setRequestId(id).setService(service).build());
  }

  ServiceReply delete(String id, String name) {
    return services()
        .delete(
            DeleteServiceRequest.newBuilder()
                .setRequestId(id)
                .setNamespace("shop")
                .setName(name)
                .build());
  }

  Service get(String name, Freshness freshness) {
    return services()
        .get(
            GetServiceRequest.newBuilder()
                .setNamespace("shop")
                .setName(name)
                .setFreshness(freshness)
                .build())
        .getService();
  }

  ListServicesReply list(String namespace, String selector, Freshness freshness) {
    return services()
        .list(
            ListServicesRequest.newBuilder()
                .setNamespace(namespace)
                .setLabelSelector(selector)
                .setFreshness(freshness)
                .build());
  }

  /** How a call fails. */
  static ErrorReport failure(Supplier<?> call) {
    try {
      throw new AssertionError("did not fail: " + call.get());
    } catch (StatusRuntimeException e) {
      return ErrorReport.of(e);
    }
  }

  @Override
  public void close() {
    GrpcChannels.close(channel, Duration.ofSeconds(1));
  }
}
