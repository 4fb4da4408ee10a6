package io.fairlead.decider.grpc;

import io.fairlead.api.DigestCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.image.Digest;
import io.fairlead.core.image.DigestMarks;
import io.fairlead.core.image.PartitionObjects;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.Coordination;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.eventlog.snapshot.Snapshots;
import io.fairlead.v1.LogDigestsReply;
import io.fairlead.v1.LogDigestsRequest;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogObjectsRequest;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares the digests of this replica with those of the others that follow the same log, one of
 * them after the other, and tells where they differ: one of the two is not what the log adds up to.
 * Nobody knows which, so neither is stopped. One virtual thread. Soft.
 */
public final class PeerDigests implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PeerDigests.class);

  /** A call of some hundred bytes; each digest is compared once with each of the others. */
  private static final Duration EVERY = Duration.ofSeconds(10);

  private static final Duration CALL_LIMIT = Duration.ofSeconds(5);
  private static final Duration OBJECTS_LIMIT = Duration.ofSeconds(30);

  /** So many of the objects that differ are named. */
  private static final int NAMED = 10;

  /** Another replica of one of the services. */
  private record Peer(String service, String replica, String address) {
    @Override
    public String toString() {
      return service + "/" + replica;
    }
  }

  /**
   * What is known of a partition and a peer.
   *
   * @param to number of the last digest that was compared
   * @param differs whether that one differed
   */
  private record Compared(long to, boolean differs) {}

  /**
   * What came of comparing a partition where it ends: below the next digest, which may never come.
   *
   * @param next offset behind what was compared
   */
  private record End(long next, boolean differs) {}

  private final String service;
  private final String replica;
  private final List<String> services;
  private final Loader loader;
  private final Coordination coordination;
  private final Peers peers;
  private final Time time;
  private final Thread thread = Thread.ofVirtual().name("peer-digests").unstarted(this::run);

  /** Of the thread. */
  private final Map<Peer, Map<LogPartition, Compared>> compared = new HashMap<>();

  private final Map<Peer, Map<LogPartition, End>> ends = new HashMap<>();

  private int turn;
  private final LongAdder digests = new LongAdder();
  private final LongAdder faults = new LongAdder();
  private volatile int differing;

  /**
   * Asks nobody yet.
   *
   * @param service of this replica
   * @param services whose members follow partitions that this replica follows, too
   */
  PeerDigests(
      String service,
      String replica,
      List<String> services,
      Loader loader,
      Coordination coordination,
      Peers peers,
      Time time) {
    this.service = service;
    this.replica = replica;
    this.services = List.copyOf(services);
    this.loader = loader;
    this.coordination = coordination;
    this.peers = peers;
    this.time = time;
  }

  /** Begins to compare. */
  public static PeerDigests start(
      String service,
      String replica,
      List<String> services,
      Loader loader,
      Coordination coordination,
      Peers peers,
      Time time) {
    var digests = new PeerDigests(service, replica, services, loader, coordination, peers, time);
    digests.thread.start();
    return digests;
  }

  /** What is to be exported of this. */
  public void figures(Snapshots.Figure gauge, Snapshots.Figure counter) {
    Snapshots.digestFigures(() -> Optional.of(loader), gauge);
    gauge.add(
        "digests_differing",
        "Partitions whose objects differ from those of another replica at the last offset that was compared: one of the two is wrong.",
        () -> differing);
    counter.add(
        "digest_faults",
        "How often such a difference was found that was not there before.",
        faults::sum);
    counter.add("digests_compared", "Digests compared with those of other replicas.", digests::sum);
  }

  /** Partitions whose last common digest differs from that of a replica that lives. */
  int differing() {
    return differing;
  }

  /** How often a partition was found to differ that did not before. */
  long faults() {
    return faults.sum();
  }

  /** Digests that were compared, without those of ends. */
  long compared() {
    return digests.sum();
  }

  /** Whether its thread has ended. */
  boolean isOver() {
    return !thread.isAlive();
  }

  private void run() {
    try {
      while (true) {
        time.sleep(EVERY);
        try {
          next();
        } catch (GatewayException | StatusRuntimeException e) { // for others to tell; again later
          log.atDebug().setCause(e).log("digests not compared");
        } catch (RuntimeException e) { // a defect: goes on all the same
          log.atError().setCause(e).log("Digests cannot be compared; trying on");
        }
      }
    } catch (InterruptedException _) { // closed
      Thread.currentThread().interrupt();
    }
  }

  /** Compares with one of the others, with each in turn. */
  void next() throws InterruptedException {
    var all = peers();
    compared.keySet().retainAll(all);
    ends.keySet().retainAll(all);
    try {
      if (!all.isEmpty()) {
        compare(all.get(Math.floorMod(turn++, all.size())));
      }
    } finally {
      var differ = new HashSet<LogPartition>();
      compared
          .values()
          .forEach(partitions ->
              partitions.forEach((partition, c) -> {
                if (c.differs()) {
                  differ.add(partition);
                }
              }));
      ends.values()
          .forEach(partitions ->
              partitions.forEach((partition, end) -> {
                if (end.differs()) {
                  differ.add(partition);
                }
              }));
      differing = differ.size();
    }
  }

  private List<Peer> peers() {
    var all = new ArrayList<Peer>();
    for (var name : services) {
      for (var member : coordination.members(name).values()) {
        if (!(name.equals(service) && member.replica().equals(replica))) {
          all.add(new Peer(name, member.replica(), member.address()));
        }
      }
    }
    return all;
  }

  private void compare(Peer peer) throws InterruptedException {
    var known = compared.computeIfAbsent(peer, _ -> new HashMap<>());
    var request = LogDigestsRequest.newBuilder();
    known.forEach((partition, c) ->
        request.putAfter(
            partition.toString(),
            // what differed is looked at again: one of the two may have been put right
            c.differs() ? c.to() - 1 : c.to()));
    var own = loader.digests(); // before the other's: what is in both is of the same records
    var before = loader.current();
    var reply = stub(peer, CALL_LIMIT).digests(request.build());
    if (!reply.getLog().equals(loader.current().position().log().toString())
        || !reply.getEncoding().equals(EventCodec.digestVersion())) {
      return; // another log is refused elsewhere; another version says nothing
    }
    for (var theirs : reply.getPartitionsList()) {
      var partition = LogPartition.parse(theirs.getPartition());
      var marks = partition.flatMap(p -> Optional.ofNullable(own.get(p)));
      if (marks.isPresent()) {
        compare(
            peer,
            reply,
            partition.get(),
            marks.get(),
            DigestCodec.model(theirs).orElse(DigestMarks.NONE),
            known);
      }
    }
    var after = loader.current();
    for (var theirs : reply.getPartitionsList()) {
      var partition =
          LogPartition.parse(theirs.getPartition()).filter(loader.partitions()::contains);
      var here =
          partition.flatMap(p ->
              Stream.of(before, after)
                  .filter(s -> s.position().of(p) == theirs.getNext())
                  .findFirst());
      var digest = Digest.parse(theirs.getDigest());
      if (here.isPresent() && digest.isPresent() && theirs.getNext() > 0) {
        compareEnd(peer, reply, partition.get(), here.get(), digest.get());
      }
    }
  }

  /**
   * Where both are equally far, which a partition that nothing is written to for a while gets to:
   * compaction or not, everybody has the last record of each key there.
   */
  private void compareEnd(
      Peer peer, LogDigestsReply reply, LogPartition partition, Snapshot here, Digest theirs)
      throws InterruptedException {
    long next = here.position().of(partition);
    var known = ends.computeIfAbsent(peer, _ -> new HashMap<>());
    var last = Optional.ofNullable(known.get(partition));
    if (last.filter(end -> end.next() == next && !end.differs()).isPresent()) {
      return;
    }
    var own = here.image().digest(partition);
    boolean before = last.filter(End::differs).isPresent();
    boolean now = !own.equals(theirs);
    known.put(partition, new End(next, now));
    boolean told =
        Optional.ofNullable(compared.get(peer))
            .map(partitions -> partitions.get(partition))
            .filter(Compared::differs)
            .isPresent();
    if (now && !before && !told) {
      differs(peer, reply, partition, next, own, theirs);
    } else if (before && !now && !told) {
      same(reply, partition);
    }
  }

  private void compare(
      Peer peer,
      LogDigestsReply reply,
      LogPartition partition,
      DigestMarks own,
      DigestMarks theirs,
      Map<LogPartition, Compared> known)
      throws InterruptedException {
    var readers = new TreeMap<String, DigestMarks>();
    readers.put("own", own);
    readers.put("other", theirs);
    var comparison = DigestMarks.compare(readers);
    if (comparison.numbers() == 0) {
      return;
    }
    digests.add(comparison.numbers());
    boolean before =
        Optional.ofNullable(known.get(partition)).filter(Compared::differs).isPresent();
    boolean now = !own.exact(comparison.to()).equals(theirs.exact(comparison.to()));
    known.put(partition, new Compared(comparison.to(), now));
    boolean toldOfEnd =
        Optional.ofNullable(ends.get(peer))
            .map(partitions -> partitions.get(partition))
            .filter(End::differs)
            .isPresent();
    if (comparison.differs().isPresent() && !before && !toldOfEnd) {
      var first = comparison.differs().get();
      differs(
          peer,
          reply,
          partition,
          first.offset(),
          own.exact(first.number()).orElseThrow(),
          theirs.exact(first.number()).orElseThrow());
    } else if (before && !now) {
      same(reply, partition);
    }
  }

  private void differs(
      Peer peer,
      LogDigestsReply reply,
      LogPartition partition,
      long offset,
      Digest own,
      Digest theirs)
      throws InterruptedException {
    faults.increment();
    log.atError()
        .addKeyValue("event", "log.digest.differs")
        .addKeyValue("partition", partition)
        .addKeyValue("offset", offset)
        .addKeyValue("digest", own)
        .addKeyValue("other", reply.getReplica())
        .addKeyValue("address", peer.address())
        .addKeyValue("otherDigest", theirs)
        .addKeyValue("objects", objects(peer, partition))
        .log("Another replica has other objects at the same offset: one of the two is wrong");
  }

  private static void same(LogDigestsReply reply, LogPartition partition) {
    log.atWarn()
        .addKeyValue("event", "log.digest.same")
        .addKeyValue("partition", partition)
        .addKeyValue("other", reply.getReplica())
        .log("What differed was overwritten meanwhile");
  }

  /** In words: which differ now, whatever is written meanwhile. */
  private String objects(Peer peer, LogPartition partition) throws InterruptedException {
    try {
      var earlier = loader.current();
      var other =
          DigestCodec.model(
              stub(peer, OBJECTS_LIMIT)
                  .objects(
                      LogObjectsRequest.newBuilder()
                          .setPartition(partition.toString())
                          .setWaitFor(PositionCodec.proto(at(earlier, partition)))
                          .build()));
      var later =
          loader
              .applied(Map.of(partition, other.next()))
              .get(CALL_LIMIT.toNanos(), TimeUnit.NANOSECONDS);
      var differences =
          PartitionObjects.differences(
              Optional.of(objects(earlier, partition)), objects(later, partition), other);
      if (differences.isEmpty()) {
        return "none any more";
      }
      return differences.stream()
              .limit(NAMED)
              .map(d -> d.words(replica, peer.replica()))
              .collect(Collectors.joining("; "))
          + (differences.size() > NAMED ? "; and " + (differences.size() - NAMED) + " more" : "");
    } catch (StatusRuntimeException | TimeoutException | ExecutionException e) {
      return "unknown: " + e.getMessage();
    }
  }

  private static Position at(Snapshot snapshot, LogPartition partition) {
    return Position.start(snapshot.position().log())
        .with(partition, snapshot.position().of(partition));
  }

  private PartitionObjects objects(Snapshot snapshot, LogPartition partition) {
    return PartitionObjects.at(
        snapshot.position().of(partition),
        PartitionObjects.of(snapshot.image(), loader.partitioning(), partition));
  }

  private LogGrpc.LogBlockingStub stub(Peer peer, Duration limit) {
    return LogGrpc.newBlockingStub(peers.at(peer.address()))
        .withDeadlineAfter(limit.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Nothing is asked, and no peer is needed, after that. */
  @Override
  public void close() {
    thread.interrupt();
    try {
      if (thread.isAlive() && !thread.join(CALL_LIMIT)) {
        log.atWarn().log("The comparison of digests goes on after its end");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
