package io.fairlead.eventlog.codec;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.log.v1.Meta;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/** What messages of several kinds are made of. Reading refuses what we never write. */
final class Fields {
  private Fields() {}

  static Timestamp write(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  static Instant instant(String field, Timestamp timestamp) {
    long seconds = timestamp.getSeconds();
    int nanos = timestamp.getNanos();
    if (nanos < 0 || nanos > 999_999_999) {
      throw bad(field, nanos + " nanoseconds");
    }
    try {
      return Instant.ofEpochSecond(seconds, nanos);
    } catch (DateTimeException | ArithmeticException e) {
      throw new UnreadableRecordException(field + ": no such moment", e);
    }
  }

  static Duration write(java.time.Duration duration) {
    // java.time counts nanoseconds up from the second below, protobuf wants one sign for both parts
    boolean borrowed = duration.getSeconds() < 0 && duration.getNano() > 0;
    return Duration.newBuilder()
        .setSeconds(borrowed ? duration.getSeconds() + 1 : duration.getSeconds())
        .setNanos(borrowed ? duration.getNano() - 1_000_000_000 : duration.getNano())
        .build();
  }

  static java.time.Duration duration(String field, Duration duration) {
    long seconds = duration.getSeconds();
    int nanos = duration.getNanos();
    if (Math.abs((long) nanos) > 999_999_999) {
      throw bad(field, nanos + " nanoseconds");
    }
    return java.time.Duration.ofSeconds(seconds, nanos);
  }

  /** Only the form we write: {@link UUID#fromString} would take {@code 1-1-1-1-1} too. */
  static UUID uuid(String field, String text) {
    if (!isUuid(text)) {
      throw bad(field, "'" + text + "' is no UUID");
    }
    return UUID.fromString(text);
  }

  private static boolean isUuid(String text) {
    if (text.length() != 36) {
      return false;
    }
    for (int i = 0; i < 36; i++) {
      char c = text.charAt(i);
      boolean dash = i == 8 || i == 13 || i == 18 || i == 23;
      if (dash ? c != '-' : (c < '0' || c > '9') && (c < 'a' || c > 'f')) {
        return false;
      }
    }
    return true;
  }

  static String required(String field, String text) {
    if (text.isEmpty()) {
      throw bad(field, "missing");
    }
    return text;
  }

  /** Absent text is the empty text in proto3; a name or host that is present is never empty. */
  static Optional<String> optional(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }

  static io.fairlead.log.v1.Address write(Address address) {
    return io.fairlead.log.v1.Address.newBuilder()
        .setOctets(ByteString.copyFrom(address.bytes()))
        .build();
  }

  static Address address(String field, io.fairlead.log.v1.Address address) {
    int size = address.getOctets().size();
    if (size != 4 && size != 16) {
      throw bad(field, size + " octets are no address");
    }
    return Address.ofBytes(address.getOctets().toByteArray());
  }

  static io.fairlead.log.v1.Cidr write(Cidr cidr) {
    return io.fairlead.log.v1.Cidr.newBuilder()
        .setBase(write(cidr.base()))
        .setPrefix(cidr.prefix())
        .build();
  }

  static Cidr cidr(String field, io.fairlead.log.v1.Cidr cidr) {
    var base = address(field, cidr.getBase());
    try {
      return new Cidr(base, cidr.getPrefix());
    } catch (IllegalArgumentException e) {
      throw new UnreadableRecordException(field + ": " + e.getMessage(), e);
    }
  }

  static <P, D> List<D> all(List<P> messages, Function<P, D> read) {
    if (messages.isEmpty()) {
      return List.of();
    }
    var all = new ArrayList<D>(messages.size());
    for (var message : messages) {
      all.add(read.apply(message));
    }
    return all;
  }

  static Meta write(ObjectMeta meta) {
    return Meta.newBuilder()
        .setNamespace(meta.namespace())
        .setName(meta.name())
        .setUid(meta.uid().toString())
        .putAllLabels(meta.labels())
        .putAllAnnotations(meta.annotations())
        .setCreated(write(meta.created()))
        .build();
  }

  static ObjectMeta meta(Meta meta, Texts texts) {
    if (!meta.hasCreated()) {
      throw bad("meta.created", "missing");
    }
    return new ObjectMeta(
        texts.one(meta.getNamespace()),
        required("meta.name", meta.getName()),
        uuid("meta.uid", meta.getUid()),
        texts.all(meta.getLabelsMap()),
        texts.all(meta.getAnnotationsMap()),
        instant("meta.created", meta.getCreated()));
  }

  static io.fairlead.log.v1.Protocol write(Protocol protocol) {
    return switch (protocol) {
      case TCP -> io.fairlead.log.v1.Protocol.TCP;
      case UDP -> io.fairlead.log.v1.Protocol.UDP;
      case SCTP -> io.fairlead.log.v1.Protocol.SCTP;
    };
  }

  static Protocol protocol(String field, io.fairlead.log.v1.Protocol protocol) {
    return switch (protocol) {
      case TCP -> Protocol.TCP;
      case UDP -> Protocol.UDP;
      case SCTP -> Protocol.SCTP;
      case PROTOCOL_UNSPECIFIED, UNRECOGNIZED -> throw unknown(field);
    };
  }

  static io.fairlead.log.v1.PortRef write(PortRef ref) {
    var message = io.fairlead.log.v1.PortRef.newBuilder();
    return switch (ref) {
      case PortRef.Number(int port) -> message.setNumber(port).build();
      case PortRef.Name(var name) -> message.setName(name).build();
    };
  }

  static PortRef portRef(String field, io.fairlead.log.v1.PortRef ref) {
    return switch (ref.getRefCase()) {
      case NUMBER -> new PortRef.Number(ref.getNumber());
      case NAME -> new PortRef.Name(ref.getName());
      case REF_NOT_SET -> throw unknown(field);
    };
  }

  static UnreadableRecordException bad(String field, String what) {
    return new UnreadableRecordException(field + ": " + what);
  }

  /** For what has a fixed set of values: none was written, or one by a newer version. */
  static UnreadableRecordException unknown(String field) {
    return bad(field, "no value, or one this version does not know");
  }
}
