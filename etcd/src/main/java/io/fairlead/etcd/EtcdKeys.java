package io.fairlead.etcd;

import io.etcd.jetcd.ByteSequence;
import io.fairlead.core.image.Digest;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Topic;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Keys and values in etcd. Values are words separated by one space, so that {@code etcdctl get} is
 * readable and a transaction can compare the first word as a prefix:
 *
 * <pre>
 * /fairlead/v1/owners/fairlead.services/0   TAKEOVER REPLICA ADDRESS
 * /fairlead/v1/settled/fairlead.services/0  LOG END DIGEST                     while nobody owns it
 * /fairlead/v1/members/SERVICE/REPLICA      ADDRESS VERSION ready|starting LEVEL
 * /fairlead/v1/ips/0a600001                 UID NAMESPACE/NAME                 a Service's
 *                                           UID NAMESPACE/NAME RESERVATION     ... from a reservation
 *                                           RESERVATION NAMESPACE/NAME RESERVATION   a reservation's
 * /fairlead/v1/reservations/RESERVATION     NAMESPACE/NAME ADDRESS,ADDRESS TTL CREATED HASH
 * /fairlead/v1/nodes/NODE                   SESSION REPLICA
 * /fairlead/v1/left/NODE                    SESSION REPLICA                    its agent left that stream
 * </pre>
 */
final class EtcdKeys {
  private static final int LONGEST_SHOWN = 100;

  static final String ROOT = "/fairlead/v1/";
  static final String OWNERS = ROOT + "owners/";
  static final String SETTLED = ROOT + "settled/";
  static final String MEMBERS = ROOT + "members/";
  static final String CLAIMS = ROOT + "ips/";
  static final String NODES = ROOT + "nodes/";
  static final String LEFT = ROOT + "left/";
  static final String RESERVATIONS = ROOT + "reservations/";

  private EtcdKeys() {}

  static ByteSequence bytes(String text) {
    return ByteSequence.from(text, StandardCharsets.UTF_8);
  }

