package io.fairlead.eventlog.codec;

import static io.fairlead.eventlog.codec.Fields.optional;

import com.google.protobuf.ByteString;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.Envelope.RequestStamp;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;
import java.util.UUID;

/** The envelope as a message. */
final class EnvelopeFields {
  private static final int HASH_BYTES = 32;

  private EnvelopeFields() {}

  /**
   * @throws IllegalArgumentException for a request hash that is not 64 hexadecimal digits
   */
  static io.fairlead.log.v1.Envelope write(Envelope envelope) {
    var id = ByteBuffer.allocate(16);
    id.putLong(envelope.eventId().getMostSignificantBits());
    id.putLong(envelope.eventId().getLeastSignificantBits());
    var message =
        io.fairlead.log.v1.Envelope.newBuilder()
            .setEventId(ByteString.copyFrom(id.flip()))
            .setAccepted(Fields.write(envelope.accepted()))
            .setActor(envelope.actor());
    envelope.request().ifPresent(stamp -> write(stamp, message));
    envelope.cause().ifPresent(message::setCause);
    envelope.traceparent().ifPresent(message::setTraceparent);
    return message.build();
  }

  private static void write(RequestStamp stamp, io.fairlead.log.v1.Envelope.Builder message) {
    byte[] hash = HexFormat.of().parseHex(stamp.payloadHash());
    if (stamp.id().isEmpty() || hash.length != HASH_BYTES) {
      throw new IllegalArgumentException(
          "request '%s' with a hash of %d bytes".formatted(stamp.id(), hash.length));
    }
    message.setRequestId(stamp.id()).setRequestHash(ByteString.copyFrom(hash));
  }

  static Envelope read(io.fairlead.log.v1.Envelope message) {
    if (message.getEventId().size() != 16) {
      throw Fields.bad("envelope.event_id", message.getEventId().size() + " bytes are no UUID");
    }
    if (!message.hasAccepted()) {
      throw Fields.bad("envelope.accepted", "missing");
    }
    var id = message.getEventId().asReadOnlyByteBuffer();
    return new Envelope(
        new UUID(id.getLong(), id.getLong()),
        Fields.instant("envelope.accepted", message.getAccepted()),
        message.getActor(),
        stamp(message),
        optional(message.getCause()),
        optional(message.getTraceparent()));
  }

  private static Optional<RequestStamp> stamp(io.fairlead.log.v1.Envelope message) {
    int size = message.getRequestHash().size();
    if (message.getRequestId().isEmpty() && size == 0) {
      return Optional.empty();
    }
    if (message.getRequestId().isEmpty() || size != HASH_BYTES) {
      throw Fields.bad(
          "envelope.request_hash",
          size + " bytes beside request id '" + message.getRequestId() + "'");
    }
    return Optional.of(
        new RequestStamp(
            message.getRequestId(),
            HexFormat.of().formatHex(message.getRequestHash().toByteArray())));
  }
}
