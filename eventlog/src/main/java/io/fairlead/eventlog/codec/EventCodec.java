package io.fairlead.eventlog.codec;

import com.google.protobuf.InvalidProtocolBufferException;
import io.fairlead.core.image.Digest;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEvent;
import io.fairlead.eventlog.codec.CloudEventHeaders.Change;
import io.fairlead.log.v1.Record;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Events of the log as Kafka records and back. Key: the object's key as text; value: {@code
 * fairlead.log.v1.Record}, or null for a tombstone; headers: CloudEvents. Stateless.
 */
public final class EventCodec {
  /** To be raised where something else is made of the octets of one schema. */
  private static final int REVISION = 1;

  private EventCodec() {}

  /**
   * Text that is present but empty where the model has Optional text is written as absent.
   *
   * @param partition where it will be appended
   * @throws IllegalArgumentException for a malformed request hash
   */
  public static ProducerRecord<byte[], byte[]> encode(LogPartition partition, LogEvent event) {
    byte[] key = event.key().toString().getBytes(StandardCharsets.UTF_8);
    return switch (event) {
      case LogEvent.Stored(var object, var envelope) ->
          record(
              partition,
              key,
              stored(object, envelope),
              CloudEventHeaders.of(partition, event.key(), Change.STORED, envelope));
      case LogEvent.Deleted(var objectKey, var uid, var envelope) ->
          record(
              partition,
              key,
              deleted(uid, envelope),
              CloudEventHeaders.of(partition, objectKey, Change.DELETED, envelope));
      case LogEvent.Tombstone _ -> record(partition, key, null, java.util.List.of());
    };
  }

  /** The value of its Kafka record, see {@link #encode}; empty for a tombstone. */
  public static Optional<byte[]> value(LogEvent event) {
    return switch (event) {
      case LogEvent.Stored(var object, var envelope) -> Optional.of(stored(object, envelope));
      case LogEvent.Deleted(_, var uid, var envelope) -> Optional.of(deleted(uid, envelope));
      case LogEvent.Tombstone _ -> Optional.empty();
    };
  }

  /** How many bytes an object takes in a record, without the envelope. */
  public static int objectBytes(DomainObject object) {
    return store(object).build().getSerializedSize();
  }

  private static byte[] stored(DomainObject object, Envelope envelope) {
    return store(object).setEnvelope(EnvelopeFields.write(envelope)).build().toByteArray();
  }

  private static byte[] deleted(UUID uid, Envelope envelope) {
    return Record.newBuilder()
        .setEnvelope(EnvelopeFields.write(envelope))
        .setDeleted(io.fairlead.log.v1.Deleted.newBuilder().setUid(uid.toString()))
        .build()
        .toByteArray();
  }

  private static ProducerRecord<byte[], byte[]> record(
      LogPartition partition,
      byte[] key,
      byte @Nullable [] value,
      Iterable<org.apache.kafka.common.header.Header> headers) {
    return new ProducerRecord<>(
        partition.topic().kafkaName(), partition.index(), key, value, headers);
  }

  private static Record.Builder store(DomainObject object) {
    var record = Record.newBuilder();
    return switch (object) {
      case PartitionHeader header -> record.setPartitionHeader(NodeFields.write(header));
      case Service service -> record.setService(ServiceFields.write(service));
      case ServiceCidr cidr -> record.setServiceCidr(ServiceFields.write(cidr));
      case Namespace namespace ->
          record.setNamespace(
              io.fairlead.log.v1.Namespace.newBuilder()
                  .setMeta(Fields.write(namespace.meta()))
                  .build());
      case Reservation reservation -> record.setReservation(ServiceFields.write(reservation));
      case Pod pod -> record.setPod(PodFields.write(pod));
      case PodReadiness readiness -> record.setPodReadiness(PodFields.write(readiness));
      case Node node -> record.setNode(NodeFields.write(node));
      case ManualSlice slice -> record.setEndpointSlice(SliceFields.write(slice));
      case FeatureLevel level -> record.setFeatureLevel(NodeFields.write(level));
    };
  }

  /**
   * The event, or empty for one that may be passed over: of a kind this version does not know, and
   * marked ignorable by who wrote it (the tombstone of such a kind says nothing about what this
   * version keeps).
   *
   * @throws UnreadableRecordException for anything else that is not as this version writes it,
   *     unknown kinds first of all: to skip it silently would make replicas differ
   */
  public static Optional<LogEvent> decode(byte @Nullable [] key, byte @Nullable [] value) {
    return decode(key, value, Texts.forgetting());
  }

  /**
   * Decodes very many: texts that come often are one text in all its objects. Used by one thread.
   */
  public static final class Decoder {
    private final Texts texts = Texts.remembering();

    /** As {@link EventCodec#decode}. */
    public Optional<LogEvent> decode(byte @Nullable [] key, byte @Nullable [] value) {
      return EventCodec.decode(key, value, texts);
    }

