package io.fairlead.allocator.grpc;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.ReservationCodec;
import io.fairlead.core.decide.Refusal;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceCommand.Authority;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.run.Time;
import io.fairlead.decider.Answer;
import io.fairlead.decider.grpc.Reads;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.HeldReservation;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetReservationRequest;
import io.fairlead.v1.ListReservationsReply;
import io.fairlead.v1.ListReservationsRequest;
import io.fairlead.v1.ReleaseReservationReply;
import io.fairlead.v1.ReleaseReservationRequest;
import io.fairlead.v1.RenewReservationRequest;
import io.fairlead.v1.ReservationReply;
import io.fairlead.v1.ReservationsGrpc;
import io.fairlead.v1.ReservationsGrpc.ReservationsImplBase;
import io.fairlead.v1.ReserveRequest;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Addresses that are held for Services. What is decided goes to the owner of the Services; that a
 * reservation lives, and until when, is asked of etcd by whichever replica is asked. Blocks its
 * thread, a virtual one; what it throws becomes the status.
 */
final class ReservationsService extends ReservationsImplBase {
  /** Longer than any token that is made; what is hashed for strangers is bounded. */
  private static final int LONGEST_TOKEN = 1024;

  private final Changes changes;
  private final Reads reads;
  private final Supplier<ClusterImage> decided;
  private final Coordination coordination;
  private final Time time;

  /**
   * @param decided what the deciders here answer from: never behind an answer that they gave
   */
  ReservationsService(
      Changes changes,
      Reads reads,
      Supplier<ClusterImage> decided,
      Coordination coordination,
      Time time) {
    this.changes = changes;
    this.reads = reads;
    this.decided = decided;
    this.coordination = coordination;
    this.time = time;
  }

  @Override
  public void reserve(ReserveRequest request, StreamObserver<ReservationReply> replies) {
    var command = new ServiceCommand.Reserve(ReservationCodec.draft(request));
    changes.answer(ReservationsGrpc.getReserveMethod(), request, command, this::reserved, replies);
  }

  private ReservationReply reserved(Answer.Decided<ServiceOutcome> answer) {
    return switch (answer.reply()) {
      case ServiceOutcome.Reserved(var reservation, var version) ->
          ReservationReply.newBuilder()
              .setReservation(
                  ReservationCodec.proto(
                      reservation,
                      version,
                      reservation.created().plus(reservation.ttl()),
                      decided.get()))
              .setPosition(PositionCodec.proto(answer.position()))
              .build();
      case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case ServiceOutcome.FeatureLevelRaised _,
          ServiceOutcome.Stored _,
          ServiceOutcome.Deleted _,
          ServiceOutcome.NamespaceStored _,
          ServiceOutcome.NamespaceDeleted _,
          ServiceOutcome.CidrStored _,
          ServiceOutcome.CidrTerminating _,
          ServiceOutcome.CidrDeleted _,
          ServiceOutcome.ReservationEnded _ ->
          throw new IllegalStateException("no reply to this request: " + answer.reply());
    };
  }

  /** Needs etcd only: while Kafka is away nobody loses what is reserved. */
  @Override
  public void renew(RenewReservationRequest request, StreamObserver<ReservationReply> replies) {
    checkToken(request.getToken());
    var held = held(request.getId());
    if (!hasToken(held, request.getToken())) {
      throw Errors.refused(new Refusal.WrongToken(held.reservation().key()));
    }
    var snapshot = reads.at(Freshness.LOCAL); // first: what was renewed must not be refused
    var left = coordination.renew(held).orElseThrow(() -> notFound(request.getId()));
    replies.onNext(reply(held.reservation(), left, snapshot));
    replies.onCompleted();
  }

  @Override
  public void release(
      ReleaseReservationRequest request, StreamObserver<ReleaseReservationReply> replies) {
    checkToken(request.getToken());
    if (request.getForce() && !request.getToken().isEmpty()) {
      throw Errors.invalid("force", Reason.INVALID, "not together with a token");
    }
    var command = new ServiceCommand.Release(request.getId(), authority(request));
    changes.answer(
        ReservationsGrpc.getReleaseMethod(),
        request,
        command,
        ReservationsService::released,
        replies);
  }

  /** Asked also where it does not matter: without etcd nothing is released. */
  private Authority authority(ReleaseReservationRequest request) {
    var held = id(request.getId()).flatMap(coordination::reservation);
    if (request.getForce()) {
      return Authority.FORCE;
    }
    return held.isEmpty() || hasToken(held.get(), request.getToken())
        ? Authority.TOKEN
        : Authority.NONE;
  }

