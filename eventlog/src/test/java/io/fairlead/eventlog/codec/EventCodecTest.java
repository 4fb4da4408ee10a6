package io.fairlead.eventlog.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEvent;
import io.fairlead.log.v1.Record;
import io.fairlead.log.v1.Service;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.FieldSource;

@Timeout(60)
class EventCodecTest {
  private static final long SEED = Long.getLong("fairlead.seed", System.nanoTime());
  private static final Partitioning PARTITIONING = new Partitioning(16);

  private final RandomEvents random = new RandomEvents(SEED, PARTITIONING);

  @ParameterizedTest
  @EnumSource
  void readsBackWhatItWrote(Kind kind) {
    System.out.println("seed " + SEED);
    for (int i = 0; i < 500; i++) {
      var event = new LogEvent.Stored(random.object(kind), random.envelope());
      assertThat(throughKafka(event)).contains(event);
    }
  }

  @Test
  void readsBackDeletionsAndTombstones() {
    System.out.println("seed " + SEED);
    for (int i = 0; i < 500; i++) {
      var key = random.object().key();
      var deleted = new LogEvent.Deleted(key, UUID.randomUUID(), random.envelope());
      assertThat(throughKafka(deleted)).contains(deleted);
      var tombstone = new LogEvent.Tombstone(key);
      assertThat(throughKafka(tombstone)).contains(tombstone);
    }
  }

  @Test
  void writesTombstonesWithoutValue() {
    var key = ObjectKey.of(Kind.POD, new ObjectName("default", "web"));
    var record = EventCodec.encode(PARTITIONING.of(key), new LogEvent.Tombstone(key));

    assertThat(record.value()).isNull();
    assertThat(new String(record.key(), StandardCharsets.UTF_8)).isEqualTo("Pod/default/web");
    assertThat(record.headers()).isEmpty();
    assertThat(record.topic()).isEqualTo("fairlead.pods");
    assertThat(record.partition()).isEqualTo(PARTITIONING.of(key).index());
  }

  @Test
  void repeatsTheEnvelopeAsCloudEventsAttributes() {
    var service = random.object(Kind.SERVICE);
    var envelope = random.envelope();
    var stored = new LogEvent.Stored(service, envelope);
    var deleted = new LogEvent.Deleted(service.key(), service.uid(), envelope);

    var record = EventCodec.encode(LogPartition.SERVICES, stored);

    assertThat(header(record, "ce_specversion")).contains("1.0");
    assertThat(header(record, "ce_id")).contains(envelope.eventId().toString());
    assertThat(header(record, "ce_source")).contains("/fairlead/s");
    assertThat(header(record, "ce_type")).contains("io.fairlead.v1.Service.stored");
    assertThat(header(record, "ce_time")).contains(envelope.accepted().toString());
    assertThat(header(record, "ce_subject")).contains(service.key().toString());
    assertThat(header(record, "content-type")).contains("application/protobuf");
    assertThat(header(record, "ce_traceparent")).isEqualTo(envelope.traceparent());
    assertThat(header(EventCodec.encode(LogPartition.SERVICES, deleted), "ce_type"))
        .contains("io.fairlead.v1.Service.deleted");
  }

  @Test
  void stopsAtAKindItDoesNotKnow() {
    assertThatThrownBy(() -> decode("Lighthouse/default/web", newer().build()))
        .isInstanceOf(UnreadableRecordException.class)
        .hasMessageContaining("Lighthouse/default/web")
        .hasMessageContaining("a kind this version does not know");
  }

  @Test
  void passesOverAKindItDoesNotKnowWhenItIsIgnorable() {
    assertThat(decode("Lighthouse/default/web", newer().setIgnorable(true).build())).isEmpty();
    assertThat(
            decode(
                "Lighthouse/default/web",
                Record.newBuilder()
                    .setIgnorable(true)
                    .setDeleted(io.fairlead.log.v1.Deleted.getDefaultInstance())
                    .build()))
        .isEmpty();
    assertThat(EventCodec.decode(bytes("Lighthouse/default/web"), null)).isEmpty();
  }

  record Broken(String name, Consumer<Service.Builder> change, String words) {
    @Override
    public String toString() {
      return name;
    }
  }

