package io.fairlead.agent.stream;

import io.fairlead.agent.nft.ApplyResult;
import io.fairlead.agent.nft.ApplyResult.FamilyResult;
import io.fairlead.agent.nft.DataPlane;
import io.fairlead.agent.nft.Refused;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.v1.RefusedRule;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the image to disk, then to the kernel, so that the kernel is ahead of the disk only where
 * the disk fails; and knows what the kernel equals and the disk holds. Owned by the loop.
 */
final class Committer {
  private static final Logger LOG = LoggerFactory.getLogger(Committer.class);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  /** While the disk fails the kernel gets changes only that often. */
  private static final Duration LONGEST_DISK_PAUSE = Duration.ofSeconds(1);

  /**
   * Positions without changes go to disk and into the table that late: losing one costs nothing but
   * a bookmark.
   */
  private static final Duration LAZY = Duration.ofSeconds(1);

  private static final Duration CHECK = Duration.ofSeconds(1);

  private final NodeImage image;
  private final DataPlane plane;
  private final FlowCleaner flows;
  private final LoopMetrics metrics;
  private final FaultPoints points;
  private final Time time;

  private boolean due;
  private boolean whole = true; // nothing is known of the kernel, or too much in doubt
  private volatile OptionalLong queuedNanos = OptionalLong.empty();

  /** When the first change that the kernel lacks was accepted, as far as that is known. */
  private Optional<Instant> accepted = Optional.empty();

  /** What was accepted before tells nothing of how fast this process is. */
  private final Instant began;

  private int failures;
  private long retryNanos;
  private long checkNanos;
  private long lazyNanos;
  private volatile Optional<Position> committed = Optional.empty();
  private volatile String error = "";
  private volatile List<RefusedRule> refused = List.of();

  Committer(
      NodeImage image,
      DataPlane plane,
      FlowCleaner flows,
      LoopMetrics metrics,
      FaultPoints points,
      Time time) {
    this.image = image;
    this.plane = plane;
    this.flows = flows;
    this.metrics = metrics;
    this.points = points;
    this.time = time;
    this.began = time.now();
    this.checkNanos = time.nanoTime() + CHECK.toNanos();
    this.lazyNanos = time.nanoTime() + LAZY.toNanos();
  }

  /** What the kernel equals; empty = nothing was committed yet by this process. */
  Optional<Position> committed() {
    return committed;
  }

  /** Why the last attempt failed; "" = it did not. */
  String error() {
    return error;
  }

  List<RefusedRule> refused() {
    return refused;
  }

  /** The view changed. */
  void changed() {
    due = true;
    if (queuedNanos.isEmpty()) {
      queuedNanos = OptionalLong.of(time.nanoTime());
    }
    metrics.lastQueued.set(time.now().toEpochMilli() / 1e3);
  }

  /** When the first of the changes was accepted that {@link #changed} told of. */
  void accepted(Instant when) {
    accepted = Optional.of(accepted.filter(earlier -> earlier.isBefore(when)).orElse(when));
  }

  /** How long a change has been waiting for the kernel; any thread may ask. */
  Duration queuedFor() {
    var since = queuedNanos;
    return since.isPresent()
        ? Duration.ofNanos(Math.max(0, time.nanoTime() - since.getAsLong()))
        : Duration.ZERO;
  }

  /** The view is another one: all of it is to be compared. */
  void replaced() {
    whole = true;
    changed();
  }

  /** The image moved without a change; whether the kernel equals it there, too. */
  boolean moved() {
    if (due || committed.isEmpty()) {
      return false;
    }
    committed = image.position();
    return true;
  }

  /** When {@link #run} has something to do. */
  long dueNanos() {
    long next = committed.isPresent() || due ? Math.min(checkNanos, lazyNanos) : lazyNanos;
    return due ? Math.min(next, retryNanos) : next;
  }

  /** What came of {@link #run}. */
  enum Outcome {
    NOTHING,
    /** To be told to the replica: committed, or an error. */
    TOLD
  }

  Outcome run() {
    long nowNanos = time.nanoTime();
    if (due && (failures == 0 || nowNanos - retryNanos >= 0)) {
      commit();
      return Outcome.TOLD;
    }
    if (nowNanos - lazyNanos >= 0) {
      lazyNanos = nowNanos + LAZY.toNanos();
      if (!due && committed.isPresent() && !plane.position().equals(image.position())) {
        due = true; // so that a failure is tried again
        commit();
        return Outcome.TOLD;
      }
    }
    if (nowNanos - checkNanos >= 0) {
      checkNanos = nowNanos + CHECK.toNanos();
      return check();
    }
    return Outcome.NOTHING;
  }

