package io.fairlead.eventlog.codec;

import com.google.protobuf.InvalidProtocolBufferException;
import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Manifests;
import io.fairlead.core.model.Acknowledgement.Member;
import io.fairlead.core.model.Acknowledgement.Refused;
import io.fairlead.core.model.Acknowledgement.Role;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import io.fairlead.log.v1.RefusedFrontend;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Acknowledgements as records of their topic. */
public final class AckCodec {
  private AckCodec() {}

  /** By which compaction keeps the last word. */
  public static byte[] key(Member member) {
    return member.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** What the record holds. */
  public static byte[] value(Acknowledgement ack) {
    var record =
        io.fairlead.log.v1.Acknowledgement.newBuilder()
            .setRole(ack.member().role().text())
            .setName(ack.member().name())
            .setSession(ack.session())
            .setSequence(ack.sequence())
            .setError(ack.error())
            .setTtl(Fields.write(ack.ttl()))
            .setFeatureLevel(ack.featureLevel())
            .setRefusedManifests(ack.manifests().refused())
            .setManifestError(ack.manifests().error());
    ack.position()
        .ifPresent(position ->
            record
                .setAcknowledged(true)
                .setLog(position.log().toString())
                .setOffsets(position.offsets()));
    for (var refused : ack.refused()) {
      record.addRefused(
          RefusedFrontend.newBuilder().setFrontend(refused.frontend()).setReason(refused.reason()));
    }
    return record.build().toByteArray();
  }

  /** Empty = not a record that this version writes; nobody depends on it. */
  public static Optional<Acknowledgement> decode(byte @Nullable [] value) {
    if (value == null) {
      return Optional.empty();
    }
    try {
      var record = io.fairlead.log.v1.Acknowledgement.parseFrom(value);
      var role = Stream.of(Role.values()).filter(r -> r.text().equals(record.getRole())).findAny();
      Optional<Position> position =
          record.getAcknowledged()
              ? LogIdentity.parse(record.getLog())
                  .flatMap(log -> Position.parse(log, record.getOffsets()))
              : Optional.empty();
      if (role.isEmpty() || position.isPresent() != record.getAcknowledged()) {
        return Optional.empty();
      }
      return Optional.of(
          new Acknowledgement(
              new Member(role.get(), record.getName()),
              record.getSession(),
              record.getSequence(),
              position,
              record.getError(),
              record.getRefusedList().stream()
                  .map(refused -> new Refused(refused.getFrontend(), refused.getReason()))
                  .toList(),
              Fields.duration("ttl", record.getTtl()),
              Math.max(FeatureLevel.FIRST, record.getFeatureLevel()),
              new Manifests(record.getRefusedManifests(), record.getManifestError())));
    } catch (InvalidProtocolBufferException | UnreadableRecordException _) {
      return Optional.empty();
    }
  }
}
