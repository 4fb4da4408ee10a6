package io.fairlead.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.ProtocolMessageEnum;
import io.fairlead.api.Timestamps;
import io.fairlead.log.v1.Address;
import io.fairlead.log.v1.Record;
import io.fairlead.log.v1.SliceEndpoint;
import io.fairlead.v1.LogEntry;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Entries of the log as people read them. They are looked at and not judged: one that this version
 * does not understand is a row, too.
 */
final class LogRows {
  private static final DateTimeFormatter MILLIS =
      new DateTimeFormatterBuilder().appendInstant(3).toFormatter(Locale.ROOT);

  private LogRows() {}

  /** Time, position behind it, event, object, by whom, detail. */
  static List<String> row(LogEntry entry) {
    var position = entry.getPartition() + ":" + (entry.getOffset() + 1);
    var time = MILLIS.format(Timestamps.model(entry.getAppended()));
    if (!entry.hasRecord()) {
      return List.of(time, position, "tombstone", entry.getKey(), "<none>", "");
    }
    try {
      var record = Record.parseFrom(entry.getRecord());
      var actor = record.getEnvelope().getActor();
      return List.of(
          time,
          position,
          switch (record.getEventCase()) {
            case DELETED -> "deleted";
            case EVENT_NOT_SET -> "unknown";
            default -> "stored";
          },
          entry.getKey(),
          actor.isEmpty() ? "<none>" : actor,
          detail(record));
    } catch (InvalidProtocolBufferException _) {
      return List.of(time, position, "unreadable", entry.getKey(), "<none>", "");
    }
  }

  private static String detail(Record record) {
    return switch (record.getEventCase()) {
      case SERVICE ->
          switch (record.getService().getExposure()) {
            case HEADLESS -> "headless";
            case EXTERNAL_NAME -> record.getService().getExternalName();
            default -> texts(record.getService().getClusterIpsList());
          };
      case SERVICE_CIDR ->
          words(
              record.getServiceCidr().hasDeleting() ? "Terminating" : "",
              record.getServiceCidr().getCidrsList().stream()
                  .map(cidr -> text(cidr.getBase()) + "/" + cidr.getPrefix())
                  .collect(Collectors.joining(",")));
      case POD -> {
        var pod = record.getPod();
        yield words(
            pod.hasDeleting() ? "Terminating" : camel(pod.getPhase()),
            texts(pod.getIpsList()),
            pod.getNodeName());
      }
      case POD_READINESS ->
          words(
              record.getPodReadiness().getReady() ? "ready:" : "not ready:",
              record.getPodReadiness().getReason());
      case NODE -> words(camel(record.getNode().getState()), record.getNode().getReason());
      case FEATURE_LEVEL -> Integer.toString(record.getFeatureLevel().getLevel());
      case ENDPOINT_SLICE ->
          texts(
              record.getEndpointSlice().getEndpointsList().stream()
                  .map(SliceEndpoint::getAddress)
                  .toList());
      default -> "";
    };
  }

  private static String words(String... words) {
    return java.util.stream.Stream.of(words)
        .filter(word -> !word.isEmpty())
        .collect(Collectors.joining(" "));
  }

  /** {@code Running}; empty for one that is not set, or that a newer version wrote. */
  private static String camel(ProtocolMessageEnum constant) {
    if (constant instanceof Enum<?> known
        && !known.name().endsWith("_UNSPECIFIED")
        && !known.name().equals("UNRECOGNIZED")) {
      return known.name().charAt(0) + known.name().substring(1).toLowerCase(Locale.ROOT);
    }
    return "";
  }

  private static String texts(List<Address> addresses) {
    return addresses.stream().map(LogRows::text).collect(Collectors.joining(","));
  }

  private static String text(Address address) {
    try {
      var octets = address.getOctets().toByteArray();
      return io.fairlead.core.model.Address.of(
              InetAddress.getByAddress(octets).getHostAddress().replaceFirst("%.*", ""))
          .toString();
    } catch (UnknownHostException | IllegalArgumentException _) {
      return "?";
    }
  }
}
