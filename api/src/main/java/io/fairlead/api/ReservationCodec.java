package io.fairlead.api;

import io.fairlead.core.decide.ReservationDraft;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Reservation;
import io.fairlead.v1.ReserveRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Reservations: what users ask for, as drafts; what is held, with what an image says of its use.
 */
public final class ReservationCodec {
  /** What a Duration message may hold at most; beyond it no arithmetic is safe. */
  private static final long MOST_SECONDS = 315_576_000_000L;

  private ReservationCodec() {}

  /**
   * What was asked for, unchecked.
   *
   * @throws io.grpc.StatusRuntimeException INVALID where the ttl is no duration at all
   */
  public static ReservationDraft draft(ReserveRequest request) {
    return new ReservationDraft(
        request.getHolderNamespace(),
        request.getHolderName(),
        request.getAddressesList(),
        request.hasAnyStatic()
            ? Optional.of(
                new ReservationDraft.AnyStatic(
                    request.getAnyStatic().getCount(), request.getAnyStatic().getIpFamily()))
            : Optional.empty(),
        request.hasTtl() ? Optional.of(duration(request.getTtl())) : Optional.empty(),
        HexFormat.of().formatHex(request.getTokenHash().toByteArray()));
  }

  private static Duration duration(com.google.protobuf.Duration proto) {
    if (Math.abs(proto.getSeconds()) > MOST_SECONDS) {
      throw Errors.invalid("ttl", Reason.INVALID, "is not a duration");
    }
    return Duration.ofSeconds(proto.getSeconds(), proto.getNanos());
  }

  /**
   * As it is held.
   *
   * @param expires when it ends unless it is renewed
   * @param image whose Services count as users
   */
  public static io.fairlead.v1.Reservation proto(
      Reservation reservation, Instant expires, ClusterImage image) {
    return proto(
        reservation,
        image.reservations().get(reservation.uid().toString()).stream()
            .filter(found -> !found.isPending())
            .mapToLong(Versioned::offset)
            .findFirst(),
        expires,
        image);
  }

  /**
   * @param version offset of its record; empty where it is not known here yet
   */
  public static io.fairlead.v1.Reservation proto(
      Reservation reservation, OptionalLong version, Instant expires, ClusterImage image) {
    var proto = io.fairlead.v1.Reservation.newBuilder();
    proto
        .getMetadataBuilder()
        .setName(reservation.uid().toString())
        .setUid(reservation.uid().toString())
        .setCreationTimestamp(Timestamps.proto(reservation.created()));
    version.ifPresent(offset -> proto.getMetadataBuilder().setResourceVersion(offset + ""));
    proto
        .getSpecBuilder()
        .setHolderNamespace(reservation.holder().namespace())
        .setHolderName(reservation.holder().name())
        .addAllAddresses(reservation.addresses().stream().map(Address::toString).toList())
        .setTtl(
            com.google.protobuf.Duration.newBuilder()
                .setSeconds(reservation.ttl().toSeconds())
                .setNanos(reservation.ttl().toNanosPart()));
    var status = proto.getStatusBuilder().setExpires(Timestamps.proto(expires));
    reservation.addresses().stream()
        .filter(address ->
            image.services().holder(address).filter(reservation.holder()::equals).isPresent())
        .map(Address::toString)
        .forEach(status::addTaken);
    return proto.build();
  }
}
