package io.fairlead.cli;

import io.fairlead.api.Errors;
import io.fairlead.api.ReservationCodec;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceCommand.Authority;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.Reservation;
import io.fairlead.v1.GetReservationRequest;
import io.fairlead.v1.ListReservationsReply;
import io.fairlead.v1.ListReservationsRequest;
import io.fairlead.v1.ReleaseReservationReply;
import io.fairlead.v1.ReleaseReservationRequest;
import io.fairlead.v1.RenewReservationRequest;
import io.fairlead.v1.ReservationReply;
import io.fairlead.v1.ReservationsGrpc.ReservationsImplBase;
import io.fairlead.v1.ReserveRequest;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** Reservations by the image of a {@link LocalControlPlane}; their tokens are beside it. */
final class LocalReservations extends ReservationsImplBase {
  private final LocalControlPlane plane;
  private final Map<String, String> hashes = new HashMap<>();
  final AtomicInteger renewals = new AtomicInteger();

  LocalReservations(LocalControlPlane plane) {
    this.plane = plane;
  }

  private ReservationReply reply(Reservation reservation) {
    return ReservationReply.newBuilder()
        .setReservation(
            ReservationCodec.proto(
                reservation, reservation.created().plus(reservation.ttl()), plane.image()))
        .build();
  }

  private Reservation found(String id) {
    return plane
        .image()
        .reservations()
        .get(id)
        .orElseThrow(
            () -> Errors.refused(new Refusal.NotFound(ObjectKey.ofCluster(Kind.RESERVATION, id))))
        .object();
  }

  private boolean hasToken(String id, String token) {
    try {
      var hash =
          MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash).equals(hashes.get(id));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  /** Ends one as its ttl does. */
  void expire(String id) {
    plane.decide(new ServiceCommand.EndReservation(found(id).uid()));
  }

  @Override
  public void reserve(ReserveRequest request, StreamObserver<ReservationReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () -> {
          var draft = ReservationCodec.draft(request);
          return switch (plane.decide(new ServiceCommand.Reserve(draft))) {
            case ServiceOutcome.Reserved(var reservation, _) -> {
              hashes.put(reservation.uid().toString(), draft.tokenHash());
              yield reply(reservation);
            }
            case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
            case ServiceOutcome other -> throw new IllegalStateException("not that: " + other);
          };
        });
  }

  @Override
  public void renew(RenewReservationRequest request, StreamObserver<ReservationReply> observer) {
    plane.answer(
        observer,
        "",
        () -> {
          var reservation = found(request.getId());
          if (!hasToken(request.getId(), request.getToken())) {
            throw Errors.refused(new Refusal.WrongToken(reservation.key()));
          }
          plane.advance(Duration.ZERO);
          renewals.incrementAndGet();
          return reply(reservation);
        });
  }

  @Override
  public void release(
      ReleaseReservationRequest request, StreamObserver<ReleaseReservationReply> observer) {
    plane.answer(
        observer,
        request.getRequestId(),
        () -> {
          var authority =
              request.getForce()
                  ? Authority.FORCE
                  : hasToken(request.getId(), request.getToken())
                      ? Authority.TOKEN
                      : Authority.NONE;
          var outcome = plane.decide(new ServiceCommand.Release(request.getId(), authority));
          if (outcome instanceof ServiceOutcome.Refused(var refusal)) {
            throw Errors.refused(refusal);
          }
          return ReleaseReservationReply.getDefaultInstance();
        });
  }

  @Override
  public void get(GetReservationRequest request, StreamObserver<ReservationReply> observer) {
    plane.answer(observer, "", () -> reply(found(request.getId())));
  }

  @Override
  public void list(
      ListReservationsRequest request, StreamObserver<ListReservationsReply> observer) {
    plane.answer(
        observer,
        "",
        () ->
            ListReservationsReply.newBuilder()
                .addAllItems(new ReservationResource().of(plane.image()))
                .build());
  }
}
