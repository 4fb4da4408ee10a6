package io.fairlead.endpoints.stream;

import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.Member;
import io.fairlead.v1.Move;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shares the agents with the other replicas: after one was away, all are at the others, and stay,
 * as their streams work. A replica that holds far more than its share asks some of its agents to go
 * to one that holds less: few in a second, none before it has been so for a while, never more than
 * it has too many, each of them seldom. Every replica looks for itself at what etcd says; while
 * etcd does not answer nobody is moved. One virtual thread. Soft.
 */
public final class Rebalancer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Rebalancer.class);

  /** An agent that was asked, and to go where. */
  private record Asked(String to, long nanos) {}

  private final String service;
  private final String replica;
  private final NodeStreams streams;
  private final Coordination coordination;
  private final RebalanceSettings settings;
  private final StreamStats stats;
  private final Time time;
  private final RandomSource random;
  private final Thread thread;

  // Of the thread alone.
  private Set<String> ready = Set.of();
  private long sameSinceNanos;
  private boolean moving;
  private final Map<String, Asked> asked = new HashMap<>();

  private Rebalancer(
      String service,
      String replica,
      NodeStreams streams,
      Coordination coordination,
      RebalanceSettings settings,
      StreamStats stats,
      Time time,
      RandomSource random) {
    this.service = service;
    this.replica = replica;
    this.streams = streams;
    this.coordination = coordination;
    this.settings = settings;
    this.stats = stats;
    this.time = time;
    this.random = random;
    this.sameSinceNanos = time.nanoTime();
    this.thread = Thread.ofVirtual().name("rebalancer").unstarted(this::run);
  }

  /**
   * Begins.
   *
   * @param service whose members share the agents
   */
  public static Rebalancer start(
      String service,
      String replica,
      NodeStreams streams,
      Coordination coordination,
      RebalanceSettings settings,
      StreamStats stats,
      Time time,
      RandomSource random) {
    var rebalancer =
        new Rebalancer(service, replica, streams, coordination, settings, stats, time, random);
    if (settings.perSecond() > 0) {
      rebalancer.thread.start();
    }
    return rebalancer;
  }

  private void run() {
    try {
      while (true) {
        time.sleep(jittered(settings.tick()));
        try {
          look();
        } catch (GatewayException e) { // nothing is known: nobody is moved
          log.atDebug().setCause(e).log("Not known where agents are");
        } catch (RuntimeException e) {
          log.atError().setCause(e).log("Agents are not shared; trying on");
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private Duration jittered(Duration about) {
    return Duration.ofNanos(about.toNanos() / 2 + random.generator().nextLong(about.toNanos() + 1));
  }

  private void look() throws InterruptedException {
    forget();
    var members = readyMembers();
    if (!members.keySet().equals(ready)) {
      ready = Set.copyOf(members.keySet());
      asked.clear(); // it is another question now
      sameSinceNanos = time.nanoTime();
    }
    if (!ready.contains(replica) || ready.size() < 2) {
      moving = false;
      return;
    }
    var shares = shares();
    boolean tooMany = shares.tooMany(settings.slack());
    if (!moving && !tooMany) {
      sameSinceNanos = time.nanoTime();
    }
    // a replica that died is a member for as long as its lease lives, and its agents are here
    if (time.nanoTime() - sameSinceNanos < settings.settle().toNanos()) {
      moving = false;
      return;
    }
    if (!moving && tooMany) {
      moving = true;
      log.atInfo()
          .addKeyValue("event", "streams.rebalancing")
          .addKeyValue("held", shares.held())
          .addKeyValue("fair", shares.fair())
          .log("Other replicas hold fewer agents: some are asked to go there");
    }
    if (moving) {
      var to = shares.destinations(most());
      ask(to, members);
      if (shares.excess() == 0) {
        moving = false;
        log.atInfo()
            .addKeyValue("event", "streams.rebalanced")
            .addKeyValue("held", shares.held())
            .log("This replica holds its share of the agents, or is about to");
      }
    }
  }

  private int most() {
    return (int) Math.max(1, settings.perSecond() * settings.tick().toMillis() / 1000);
  }

  private SortedMap<String, Member> readyMembers() {
    var members = new TreeMap<>(coordination.members(service));
    members.values().removeIf(member -> !member.ready());
    return members;
  }

  /**
   * As it will be when those have gone who were asked a moment ago: each node counts once, though
   * its stream is over here and its key not there yet.
   */
  private Shares shares() {
    var holders = new HashMap<String, String>();
    for (var node : coordination.nodes().values()) {
      if (!node.replica().equals(replica)) {
        holders.put(node.node(), node.replica());
      }
    }
    for (var stream : streams.all()) {
      if (!stream.isOver()) {
        holders.put(stream.node(), replica);
      }
    }
    asked.forEach((node, going) -> {
      if (ready.contains(going.to())
          && time.nanoTime() - going.nanos() < settings.leaves().toNanos()) {
        holders.put(node, going.to());
      }
    });
    return Shares.of(replica, ready, holders.values());
  }

  private void ask(List<String> destinations, SortedMap<String, Member> members)
      throws InterruptedException {
    var candidates = new ArrayList<NodeStream>();
    for (var stream : streams.all()) {
      if (stream.canMove() && !asked.containsKey(stream.node())) {
        candidates.add(stream);
      }
    }
    Collections.shuffle(candidates, random.generator());
    var pause = Duration.ofSeconds(1).dividedBy(settings.perSecond());
    for (var to : destinations) {
      if (candidates.isEmpty()) {
        return; // all that are left were asked before, or are too old to be
      }
      var stream = candidates.removeLast();
      stream.move(
          Move.newBuilder()
              .addTo(
                  Move.Replica.newBuilder()
                      .setReplica(to)
                      .setAddress(
                          Optional.ofNullable(members.get(to)).map(Member::address).orElse("")))
              .build());
      stats.movesAsked.increment();
      asked.put(stream.node(), new Asked(to, time.nanoTime()));
      time.sleep(jittered(pause));
    }
  }

  /**
   * Those who were asked long ago, so that what is kept is bounded, and they may be asked again.
   */
  private void forget() {
    asked
        .values()
        .removeIf(going -> time.nanoTime() - going.nanos() >= settings.askAgain().toNanos());
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
