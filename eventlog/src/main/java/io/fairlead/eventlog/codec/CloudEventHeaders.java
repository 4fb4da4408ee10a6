package io.fairlead.eventlog.codec;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.record.Envelope;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/**
 * The envelope once more, as CloudEvents 1.0 attributes in binary mode (Kafka protocol binding,
 * section 3.2), so that tools that know nothing of our schema can tell type, id, time and subject.
 * Never read by us.
 */
final class CloudEventHeaders {
  private CloudEventHeaders() {}

  /** What happened to the object; the last part of {@code ce_type}. */
  enum Change {
    STORED("stored"),
    DELETED("deleted");

    private final String text;

    Change(String text) {
      this.text = text;
    }
  }

  static List<Header> of(LogPartition partition, ObjectKey key, Change change, Envelope envelope) {
    var headers = new ArrayList<Header>();
    headers.add(header("ce_specversion", "1.0"));
    headers.add(header("ce_id", envelope.eventId().toString()));
    headers.add(header("ce_source", "/fairlead/" + partition));
    headers.add(header("ce_type", "io.fairlead.v1." + key.kind().text() + "." + change.text));
    headers.add(header("ce_time", envelope.accepted().toString()));
    headers.add(header("ce_subject", key.toString()));
    headers.add(header("content-type", "application/protobuf"));
    envelope.traceparent().ifPresent(trace -> headers.add(header("ce_traceparent", trace)));
    return headers;
  }

  private static Header header(String name, String value) {
    return new RecordHeader(name, value.getBytes(StandardCharsets.UTF_8));
  }
}