  private static ReleaseReservationReply released(Answer.Decided<ServiceOutcome> answer) {
    return switch (answer.reply()) {
      case ServiceOutcome.ReservationEnded _ ->
          ReleaseReservationReply.newBuilder()
              .setPosition(PositionCodec.proto(answer.position()))
              .build();
      case ServiceOutcome.Refused(var refusal) -> throw Errors.refused(refusal);
      case ServiceOutcome.FeatureLevelRaised _,
          ServiceOutcome.Stored _,
          ServiceOutcome.Deleted _,
          ServiceOutcome.NamespaceStored _,
          ServiceOutcome.NamespaceDeleted _,
          ServiceOutcome.CidrStored _,
          ServiceOutcome.CidrTerminating _,
          ServiceOutcome.CidrDeleted _,
          ServiceOutcome.Reserved _ ->
          throw new IllegalStateException("no reply to this request: " + answer.reply());
    };
  }

  @Override
  public void get(GetReservationRequest request, StreamObserver<ReservationReply> replies) {
    var id = id(request.getId()).orElseThrow(() -> notFound(request.getId()));
    // before etcd is asked: what the image knows was in etcd before
    var known = reads.at(Freshness.LATEST).image().reservations().get(id.toString());
    var held =
        known
            .flatMap(_ -> coordination.reservation(id))
            .orElseThrow(() -> notFound(request.getId()));
    var left =
        Optional.ofNullable(coordination.timeLeft(List.of(held)).get(id))
            .orElseThrow(() -> notFound(request.getId()));
    replies.onNext(reply(held.reservation(), left, reads.at(Freshness.LOCAL)));
    replies.onCompleted();
  }

  private ReservationReply reply(Reservation reservation, Duration left, Snapshot snapshot) {
    return ReservationReply.newBuilder()
        .setReservation(ReservationCodec.proto(reservation, expires(left), snapshot.image()))
        .setPosition(PositionCodec.proto(snapshot.position()))
        .build();
  }

  private Instant expires(Duration left) {
    return time.now().plus(left);
  }

  @Override
  public void list(ListReservationsRequest request, StreamObserver<ListReservationsReply> replies) {
    var snapshot = reads.at(Freshness.LATEST); // before etcd is asked, as in get
    var image = snapshot.image();
    var held =
        coordination.reservations().values().stream()
            .filter(one -> image.reservations().get(one.reservation().key().name()).isPresent())
            .filter(one ->
                request.getNamespace().isEmpty()
                    || one.reservation().holder().namespace().equals(request.getNamespace()))
            .sorted(
                Comparator.comparing((HeldReservation one) -> one.reservation().holder())
                    .thenComparing(one -> one.reservation().created())
                    .thenComparing(one -> one.reservation().uid()))
            .toList();
    var left = coordination.timeLeft(held);
    var reply =
        ListReservationsReply.newBuilder().setPosition(PositionCodec.proto(snapshot.position()));
    for (var one : held) {
      Optional.ofNullable(left.get(one.reservation().uid()))
          .ifPresent(rest ->
              reply.addItems(ReservationCodec.proto(one.reservation(), expires(rest), image)));
    }
    replies.onNext(reply.build());
    replies.onCompleted();
  }

  private HeldReservation held(String id) {
    return id(id).flatMap(coordination::reservation).orElseThrow(() -> notFound(id));
  }

  /** Empty = not the id of any reservation. */
  private static Optional<UUID> id(String text) {
    try {
      return Optional.of(UUID.fromString(text)).filter(id -> id.toString().equals(text));
    } catch (IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private static RuntimeException notFound(String id) {
    if (id.isEmpty()) {
      return Errors.invalid("id", Reason.REQUIRED, "name a reservation");
    }
    return Errors.refused(new Refusal.NotFound(ObjectKey.ofCluster(Kind.RESERVATION, id)));
  }

  private static void checkToken(String token) {
    if (token.length() > LONGEST_TOKEN) {
      throw Errors.invalid(
          "token",
          Reason.TOO_LONG,
          "has %d characters, must have at most %d".formatted(token.length(), LONGEST_TOKEN));
    }
  }

  private static boolean hasToken(HeldReservation held, String token) {
    try {
      var hash =
          MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
      return MessageDigest.isEqual(
          HexFormat.of().formatHex(hash).getBytes(StandardCharsets.US_ASCII),
          held.tokenHash().getBytes(StandardCharsets.US_ASCII));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