  private void commit() {
    long startNanos = time.nanoTime();
    var disk = persist();
    if (disk.isEmpty()) {
      points.reached(FaultPoint.DISK_WRITTEN);
    }
    var position = image.position().orElseThrow();
    var changed = image.takeChanged();
    ApplyResult result;
    try {
      result =
          whole
              ? plane.apply(image.view().rules(), position)
              : plane.apply(image.view().rules(), changed, position);
    } catch (GatewayException e) {
      whole = true;
      failed("kernel", String.valueOf(e.getMessage()), LONGEST_PAUSE);
      return;
    }
    rememberRefused();
    if (!result.committed()) {
      whole = true;
      failed("kernel", words(result), LONGEST_PAUSE);
      return;
    }
    points.reached(FaultPoint.KERNEL_WRITTEN);
    long endNanos = time.nanoTime();
    whole = false;
    metrics.lastSync.set(time.now().toEpochMilli() / 1e3);
    flows.committed(image.takeTouched(), image.view());
    if (disk.isPresent()) {
      failed("disk", disk.get(), LONGEST_DISK_PAUSE);
      return;
    }
    due = false;
    committed = Optional.of(position);
    metrics.syncSeconds.observe((endNanos - startNanos) / 1e9);
    queuedNanos.ifPresent(queued -> metrics.queuedSeconds.observe((endNanos - queued) / 1e9));
    queuedNanos = OptionalLong.empty();
    accepted
        .filter(when -> !when.isBefore(began))
        .map(when -> Duration.between(when, time.now()))
        .ifPresent(took ->
            metrics.programmingSeconds.observe(Math.max(0, took.toNanos()) / 1e9)); // two clocks
    accepted = Optional.empty();
    metrics.frontends.set(image.view().rules().ports().size());
    recovered();
    LOG.atDebug()
        .addKeyValue("position", position.offsets())
        .addKeyValue("changed", changed.size())
        .addKeyValue("transactions", result.transactions())
        .log("Kernel equals the view");
  }

  /**
   * What the disk said where it failed. The kernel gets the change all the same, as connections
   * must not go to Pods that are gone because a disk is full; but nothing is acknowledged until the
   * disk has it. Should the agent end before that, the rules stay until the stream has caught up.
   */
  private Optional<String> persist() {
    try {
      image.persist();
      return Optional.empty();
    } catch (GatewayException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /** The kernel's tables may have been changed by somebody else. */
  private Outcome check() {
    if (committed.isEmpty() || due) {
      return Outcome.NOTHING;
    }
    ApplyResult result;
    try {
      result = plane.check();
    } catch (GatewayException e) {
      due = true;
      whole = true;
      failed("kernel", String.valueOf(e.getMessage()), LONGEST_PAUSE);
      return Outcome.TOLD;
    }
    if (!result.committed()) {
      due = true;
      whole = true;
      failed("kernel", words(result), LONGEST_PAUSE);
      return Outcome.TOLD;
    }
    var before = refused;
    rememberRefused();
    boolean restored = false;
    for (var family : result.families().values()) {
      if (family instanceof FamilyResult.Committed done && done.commands() > 0) {
        restored = true;
      }
    }
    if (restored) {
      metrics.restored.inc();
      LOG.atWarn()
          .addKeyValue("event", "agent.tables-restored")
          .addKeyValue("families", result.families())
          .log("Somebody changed our tables; they are as they should be again");
    }
    return refused.equals(before) ? Outcome.NOTHING : Outcome.TOLD;
  }

  private void failed(String where, String words, Duration longest) {
    metrics.syncErrors.labelValues(where).inc();
    long pause = Math.min(FIRST_PAUSE.toNanos() << Math.min(failures, 10), longest.toNanos());
    failures++;
    retryNanos = time.nanoTime() + pause;
    var next = where + ": " + words;
    if (!next.equals(error)) {
      LOG.atError()
          .addKeyValue("event", "agent.commit-failed")
          .addKeyValue("where", where)
          .addKeyValue("words", words)
          .log("Position stays as it was, trying again");
    }
    error = next;
  }

  private void recovered() {
    if (failures > 0) {
      LOG.atInfo()
          .addKeyValue("event", "agent.commit-recovered")
          .addKeyValue("attempts", failures)
          .log("Disk and kernel take changes again");
    }
    failures = 0;
    error = "";
  }

  private void rememberRefused() {
    refused =
        plane.quarantined().stream()
            .sorted(Comparator.comparing(r -> text(r)))
            .map(r -> RefusedRule.newBuilder().setFrontend(text(r)).setReason(r.words()).build())
            .toList();
    metrics.refused.set(refused.size());
  }

  private static String text(Refused refused) {
    var frontend = refused.frontend();
    var host = frontend.vip().toString();
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host)
        + ":"
        + frontend.port()
        + "/"
        + frontend.protocol();
  }

  private static String words(ApplyResult result) {
    return result.families().entrySet().stream()
        .filter(e -> e.getValue() instanceof FamilyResult.Failed)
        .map(e -> e.getKey() + " " + ((FamilyResult.Failed) e.getValue()).words())
        .collect(Collectors.joining("; "));
  }
}