  static String text(ByteSequence bytes) {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** The first key after all that begin with a prefix. */
  static String endOf(String prefix) {
    return prefix.substring(0, prefix.length() - 1)
        + (char) (prefix.charAt(prefix.length() - 1) + 1);
  }

  static String owner(LogPartition partition) {
    return OWNERS + partition.topic().kafkaName() + "/" + partition.index();
  }

  static String settled(LogPartition partition) {
    return SETTLED + partition.topic().kafkaName() + "/" + partition.index();
  }

  static String settledValue(Coordination.Settled settled) {
    return settled.log() + " " + settled.end() + " " + settled.digest();
  }

  /** Empty where it cannot be read: then everything is compared, as where nothing was left. */
  static Optional<Coordination.Settled> settled(String value) {
    var words = value.split(" ", -1);
    if (words.length < 3 || !words[1].matches("0|[1-9][0-9]{0,17}")) {
      return Optional.empty();
    }
    var log = LogIdentity.parse(words[0]);
    var digest = Digest.parse(words[2]);
    return log.isPresent() && digest.isPresent()
        ? Optional.of(new Coordination.Settled(log.get(), Long.parseLong(words[1]), digest.get()))
        : Optional.empty();
  }

  static Optional<LogPartition> partition(String ownerKey) {
    var parts = ownerKey.substring(OWNERS.length()).split("/", -1);
    for (var topic : Topic.values()) {
      if (parts.length == 2
          && topic.kafkaName().equals(parts[0])
          && parts[1].matches("0|[1-9][0-9]{0,4}")) {
        int index = Integer.parseInt(parts[1]);
        return topic == Topic.SERVICES && index != 0
            ? Optional.empty()
            : Optional.of(new LogPartition(topic, index));
      }
    }
    return Optional.empty();
  }

  static String member(String service, String replica) {
    return MEMBERS + segment("service", service) + "/" + segment("replica", replica);
  }

  static String claim(Address address) {
    return CLAIMS + address.hex();
  }

  static String node(String node) {
    return NODES + segment("node", node);
  }

  static String left(String node) {
    return LEFT + segment("node", node);
  }

  static String ownerValue(String replica, String address, UUID takeover) {
    return takeover + " " + word("replica", replica) + " " + word("address", address);
  }

  static Coordination.Owner owner(String key, String value, long revision) {
    var words = words(key, value, 3);
    return new Coordination.Owner(words[1], words[2], uuid(key, value, words[0]), revision);
  }

  static String memberValue(Coordination.Member member) {
    return word("address", member.address())
        + " "
        + word("version", member.version())
        + (member.ready() ? " ready" : " starting")
        + " "
        + member.featureLevel();
  }

  static Coordination.Member member(String key, String replica, String value) {
    var words = words(key, value, 3);
    int level = words.length > 3 ? level(key, value, words[3]) : FeatureLevel.FIRST;
    return new Coordination.Member(replica, words[0], words[1], words[2].equals("ready"), level);
  }

  static String claimValue(Coordination.ClaimRequest request) {
    var plain = request.uid() + " " + word("service", request.service().toString());
    return request.reservation().map(id -> plain + " " + id).orElse(plain);
  }

  /** Of an address that a reservation has itself. */
  static Coordination.ClaimRequest claim(Reservation reservation, Address address) {
    return new Coordination.ClaimRequest(
        address, reservation.uid(), reservation.holder(), Optional.of(reservation.uid()));
  }

  static Coordination.ClaimHolder holder(String key, String value, long revision) {
    var words = words(key, value, 2);
    return new Coordination.ClaimHolder(
        uuid(key, value, words[0]),
        objectName(key, value, words[1]),
        words.length > 2 ? Optional.of(uuid(key, value, words[2])) : Optional.empty(),
        revision);
  }

  private static ObjectName objectName(String key, String value, String word) {
    int slash = word.indexOf('/');
    if (slash < 1) {
      throw unreadable(key, value);
    }
    return new ObjectName(word.substring(0, slash), word.substring(slash + 1));
  }

  static String reservation(UUID id) {
    return RESERVATIONS + id;
  }

  static String reservationValue(Reservation reservation, String tokenHash) {
    return String.join(
        " ",
        word("holder", reservation.holder().toString()),
        reservation.addresses().stream().map(Address::toString).collect(Collectors.joining(",")),
        reservation.ttl().toString(),
        reservation.created().toString(),
        word("token hash", tokenHash));
  }

  static Coordination.HeldReservation reservation(
      String key, String value, long lease, long revision) {
    var words = words(key, value, 5);
    try {
      var addresses =
          Arrays.stream(words[1].split(",", -1))
              .map(text -> Address.parse(text).orElseThrow(() -> unreadable(key, value)))
              .toList();
      return new Coordination.HeldReservation(
          new Reservation(
              uuid(key, value, key.substring(RESERVATIONS.length())),
              Instant.parse(words[3]),
              objectName(key, value, words[0]),
              addresses,
              Duration.parse(words[2])),
          words[4],
          lease,
          revision);
    } catch (DateTimeParseException | IllegalArgumentException _) {
      throw unreadable(key, value);
    }
  }

  static Address address(String claimKey) {
    return Address.ofHex(claimKey.substring(CLAIMS.length()))
        .orElseThrow(() -> unreadable(claimKey, ""));
  }

  static String nodeValue(Coordination.NodeLease node) {
    return node.session() + " " + word("replica", node.replica());
  }

  static Coordination.NodeLease node(String key, String value) {
    var words = words(key, value, 2);
    try {
      return new Coordination.NodeLease(
          key.substring(key.lastIndexOf('/') + 1), Long.parseLong(words[0]), words[1]);
    } catch (NumberFormatException _) {
      throw unreadable(key, value);
    }
  }

  /** A later version may append words: those are passed over. */
  private static String[] words(String key, String value, int atLeast) {
    var words = value.split(" ", -1);
    if (words.length < atLeast) {
      throw unreadable(key, value);
    }
    return words;
  }

  private static int level(String key, String value, String word) {
    if (!word.matches("[1-9][0-9]{0,8}")) {
      throw unreadable(key, value);
    }
    return Integer.parseInt(word);
  }

  private static UUID uuid(String key, String value, String word) {
    try {
      return UUID.fromString(word);
    } catch (IllegalArgumentException _) {
      throw unreadable(key, value);
    }
  }

  static GatewayException unreadable(String key, String value) {
    return new GatewayException(
        Outcome.KNOWN_FAILED,
        "etcd key "
            + key
            + " cannot be read; it holds '"
            + (value.length() > LONGEST_SHOWN ? value.substring(0, LONGEST_SHOWN) + "…" : value)
            + "'");
  }

  private static String segment(String field, String text) {
    if (text.indexOf('/') >= 0) {
      throw new IllegalArgumentException(field + " '" + text + "' may not contain '/'");
    }
    return word(field, text);
  }

  private static String word(String field, String text) {
    if (text.isEmpty() || text.chars().anyMatch(c -> c <= ' ' || c == 0x7f)) {
      throw new IllegalArgumentException(
          field + " '" + text + "' may not be empty or contain blanks or control characters");
    }
    return text;
  }
}
