package io.fairlead.endpoints.decider;

import io.fairlead.core.decide.Orphaning;
import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Pod;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.PodCondition;
import io.fairlead.decider.Answer;
import io.fairlead.decider.Decider;
import io.fairlead.decider.Request;
import io.fairlead.endpoints.decider.OrphanedPods.Orphans;
import io.fairlead.etcd.Coordination;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What owners do without being asked, one virtual thread: say that a node is lost, make the Pods of
 * lost nodes unready, delete those that nobody reports any more, end Pods whose grace period or
 * lease is over. Each replica does it for the partitions it owns; commands are idempotent, so doing
 * it twice is harmless. Soft.
 */
public final class Duties implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Duties.class);
  private static final String ACTOR = "service:endpoints";

  private final String replica;
  private final Partitioning partitioning;
  private final Decider<PodCommand, PodOutcome> decider;
  private final Coordination coordination;
  private final Supplier<ClusterImage> image;
  private final NodeLossSettings settings;
  private final Time time;
  private final MissingNodes missing;
  private final GracePeriods grace;
  private final PodLeases leases;
  private final Map<String, Long> deletedNodes;
  private final OrphanedPods orphaned;
  private final Semaphore wake;
  private final Thread thread;
  private final Set<String> failing = new HashSet<>();

  /** Told already, though not in the log yet. */
  private final Set<MissingNodes.Missing> losing = new HashSet<>();

  /** The same of Pods, by uid. */
  private final Set<UUID> expiring = new HashSet<>();

  /** And of Pods that nobody reports. */
  private final Set<Orphans> collecting = new HashSet<>();

  private OptionalLong lookedNanos = OptionalLong.empty();

  private final LongAdder failures = new LongAdder();
  private final LongAdder collected = new LongAdder();

  /** Commands that are not answered yet. */
  private final Set<PodCommand> underWay = ConcurrentHashMap.newKeySet();

  private volatile int held;
  private volatile boolean closed;

  /** What the duties are told by the loader; apart, because the loader starts before them. */
  public static final class Inbox {
    private final GracePeriods grace = new GracePeriods();
    private final PodLeases leases;
    private final Time time;

    /** With the session that they were lost in; until nothing of them is left. */
    private final Map<String, Long> deletedNodes = new ConcurrentHashMap<>();

    private final Semaphore wake = new Semaphore(0);

    public Inbox(PodLeases leases, Time time) {
      this.leases = leases;
      this.time = time;
    }

    /**
     * The loader applied a delta; called on its thread.
     *
     * @param entries that led to it
     */
    public void update(ClusterDelta delta, ClusterImage image, List<LogEntry> entries) {
      leases.update(delta, image);
      grace.update(delta, image, entries, time.now(), time.nanoTime());
      boolean lost = false;
      for (var name : delta.nodes()) {
        var node = image.nodes().get(name);
        var before = delta.base().nodes().get(name);
        if (node.isPresent()) {
          deletedNodes.remove(name);
        } else if (before.isPresent()) {
          deletedNodes.put(name, before.get().object().session(before.get().offset()));
        }
        lost |= node.isEmpty() || node.get().object().state() == Node.State.LOST;
      }
      if (lost) {
        wake.release();
      }
    }
  }

  private Duties(
      String replica,
      Partitioning partitioning,
      Decider<PodCommand, PodOutcome> decider,
      Coordination coordination,
      Supplier<ClusterImage> image,
      Inbox inbox,
      NodeLossSettings settings,
      Time time) {
    this.replica = replica;
    this.partitioning = partitioning;
    this.decider = decider;
    this.coordination = coordination;
    this.image = image;
    this.settings = settings;
    this.time = time;
    this.missing = new MissingNodes(settings);
    this.grace = inbox.grace;
    this.leases = inbox.leases;
    this.deletedNodes = inbox.deletedNodes;
    this.orphaned = new OrphanedPods(settings.podsKept());
    this.wake = inbox.wake;
    this.thread = Thread.ofVirtual().name("endpoints-duties").unstarted(this::run);
  }

  /**
   * Begins.
   *
   * @param image the newest that this replica has
   */
  public static Duties start(
      String replica,
      Partitioning partitioning,
      Decider<PodCommand, PodOutcome> decider,
      Coordination coordination,
      Supplier<ClusterImage> image,
      Inbox inbox,
      NodeLossSettings settings,
      Time time) {
    var duties =
        new Duties(replica, partitioning, decider, coordination, image, inbox, settings, time);
    duties.thread.start();
    return duties;
  }

  /**
   * How many nodes look lost but are held back because so many went at once; an alarm where it is
   * not 0.
   */
  public int held() {
    return held;
  }

  /** How often a duty failed; anything but 0 is a defect. */
  public long failures() {
    return failures.sum();
  }

  /** How many Pods this replica had deleted because nobody reported them any more. */
  public long collected() {
    return collected.sum();
  }

  private void run() {
    try {
      while (!closed) {
        perform("lose nodes", this::loseNodes);
        perform("lose pods", this::losePods);
        perform("collect pods", this::collectPods);
        perform("end pods", this::endPods);
        perform("expire pods", this::expirePods);
        wake.tryAcquire(settings.tick().toNanos(), TimeUnit.NANOSECONDS);
        wake.drainPermits();
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * A duty that fails must not end the others, nor itself for good: nobody would notice that nodes
   * are not lost any more. It is tried again at the next tick; told once until it works again.
   */
  private void perform(String duty, Consumer<ClusterImage> task) {
    try {
      task.accept(image.get());
      failing.remove(duty);
    } catch (RuntimeException e) {
      failures.increment();
      if (failing.add(duty)) {
        log.atError()
            .addKeyValue("event", "duty.failed")
            .addKeyValue("duty", duty)
            .setCause(e)
            .log("A duty of the owners failed; trying on");
      }
    }
  }

  private boolean owns(LogPartition partition) {
    return decider.owner(partition).filter(o -> o.replica().equals(replica)).isPresent();
  }

  private void loseNodes(ClusterImage now) {
    if (!owns(LogPartition.NODES)) {
      missing.forget();
      held = 0;
      return;
    }
    Set<String> present;
    Set<MissingNodes.Missing> left;
    try {
      present = coordination.nodes().keySet();
      left =
          coordination.left().values().stream()
              .map(node -> new MissingNodes.Missing(node.node(), node.session()))
              .collect(Collectors.toSet());
    } catch (GatewayException e) {
      missing.forget();
      return;
    }
    var verdict = missing.look(now, present, left, time.nanoTime());
    if (!verdict.held().isEmpty() && held == 0) {
      log.atError()
          .addKeyValue("event", "nodes.loss.held")
          .addKeyValue("nodes", verdict.held().size())
          .addKeyValue("for", settings.massHold())
          .log("Many nodes are gone at once, which is probably not the nodes: held back");
    }
    held = verdict.held().size();
    losing.retainAll(verdict.lost());
    for (var node : verdict.lost()) {
      if (losing.add(node)) {
        log.atInfo()
            .addKeyValue("event", "node.losing")
            .addKeyValue("node", node.node())
            .addKeyValue("session", node.session())
            .log("Node has no lease");
      }
      ask(
          LogPartition.NODES,
          new PodCommand.LoseNode(
              node.node(),
              node.session(),
              left.contains(node)
                  ? "its agent's connection ended "
                      + settings.afterClose().toSeconds()
                      + " s ago, and no replica has its stream"
                  : "no lease for " + settings.after().toSeconds() + " s"),
          "node lease ran out");
    }
  }

  /** Whatever is ready on a lost node is not: also a Pod that somebody puts there later. */
  private void losePods(ClusterImage now) {
    for (var versioned : now.nodes().all()) {
      var node = versioned.object();
      if (node.state() == Node.State.LOST) {
        losePods(now, node.name(), node.session(versioned.offset()));
      }
    }
    // also of one that was deleted before all of its Pods were written unready
    deletedNodes.forEach((node, session) -> losePods(now, node, session));
  }

  private void losePods(ClusterImage now, String node, long session) {
    var namespaces = new TreeSet<String>();
    for (var name : now.pods().onNode(node)) {
      now.pods()
          .get(name)
          .filter(pod -> PodCondition.of(now.pods(), pod.object()).ready())
          .ifPresent(_ -> namespaces.add(name.namespace()));
    }
    for (var namespace : namespaces) {
      var partition = partitioning.ofNamespace(namespace);
      if (owns(partition)) {
        ask(partition, new PodCommand.NodeLostPods(namespace, node, session), "node lost");
      }
    }
  }

  /** Pods that nobody reports any more, after their time; those of a deleted node at once. */
  private void collectPods(ClusterImage now) {
    long nanos = time.nanoTime();
    if (deletedNodes.isEmpty()
        && lookedNanos.isPresent()
        && nanos - lookedNanos.getAsLong() < settings.podsTick().toNanos()) {
      return;
    }
    lookedNanos = OptionalLong.of(nanos);
    var due =
        orphaned.look(now, deletedNodes.keySet(), nanos).stream()
            .filter(orphans -> owns(partitioning.ofNamespace(orphans.namespace())))
            .toList();
    collecting.retainAll(due);
    boolean unsure =
        due.stream().anyMatch(orphans -> orphans.why() instanceof Orphaning.NodeLost)
            && manyAreMissing(now);
    for (var orphans : due) {
      if (unsure && orphans.why() instanceof Orphaning.NodeLost) {
        continue;
      }
      if (collecting.add(orphans)) {
        log.atInfo()
            .addKeyValue("event", "pods.collecting")
            .addKeyValue("node", orphans.node())
            .addKeyValue("namespace", orphans.namespace())
            .addKeyValue("pods", orphans.count())
            .addKeyValue("reason", orphans.why().cause())
            .log("Nobody reports these Pods any more");
      }
      ask(
          partitioning.ofNamespace(orphans.namespace()),
          new PodCommand.CollectPods(orphans.namespace(), orphans.node(), orphans.why()),
          orphans.why().cause(),
          this::count);
    }
    deletedNodes.keySet().removeIf(node -> isSettled(now, node));
  }

  /** What went, not what was to go: it may have been reported again, or be gone already. */
  private void count(PodOutcome outcome) {
    if (outcome instanceof PodOutcome.Collected(var pods)) {
      collected.add(pods);
    }
  }

  /** Whether a deleted node left nothing behind that is to be seen to. */
  private static boolean isSettled(ClusterImage now, String node) {
    return now.nodes().get(node).isEmpty() // else it was not read yet that it is gone
        && now.pods().onNode(node).stream()
            .flatMap(name -> now.pods().get(name).stream())
            .map(Versioned::object)
            .noneMatch(pod -> pod.goesWithItsNode() || PodCondition.of(now.pods(), pod).ready());
  }

  /** Whether it is probably not the nodes that are gone; also where nobody can say. */
  private boolean manyAreMissing(ClusterImage now) {
    try {
      var present = coordination.nodes().keySet();
      // also of those that were given up already: they do not come back by being written lost
      var known = now.nodes().all().stream().map(node -> node.object().name()).toList();
      var missing = known.stream().filter(node -> !present.contains(node)).count();
      return settings.isMassLoss((int) missing, known.size());
    } catch (GatewayException _) {
      return true;
    }
  }

  private void endPods(ClusterImage now) {
    for (var name : grace.over(time.nanoTime())) {
      var partition = partitioning.ofNamespace(name.namespace());
      if (owns(partition)) {
        now.pods()
            .get(name)
            .map(Versioned::object)
            .filter(pod -> pod.status().deleting().isPresent())
            .ifPresent(pod ->
                ask(
                    partition,
                    new PodCommand.DeletePod(name, pod.uid().toString(), OptionalInt.of(0)),
                    "grace period over"));
      }
    }
  }

  private void expirePods(ClusterImage now) {
    var overdue =
        leases.overdue(
            now, name -> owns(partitioning.ofNamespace(name.namespace())), time.nanoTime());
    expiring.retainAll(overdue.stream().map(Pod::uid).collect(Collectors.toSet()));
    for (var pod : overdue) {
      if (expiring.add(pod.uid())) {
        log.atInfo()
            .addKeyValue("event", "pod.expiring")
            .addKeyValue("object", pod.name())
            .addKeyValue("source", pod.source())
            .log("Pod was not applied again within its lease");
      }
      ask(
          partitioning.ofNamespace(pod.name().namespace()),
          new PodCommand.ExpirePod(pod.name(), pod.uid()),
          "lease ran out");
    }
  }

  /**
   * Fire and forget: what does not succeed is found again at the next tick. Not while it is still
   * under way: else an owner that cannot commit for a while would have its queue filled by us.
   */
  private void ask(LogPartition partition, PodCommand command, String cause) {
    ask(partition, command, cause, _ -> {});
  }

  /**
   * The same.
   *
   * @param decided called when it was
   */
  private void ask(
      LogPartition partition, PodCommand command, String cause, Consumer<PodOutcome> decided) {
    if (!underWay.add(command)) {
      return;
    }
    CompletableFuture<Answer<PodOutcome>> answer;
    try {
      answer = decider.submit(partition, Request.internal(ACTOR, command, cause));
    } catch (RuntimeException e) {
      underWay.remove(command);
      throw e;
    }
    var _ =
        answer.whenComplete((given, fault) -> {
          underWay.remove(command);
          if (given instanceof Answer.Decided<PodOutcome>(var outcome, _)) {
            decided.accept(outcome);
          }
          if (fault != null) {
            log.atWarn()
                .setCause(fault)
                .addKeyValue("partition", partition)
                .log("Own command failed");
          }
        });
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
  }
}