    /**
     * The inverse of {@link EventCodec#object}.
     *
     * @throws UnreadableRecordException it is not as this version writes it
     */
    public DomainObject object(byte[] bytes) {
      try {
        return EventCodec.object(Record.parseFrom(bytes), texts);
      } catch (InvalidProtocolBufferException e) {
        throw new UnreadableRecordException("not a Record message", e);
      } catch (UnreadableRecordException e) {
        throw e;
      } catch (IllegalArgumentException e) { // constructors of the model refuse
        throw new UnreadableRecordException(String.valueOf(e.getMessage()), e);
      }
    }
  }

  private static Optional<LogEvent> decode(
      byte @Nullable [] key, byte @Nullable [] value, Texts texts) {
    if (key == null) {
      throw new UnreadableRecordException("a record without a key");
    }
    var text = text(key);
    var parsed = ObjectKey.parse(text);
    try {
      return value == null
          ? parsed.map(LogEvent.Tombstone::new)
          : decode(parsed, Record.parseFrom(value), texts);
    } catch (InvalidProtocolBufferException e) {
      throw new UnreadableRecordException(text + ": not a Record message", e);
    } catch (UnreadableRecordException e) {
      throw new UnreadableRecordException(text + ": " + e.getMessage(), e);
    } catch (IllegalArgumentException e) {
      // constructors of the model refuse
      throw new UnreadableRecordException(text + ": " + e.getMessage(), e);
    }
  }

  private static Optional<LogEvent> decode(Optional<ObjectKey> key, Record record, Texts texts) {
    boolean unknown =
        switch (record.getEventCase()) {
          case EVENT_NOT_SET -> true;
          case DELETED -> key.isEmpty();
          case PARTITION_HEADER,
              SERVICE,
              SERVICE_CIDR,
              POD,
              POD_READINESS,
              NODE,
              NAMESPACE,
              RESERVATION,
              ENDPOINT_SLICE,
              FEATURE_LEVEL ->
              false;
        };
    if (unknown) {
      if (record.getIgnorable()) {
        return Optional.empty();
      }
      throw new UnreadableRecordException(
          "of a kind this version does not know; a newer version wrote it, so run that one");
    }
    if (!record.hasEnvelope()) {
      throw Fields.bad("envelope", "missing");
    }
    var envelope = EnvelopeFields.read(record.getEnvelope());
    LogEvent event =
        record.getEventCase() == Record.EventCase.DELETED
            ? new LogEvent.Deleted(
                key.orElseThrow(),
                Fields.uuid("deleted.uid", record.getDeleted().getUid()),
                envelope)
            : new LogEvent.Stored(object(record, texts), envelope);
    if (!key.equals(Optional.of(event.key()))) {
      throw new UnreadableRecordException("it holds " + event.key());
    }
    return Optional.of(event);
  }

  private static DomainObject object(Record record, Texts texts) {
    return switch (record.getEventCase()) {
      case PARTITION_HEADER -> NodeFields.read(record.getPartitionHeader());
      case SERVICE -> ServiceFields.read(record.getService(), texts);
      case SERVICE_CIDR -> ServiceFields.read(record.getServiceCidr(), texts);
      case POD -> PodFields.read(record.getPod(), texts);
      case POD_READINESS -> PodFields.read(record.getPodReadiness(), texts);
      case NODE -> NodeFields.read(record.getNode(), texts);
      case NAMESPACE -> new Namespace(Fields.meta(record.getNamespace().getMeta(), texts));
      case RESERVATION -> ServiceFields.read(record.getReservation());
      case ENDPOINT_SLICE -> SliceFields.read(record.getEndpointSlice(), texts);
      case FEATURE_LEVEL -> NodeFields.read(record.getFeatureLevel());
      case DELETED, EVENT_NOT_SET -> throw new UnreadableRecordException("without an object");
    };
  }

  /** An object alone, as a record has it, without an envelope: for files that hold images. */
  public static byte[] object(DomainObject object) {
    return store(object).build().toByteArray();
  }

  /**
   * Tells versions of this codec apart that may make something else of the same octets: what one
   * does not know it passes over. Changes with the schema.
   */
  public static String version() {
    try {
      var schema = Record.getDescriptor().getFile().toProto().toByteArray();
      var hash = MessageDigest.getInstance("SHA-256").digest(schema);
      return REVISION + "-" + HexFormat.of().formatHex(hash, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /**
   * Tells versions apart whose digests of one log may differ: by what they make of its octets, or
   * by how they sum objects up.
   */
  public static String digestVersion() {
    return version() + "-d" + Digest.VERSION;
  }

  private static String text(byte[] key) {
    for (byte octet : key) {
      if (octet < 0) {
        return strict(key);
      }
    }
    return new String(key, StandardCharsets.US_ASCII);
  }

  private static String strict(byte[] key) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(key)).toString();
    } catch (CharacterCodingException e) {
      throw new UnreadableRecordException("a record whose key is not UTF-8", e);
    }
  }
}
