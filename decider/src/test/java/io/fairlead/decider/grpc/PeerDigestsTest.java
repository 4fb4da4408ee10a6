package io.fairlead.decider.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.fairlead.core.image.Digest;
import io.fairlead.core.image.DigestMarks;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.Coordination.Member;
import io.fairlead.etcd.FakeEtcd;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.log.FakeKafka;
import io.fairlead.v1.LogDigestsReply;
import io.fairlead.v1.LogDigestsRequest;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogObjectsReply;
import io.fairlead.v1.LogObjectsRequest;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** Replicas of two services, each with a copy of the log of its own, in which it may differ. */
@Timeout(60)
class PeerDigestsTest {
  private static final Partitioning PARTITIONING = new Partitioning(3);
  private static final LogPartition S = LogPartition.SERVICES;
  private static final Duration LONG = Duration.ofSeconds(30);

  private final FakeTime time = new FakeTime();
  private final FakeEtcd etcd = new FakeEtcd(time);
  private final RandomSource random = RandomSource.seeded(1);
  private final Logger logger = (Logger) LoggerFactory.getLogger(PeerDigests.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private final List<AutoCloseable> opened = new ArrayList<>();
  private final List<LogDigestsRequest> asked = new CopyOnWriteArrayList<>();

  @BeforeEach
  void listen() {
    lines.start();
    logger.addAppender(lines);
  }

  @AfterEach
  void close() throws Exception {
    logger.detachAppender(lines);
    for (var resource : opened.reversed()) {
      resource.close();
    }
    etcd.close();
  }

  private <R extends AutoCloseable> R opened(R resource) {
    opened.add(resource);
    return resource;
  }

  /** Remembers what is asked for. */
  private final class Asked extends LogGrpc.LogImplBase {
    private final LogService log;

    Asked(LogService log) {
      this.log = log;
    }

    @Override
    public void digests(LogDigestsRequest request, StreamObserver<LogDigestsReply> replies) {
      asked.add(request);
      log.digests(request, replies);
    }

    @Override
    public void objects(LogObjectsRequest request, StreamObserver<LogObjectsReply> replies) {
      log.objects(request, replies);
    }
  }

  /** One that is there. */
  private final class Replica {
    private final FakeKafka kafka;
    private final Loader loader;
    private final PeerDigests digests;

    Replica(String service, String name, List<LogPartition> partitions) throws IOException {
      this(service, name, partitions, new FakeKafka(time, PARTITIONING));
    }

    Replica(String service, String name, List<LogPartition> partitions, FakeKafka kafka)
        throws IOException {
      this.kafka = kafka;
      var log = opened(kafka.connect());
      loader = opened(Loader.start(log, partitions, List.of(), (_, _) -> {}, Time.system()));
      var coordination = opened(etcd.client());
      var address = service + "-" + name;
      var reads = new Reads(loader, LONG);
      var server =
          InProcessServerBuilder.forName("digests-" + address)
              .executor(Executors.newVirtualThreadPerTaskExecutor())
              .addService(
                  new Asked(
                      new LogService(
                          name,
                          partitions,
                          loader,
                          coordination,
                          reads,
                          new LogReads(log, partitions))))
              .build()
              .start();
      opened(server::shutdownNow);
      coordination.putMember(
          service,
          new Member(name, address, "1", true),
          coordination.openLease(Duration.ofSeconds(30), () -> {}));
      var peers = opened(new Peers(to -> InProcessChannelBuilder.forName("digests-" + to).build()));
      digests =
          new PeerDigests(
              service, name, List.of("allocator", "endpoints"), loader, coordination, peers, time);
    }

    /** One transaction, which the loader has then. */
    void append(LogPartition partition, List<LogEvent> events) {
      try (var client = kafka.connect();
          var appender = client.openAppender(partition)) {
        appender.append(events);
      }
      loader.barrier(LONG);
    }
  }

  private static LogEvent stored(DomainObject object, RandomSource random) {
    return new LogEvent.Stored(
        object,
        new Envelope(
            random.uuid(),
            TestObjects.NOON,
            "test",
            Optional.empty(),
            Optional.empty(),
            Optional.empty()));
  }

  /** That many Services, again and again under ten names. */
  private List<LogEvent> services(int count) {
    var events = new ArrayList<LogEvent>();
    for (int i = 0; i < count; i++) {
      events.add(stored(TestObjects.service("s" + i % 10, "10.96.0." + (1 + i % 200)), random));
    }
    return events;
  }

  private static Digest first(Replica replica) {
    return replica.loader.digests().getOrDefault(S, DigestMarks.NONE).digests().getFirst();
  }

  private List<String> errors() {
    return lines.list.stream()
        .filter(line -> line.getLevel() == Level.ERROR)
        .map(line ->
            new TreeMap<>(
                    line.getKeyValuePairs().stream()
                        .collect(
                            Collectors.toMap(pair -> pair.key, pair -> String.valueOf(pair.value))))
                .toString())
        .toList();
  }

  @Test
  void replicasThatAgreeAreComparedOnceAndNothingIsTold() throws Exception {
    var one = new Replica("allocator", "a", List.of(S));
    var other = new Replica("allocator", "b", List.of(S));
    var third = new Replica("endpoints", "a", PARTITIONING.all());
    var events = services(2_500);
    for (var replica : List.of(one, other, third)) {
      replica.append(S, events);
    }
    one.digests.next();
    one.digests.next();
    assertThat(one.digests.compared()).as("two digests with each of the others").isEqualTo(4);
    one.digests.next();
    one.digests.next();
    assertThat(one.digests.compared()).as("not again").isEqualTo(4);
    assertThat(asked.getLast().getAfterMap()).containsEntry("s", 2L);
    var more = services(1_000);
    for (var replica : List.of(one, other, third)) {
      replica.append(S, more);
    }
    one.digests.next();
    one.digests.next();
    assertThat(one.digests.compared()).isEqualTo(6);
    assertThat(one.digests.differing()).isZero();
    assertThat(lines.list).isEmpty();
  }

  @Test
  void tellsPartitionOffsetAndObjectsInWhichTheyDifferOnce() throws Exception {
    var one = new Replica("allocator", "a", List.of(S));
    var other = new Replica("endpoints", "b", PARTITIONING.all());
    var events = services(1_500);
    one.append(S, events);
    other.append(S, events);
    var right = stored(TestObjects.service("db", "10.96.3.1"), random);
    var wrong = stored(TestObjects.service("db", "10.96.3.2"), random);
    one.append(S, List.of(right));
    other.append(S, List.of(wrong));
    events = services(1_500);
    one.append(S, events);
    other.append(S, events);
    one.digests.next();
    other.digests.next();
    one.digests.next();
    assertThat(one.digests.differing()).isEqualTo(1);
    assertThat(other.digests.differing()).isEqualTo(1);
    assertThat(errors())
        .hasSize(2)
        .allSatisfy(line ->
            assertThat(line)
                .contains("event=log.digest.differs", "offset=2000", "partition=s")
                .contains("objects=Service/default/db: version 1501 with digest ")
                .doesNotContain("Service/default/s"));
    assertThat(one.digests.faults()).isEqualTo(1);

    // what still differs is not told again
    events = services(1_000);
    one.append(S, events);
    other.append(S, events);
    one.digests.next();
    assertThat(one.digests.differing()).isEqualTo(1);
    assertThat(one.digests.faults()).isEqualTo(1);

    // and when the object is written anew, they are the same again
    var same = stored(TestObjects.service("db", "10.96.3.1"), random);
    events = services(1_000);
    for (var replica : List.of(one, other)) {
      replica.append(S, List.of(same));
      replica.append(S, events);
    }
    one.digests.next();
    assertThat(one.digests.differing()).isZero();
    assertThat(one.digests.faults()).isEqualTo(1);
  }

  /** Where nothing is written any more the next digest never comes. */
  @Test
  void theEndOfAQuietPartitionIsComparedToo() throws Exception {
    var one = new Replica("allocator", "a", List.of(S));
    var other = new Replica("endpoints", "b", PARTITIONING.all());
    var events = services(20);
    one.append(S, events);
    other.append(S, events);
    one.digests.next();
    assertThat(one.digests.differing()).isZero();
    var right = stored(TestObjects.service("db", "10.96.3.1"), random);
    var wrong = stored(TestObjects.service("db", "10.96.3.2"), random);
    one.append(S, List.of(right));
    one.digests.next();
    assertThat(one.digests.differing()).as("one is behind").isZero();
    other.append(S, List.of(wrong));
    for (int i = 0; i < 3; i++) {
      one.digests.next();
    }
    assertThat(one.digests.differing()).isEqualTo(1);
    assertThat(one.digests.faults()).as("told once").isEqualTo(1);
    assertThat(errors())
        .singleElement()
        .asString()
        .contains("partition=s", "offset=" + one.loader.current().position().of(S))
        .contains("objects=Service/default/db: version ");
    one.append(S, List.of(right));
    other.append(S, List.of(right));
    one.digests.next();
    assertThat(one.digests.differing()).isZero();
  }

  @Test
  void nothingIsAskedAfterTheEnd() throws Exception {
    var one = new Replica("allocator", "a", List.of(S));
    var begun =
        PeerDigests.start(
            "allocator",
            "a",
            List.of("allocator"),
            one.loader,
            opened(etcd.client()),
            opened(new Peers(to -> InProcessChannelBuilder.forName(to).build())),
            time);
    begun.close();
    assertThat(begun.isOver()).isTrue();
  }

  @Test
  void saysNothingOfWhatCompactionMayHaveRemoved() throws Exception {
    var kafka = new FakeKafka(time, PARTITIONING);
    var one = new Replica("allocator", "a", List.of(S), kafka);
    one.append(S, services(1_500));
    time.advance(Duration.ofDays(8));
    kafka.compact(S);
    var other = new Replica("allocator", "b", List.of(S), kafka);
    one.append(S, services(1_000));
    other.loader.barrier(LONG);
    assertThat(first(other)).as("read from a compacted log").isNotEqualTo(first(one));
    one.digests.next();
    other.digests.next();
    assertThat(one.digests.compared()).as("the one of after the compaction").isEqualTo(1);
    assertThat(other.digests.compared()).isEqualTo(1);
    assertThat(lines.list).isEmpty();
  }

  @Test
  void replicasThatDoNotAnswerOrAreOfAnotherVersionAreLeftAlone() throws Exception {
    var one = new Replica("allocator", "a", List.of(S));
    one.append(S, services(1_500));
    var coordination = opened(etcd.client());
    var lease = coordination.openLease(Duration.ofSeconds(30), () -> {});
    var server =
        InProcessServerBuilder.forName("digests-newer")
            .addService(
                new LogGrpc.LogImplBase() {
                  @Override
                  public void digests(
                      LogDigestsRequest request, StreamObserver<LogDigestsReply> replies) {
                    asked.add(request);
                    var reply =
                        LogDigestsReply.newBuilder()
                            .setReplica("c")
                            .setLog(one.loader.current().position().log().toString())
                            // the same records, summed up in another way
                            .setEncoding(EventCodec.version() + "-d" + (Digest.VERSION + 1));
                    reply
                        .addPartitionsBuilder()
                        .setPartition("s")
                        .setFirst(1)
                        .addDigests("0".repeat(32))
                        .setNext(one.loader.current().position().of(S))
                        .setDigest("0".repeat(32));
                    replies.onNext(reply.build());
                    replies.onCompleted();
                  }
                })
            .build()
            .start();
    opened(server::shutdownNow);
    coordination.putMember("allocator", new Member("c", "newer", "2", true), lease);
    one.digests.next();
    assertThat(asked).hasSize(1);
    coordination.putMember("allocator", new Member("d", "nowhere", "1", true), lease);
    assertThatThrownBy(
            () -> {
              one.digests.next();
              one.digests.next();
            })
        .isInstanceOf(StatusRuntimeException.class);
    assertThat(one.digests.compared()).isZero();
    assertThat(lines.list).isEmpty();
  }
}
