package io.fairlead.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.api.Timestamps;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Pod;
import io.fairlead.core.record.LogEvent;
import io.fairlead.decider.grpc.LogReads;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.LogEntry;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogStatusRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.Position;
import io.fairlead.v1.ReadLogReply;
import io.fairlead.v1.ReadLogRequest;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LogReadTest {
  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private static void apply(Replicas.Replica replica, String name) {
    var _ =
        replica
            .pods()
            .apply(
                ApplyPodRequest.newBuilder()
                    .setRequestId(UUID.randomUUID().toString())
                    .setPod(
                        io.fairlead.v1.Pod.newBuilder()
                            .setMetadata(ObjectMeta.newBuilder().setNamespace("shop").setName(name))
                            .setSpec(
                                PodSpec.newBuilder()
                                    .addContainers(Container.newBuilder().setName("main"))))
                    .build());
  }

  private static Watching<ReadLogReply> read(Replicas.Replica replica, ReadLogRequest request) {
    return Watching.of(
        replies -> LogGrpc.newStub(replica.channel()).withWaitForReady().read(request, replies));
  }

  private static List<ReadLogReply> readAll(Replicas.Replica replica, ReadLogRequest request) {
    var replies = new ArrayList<ReadLogReply>();
    LogGrpc.newBlockingStub(replica.channel())
        .withWaitForReady()
        .read(request)
        .forEachRemaining(replies::add);
    return replies;
  }

  private static List<LogEntry> entries(List<ReadLogReply> replies) {
    return replies.stream().filter(ReadLogReply::hasEntry).map(ReadLogReply::getEntry).toList();
  }

  @Test
  void readsWhatIsThereAndEnds() {
    var a = replicas.start("a");
    replicas.store(TestObjects.service("web", "10.96.0.5"));
    apply(a, "web-0");
    var replies = readAll(a, ReadLogRequest.getDefaultInstance());
    assertThat(replies.getFirst().hasBegin()).isTrue();
    var end = replies.getLast().getEnd();
    assertThat(end).isEqualTo(replies.getFirst().getBegin().getEnd());
    assertThat(end.getLog()).isEqualTo(a.log.identity().toString());
    assertThat(Timestamps.model(replies.getFirst().getBegin().getCompleteSince()))
        .isBeforeOrEqualTo(a.log.completeSince());
    var keys = entries(replies).stream().map(LogEntry::getKey).toList();
    assertThat(keys).contains("Service/default/web", "Pod/shop/web-0");
    var pod =
        entries(replies).stream().filter(e -> e.getKey().equals("Pod/shop/web-0")).findFirst();
    var event =
        EventCodec.decode(
            pod.orElseThrow().getKey().getBytes(StandardCharsets.UTF_8),
            pod.orElseThrow().getRecord().toByteArray());
    assertThat(event)
        .hasValueSatisfying(e ->
            assertThat(e)
                .isInstanceOfSatisfying(
                    LogEvent.Stored.class,
                    stored -> assertThat(stored.object()).isInstanceOf(Pod.class)));
    assertThat(readAll(a, ReadLogRequest.newBuilder().setFrom(end).build()))
        .as("nothing more")
        .extracting(ReadLogReply::getMessageCase)
        .containsExactly(ReadLogReply.MessageCase.BEGIN, ReadLogReply.MessageCase.END);
  }

  @Test
  void followsFromAPositionOnAndTellsDeletions() {
    var a = replicas.start("a");
    var web = TestObjects.service("web", "10.96.0.5");
    replicas.store(web);
    var end = readAll(a, ReadLogRequest.getDefaultInstance()).getLast().getEnd();
    var request =
        ReadLogRequest.newBuilder().setFrom(end).addPartitions("s").setFollow(true).build();
    try (var reading = read(a, request)) {
      reading.await("the end of the moment", ReadLogReply::hasEnd);
      replicas.delete(web);
      reading.await("the tombstone", m -> m.hasEntry() && !m.getEntry().hasRecord());
      assertThat(entries(reading.messages()))
          .allSatisfy(entry -> assertThat(entry.getKey()).isEqualTo("Service/default/web"))
          .hasSize(2);
      a.stop();
      Replicas.await("ended", () -> reading.end().isPresent());
      assertThat(Status.fromThrowable(reading.end().orElseThrow()).getCode())
          .isEqualTo(Status.Code.UNAVAILABLE);
    }
  }

  @Test
  void beginsAtWhatIsRetained() {
    var a = replicas.start("a");
    for (int i = 0; i < 5; i++) {
      replicas.store(TestObjects.service("web-" + i, "10.96.0." + (5 + i)));
    }
    long end =
        new io.fairlead.core.model.Position(
                a.log.identity(), new TreeMap<>(a.log.endOffsets(List.of(LogPartition.SERVICES))))
            .of(LogPartition.SERVICES);
    var log = a.log.identity().toString();
    var _ = // else the replica itself would miss what is deleted
        LogGrpc.newBlockingStub(a.channel())
            .withWaitForReady()
            .status(
                LogStatusRequest.newBuilder()
                    .setWaitFor(Position.newBuilder().setLog(log).setOffsets("s:" + end))
                    .build());
    replicas.kafka.deleteRecordsBefore(LogPartition.SERVICES, end - 2);
    var from = Position.newBuilder().setLog(log).setOffsets("s:0").build();
    var replies = readAll(a, ReadLogRequest.newBuilder().setFrom(from).addPartitions("s").build());
    assertThat(replies.getFirst().getBegin().getRetained().getOffsets())
        .isEqualTo("s:" + (end - 2));
    assertThat(replies.getFirst().getBegin().getFrom().getOffsets()).isEqualTo("s:" + (end - 2));
    assertThat(entries(replies))
        .extracting(LogEntry::getKey)
        .containsExactly("Service/default/web-4");
  }

  @Test
  void refusesPositionsOfOtherLogsAndWhatIsNotThere() {
    var a = replicas.start("a");
    assertThat(reason(a, position("x.y", "s:0"))).isEqualTo(Reason.FOREIGN_LOG);
    var log = a.log.identity().toString();
    assertThat(reason(a, position(log, "s:99999"))).isEqualTo(Reason.INVALID);
    assertThat(reason(a, position(log, "nonsense"))).isEqualTo(Reason.INVALID);
    assertThat(reason(a, ReadLogRequest.newBuilder().addPartitions("p77").build()))
        .isEqualTo(Reason.INVALID);
  }

  private static ReadLogRequest position(String log, String offsets) {
    return ReadLogRequest.newBuilder()
        .setFrom(Position.newBuilder().setLog(log).setOffsets(offsets))
        .build();
  }

  private static Reason reason(Replicas.Replica replica, ReadLogRequest request) {
    try (var reading = read(replica, request)) {
      Replicas.await("refused", () -> reading.end().isPresent());
      return ErrorReport.of(reading.end().orElseThrow()).reason().orElseThrow();
    }
  }

  @Test
  void boundsItsReaders() {
    var a = replicas.start("a");
    var follow = ReadLogRequest.newBuilder().setFollow(true).build();
    var open = new ArrayList<Watching<ReadLogReply>>();
    try {
      for (int i = 0; i < LogReads.MOST; i++) {
        var reading = read(a, follow);
        open.add(reading);
        reading.await("reading", ReadLogReply::hasEnd);
      }
      assertThat(reason(a, follow)).isEqualTo(Reason.LIMIT_REACHED);
      open.removeFirst().close();
      Replicas.await(
          "one has left",
          () -> {
            try (var another = read(a, ReadLogRequest.getDefaultInstance())) {
              Replicas.await("answered", () -> another.end().isPresent());
              return another.messages().stream().anyMatch(ReadLogReply::hasEnd);
            }
          });
    } finally {
      open.forEach(Watching::close);
    }
  }
}
