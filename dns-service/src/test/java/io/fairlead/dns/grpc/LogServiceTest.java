package io.fairlead.dns.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.fairlead.api.DigestCodec;
import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.core.dns.ZoneSettings;
import io.fairlead.core.image.Digest;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Member;
import io.fairlead.core.model.Acknowledgement.Role;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.dns.zone.ZonePublisher;
import io.fairlead.dns.zone.ZoneReader;
import io.fairlead.eventlog.log.FakeKafka;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.GrpcServer;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import io.fairlead.v1.LogDigestsRequest;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogObjectsRequest;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.Position;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class LogServiceTest {
  private final FakeKafka kafka = new FakeKafka(Time.system());
  private final AtomicBoolean there = new AtomicBoolean();
  private ZoneReader reader;
  private GrpcServer server;
  private ManagedChannel channel;

  @BeforeEach
  void open() {
    var settings = new ZoneSettings("cluster.local.", List.of(), Duration.ofSeconds(5), List.of());
    reader =
        ZoneReader.start(
            () -> {
              if (!there.get()) {
                throw new GatewayException(Outcome.KNOWN_FAILED, "no brokers");
              }
              return kafka.connect();
            },
            new ZonePublisher(settings),
            new ZoneReader.Self("dns-1", Duration.ofSeconds(5)),
            Optional.empty(),
            (what, cause) -> {
              throw new AssertionError(what, cause);
            },
            Time.system());
    server =
        GrpcServer.start(
            GrpcServer.Settings.listening(new HostPort("127.0.0.1", 0)),
            List.of(new LogService("dns-0", reader::reading)),
            List.of(),
            new Metrics());
    channel = GrpcChannels.of(List.of(new HostPort("127.0.0.1", server.port())));
  }

  @AfterEach
  void close() {
    channel.shutdownNow();
    server.close();
    reader.close();
  }

  private LogGrpc.LogBlockingStub log() {
    return LogGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  private void append(String name) {
    try (var client = kafka.connect();
        var appender = client.openAppender(LogPartition.SERVICES)) {
      var service = TestObjects.service(name, "10.96.0.11");
      appender.append(List.of(TestObjects.stored(LogPartition.SERVICES, 0, service).event()));
    }
  }

  private static LogStatusRequest waitFor(Position position, long next) {
    return LogStatusRequest.newBuilder()
        .setWaitFor(position.toBuilder().setOffsets("s:" + next).build())
        .build();
  }

  @Test
  void acknowledgesWhatTheZoneHasWithTheTimeThatOthersRememberIt() throws Exception {
    var heard = new CopyOnWriteArrayList<Acknowledgement>();
    try (var log = kafka.connect();
        var _ = log.acks().read(heard::add)) {
      there.set(true);
      log.openAppender(LogPartition.SERVICES)
          .append(
              List.of(
                  TestObjects.stored(
                          LogPartition.SERVICES, 0, TestObjects.service("web", "10.96.0.1"))
                      .event()));
      var ends = log.endOffsets(List.of(LogPartition.SERVICES));
      await()
          .atMost(Duration.ofSeconds(20))
          .until(() ->
              heard.stream()
                  .anyMatch(
                      word -> word.position().filter(at -> at.coversOffsets(ends)).isPresent()));
      assertThat(heard.getLast().member()).isEqualTo(new Member(Role.DNS, "dns-1"));
      assertThat(heard.getLast().ttl()).isEqualTo(Duration.ofSeconds(5));
    }
  }

  @Test
  void saysThatItHasNotFoundTheLog() {
    var fault = catchThrowable(() -> log().status(LogStatusRequest.getDefaultInstance()));
    assertThat(ErrorReport.of(fault).reason()).contains(Reason.NOT_SYNCED);
  }

  @Test
  void tellsHowFarItIsAndWhatItKnows() {
    there.set(true);
    await("the log is found").until(() -> reader.synced());
    var empty = log().status(LogStatusRequest.getDefaultInstance());
    assertThat(empty.getReplica()).isEqualTo("dns-0");
    assertThat(empty.getPartitionsList()).hasSize(17);
    append("web");

    var after = log().status(waitFor(empty.getPosition(), 1));

    var services = after.getPartitions(0);
    assertThat(services.getPartition()).isEqualTo("s");
    assertThat(services.getNext()).isGreaterThanOrEqualTo(1);
    assertThat(services.getObjects()).isEqualTo(1);
    assertThat(services.getDigest()).isNotEqualTo(empty.getPartitions(0).getDigest());
    assertThat(services.getOwner()).isEmpty();
  }

  @Test
  void tellsItsDigestsAndTheObjectsOfAPartition() {
    there.set(true);
    await("the log is found").until(() -> reader.synced());
    try (var client = kafka.connect();
        var appender = client.openAppender(LogPartition.SERVICES)) {
      var events = new ArrayList<LogEvent>();
      for (int i = 0; i < 2_500; i++) {
        var service = TestObjects.service("s" + i, "10.96.0.11");
        events.add(TestObjects.stored(LogPartition.SERVICES, 0, service).event());
      }
      appender.append(events);
    }
    var position = log().status(LogStatusRequest.getDefaultInstance()).getPosition();
    var _ = log().status(waitFor(position, 2_500));

    var digests = log().digests(LogDigestsRequest.getDefaultInstance());
    assertThat(digests.getReplica()).isEqualTo("dns-0");
    assertThat(digests.getLog()).isEqualTo(position.getLog());
    assertThat(digests.getPartitionsList()).hasSize(17);
    var services = digests.getPartitions(0);
    assertThat(services.getFirst()).isEqualTo(1);
    assertThat(services.getDigestsList()).hasSize(2).doesNotHaveDuplicates();
    assertThat(services.getExactFrom()).isEqualTo(1);
    assertThat(digests.getPartitions(1).getDigestsList()).isEmpty();
    assertThat(
            log()
                .digests(LogDigestsRequest.newBuilder().putAfter("s", 1).build())
                .getPartitions(0)
                .getDigestsList())
        .containsExactly(services.getDigests(1));

    var request =
        LogObjectsRequest.newBuilder()
            .setPartition("s")
            .setWaitFor(position.toBuilder().setOffsets("s:2500"));
    var objects = DigestCodec.model(log().objects(request.build()));
    assertThat(objects.next()).isEqualTo(services.getNext());
    assertThat(objects.objects()).hasSize(2_500).containsKey("Service/default/s2499");
    var sum = Digest.ZERO;
    for (var state : objects.objects().values()) {
      sum = sum.plus(state.digest());
    }
    assertThat(sum.toString()).isEqualTo(services.getDigest());
    var none = request.setPartition("p99").build();
    assertThat(ErrorReport.of(catchThrowable(() -> log().objects(none).next())).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("partition");
  }

  @Test
  void refusesAPositionThatNobodyGaveOut() {
    there.set(true);
    await("the log is found").until(() -> reader.synced());
    var request = LogStatusRequest.newBuilder().setWaitFor(Position.newBuilder().setLog("x"));
    var fault = catchThrowable(() -> log().status(request.build()));
    assertThat(ErrorReport.of(fault).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("waitFor");
  }
}