  @SuppressWarnings("AvoidValueSetter") // by number, as the bytes of another version would have it
  static final List<Broken> BROKEN =
      List.of(
          new Broken("exposure", s -> s.setExposureValue(0), "exposure"),
          new Broken("newer exposure", s -> s.setExposureValue(99), "exposure"),
          new Broken("policy", s -> s.setIpFamilyPolicyValue(0), "ip_family_policy"),
          new Broken("traffic policy", s -> s.setInternalTrafficPolicyValue(0), "internal_traffic"),
          new Broken("distribution", s -> s.setTrafficDistributionValue(9), "traffic_distribution"),
          new Broken("balancing", s -> s.setBalancingValue(0), "balancing"),
          new Broken("family", s -> s.addIpFamiliesValue(0), "ip_families"),
          new Broken("protocol", s -> s.addPortsBuilder().setPort(1), "ports.protocol"),
          new Broken("target", s -> s.addPortsBuilder().setProtocolValue(1), "ports.target_port"),
          new Broken("address", s -> s.addClusterIpsBuilder(), "0 octets"),
          new Broken("uid", s -> s.getMetaBuilder().setUid("1-1-1-1-1"), "no UUID"),
          new Broken("created", s -> s.getMetaBuilder().clearCreated(), "meta.created"),
          new Broken("other name", s -> s.getMetaBuilder().setName("x"), "it holds Service/"),
          new Broken("no namespace", s -> s.getMetaBuilder().clearNamespace(), "namespace"));

  @ParameterizedTest
  @FieldSource("BROKEN")
  void refusesWhatNoVersionWrites(Broken broken) throws Exception {
    var service = random.object(Kind.SERVICE);
    var event = new LogEvent.Stored(service, random.envelope());
    var record =
        Record.parseFrom(EventCodec.encode(LogPartition.SERVICES, event).value()).toBuilder();
    broken.change().accept(record.getServiceBuilder());

    assertThatThrownBy(() -> decode(service.key().toString(), record.build()))
        .isInstanceOf(UnreadableRecordException.class)
        .hasMessageContaining(service.key().toString())
        .hasMessageContaining(broken.words());
  }

  @Test
  void refusesRecordsWithoutAnEnvelopeOrWithAHalfRequestStamp() throws Exception {
    var service = random.object(Kind.SERVICE);
    var event = new LogEvent.Stored(service, random.envelope());
    var record = Record.parseFrom(EventCodec.encode(LogPartition.SERVICES, event).value());
    var key = service.key().toString();

    assertThatThrownBy(() -> decode(key, record.toBuilder().clearEnvelope().build()))
        .isInstanceOf(UnreadableRecordException.class)
        .hasMessageContaining("envelope: missing");
    var half = record.toBuilder();
    half.getEnvelopeBuilder().setRequestId("r").clearRequestHash();
    assertThatThrownBy(() -> decode(key, half.build()))
        .isInstanceOf(UnreadableRecordException.class)
        .hasMessageContaining("envelope.request_hash");
  }

  @Test
  void refusesBytesThatAreNoRecord() {
    assertThatThrownBy(() -> EventCodec.decode(bytes("Pod/default/web"), bytes("hello")))
        .isInstanceOf(UnreadableRecordException.class)
        .hasMessageContaining("Pod/default/web");
    assertThatThrownBy(() -> EventCodec.decode(null, null))
        .isInstanceOf(UnreadableRecordException.class);
    assertThatThrownBy(() -> EventCodec.decode(new byte[] {(byte) 0xff}, null))
        .isInstanceOf(UnreadableRecordException.class)
        .hasMessageContaining("UTF-8");
  }

  @Test
  void refusesToWriteARequestHashThatIsNone() {
    var envelope = random.envelope();
    var odd =
        new Envelope(
            envelope.eventId(),
            envelope.accepted(),
            envelope.actor(),
            Optional.of(new Envelope.RequestStamp("r", "abcd")),
            Optional.empty(),
            Optional.empty());
    var event = new LogEvent.Stored(random.object(Kind.SERVICE), odd);

    assertThatThrownBy(() -> EventCodec.encode(LogPartition.SERVICES, event))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2 bytes");
  }

  /** A record whose event is a field that this version does not have. */
  private static Record.Builder newer() {
    return Record.newBuilder()
        .setUnknownFields(
            UnknownFieldSet.newBuilder()
                .addField(29, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                .build());
  }

  private static Optional<LogEvent> throughKafka(LogEvent event) {
    var record = EventCodec.encode(PARTITIONING.of(event.key()), event);
    return EventCodec.decode(record.key(), record.value());
  }

  private static Optional<LogEvent> decode(String key, Message record) {
    return EventCodec.decode(bytes(key), record.toByteArray());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static Optional<String> header(ProducerRecord<byte[], byte[]> record, String name) {
    return Optional.ofNullable(record.headers().lastHeader(name))
        .map(h -> new String(h.value(), StandardCharsets.UTF_8));
  }
}
