package io.fairlead.decider.watch;

import io.fairlead.api.Errors;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.eventlog.load.Manifest;
import io.fairlead.eventlog.load.Publisher;
import io.fairlead.eventlog.load.Snapshot;
import io.grpc.StatusRuntimeException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedCollection;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What the image was a while ago: the last changes, each with what it replaced, so that any image
 * since then can be had from the newest one by stepping back. It knows images by position, not by
 * when this replica had them, and so tells the same as any other replica, also after a start: the
 * changes that were read then count too, as far as compaction left all of them. Soft; derived;
 * bounded. Written by the loader's thread, read by all.
 */
public final class History implements Publisher {
  /**
   * How much is kept.
   *
   * @param bytes of what was replaced
   */
  public record Limits(int changes, long bytes) {
    public static final Limits DEFAULT = new Limits(100_000, 64L << 20);
  }

  /** Of a change of something that was not there. */
  private static final int LEAST_BYTES = 200;

  /** One change, and what it replaced. */
  private record Step(
      LogPartition partition,
      long offset,
      ObjectKey key,
      Optional<Versioned<? extends DomainObject>> before,
      int bytes) {}

  /**
   * The image of a moment, and what happened since.
   *
   * @param back from now to then
   * @param changed keys in the order of their last changes
   * @param went from now to an image that has, besides, what came and went since, as it was last
   * @param wentImage that image
   */
  public record Then(
      ClusterImage image,
      Snapshot now,
      ClusterDelta back,
      SequencedCollection<ObjectKey> changed,
      ClusterDelta went,
      ClusterImage wentImage) {}

  private final Instant completeSince;
  private final Limits limits;

  /** Guards the fields below. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Deque<Step> steps = new ArrayDeque<>();
  private long bytes;

  /** For each partition the first position since which all changes are known; absent = 0. */
  private final SortedMap<LogPartition, Long> oldest = new TreeMap<>();

  /** Partitions of which something was read that is retained with all that came after it. */
  private final Set<LogPartition> complete = new HashSet<>();

  private Snapshot current;

  /**
   * Knows nothing yet.
   *
   * @param completeSince before anything is read: compaction removed none of what the log took
   *     since then
   */
  public History(LogIdentity log, Instant completeSince) {
    this(log, completeSince, Limits.DEFAULT);
  }

  History(LogIdentity log, Instant completeSince, Limits limits) {
    this.completeSince = completeSince;
    this.limits = limits;
    this.current = new Snapshot(ClusterImage.EMPTY, Position.start(log));
  }

  @Override
  public void onUpdate(ClusterDelta delta, ClusterImage image, Manifest manifest) {
    var fresh = steps(delta, manifest.entries());
    lock.lock();
    try {
      current = new Snapshot(image, manifest.position());
      for (var step : fresh) {
        if (complete.add(step.partition())) {
          raise(step.partition(), step.offset()); // of what was before, something may be missing
        }
        steps.add(step);
        bytes += step.bytes();
      }
      unknown(manifest.entries()).forEach(this::raise);
      manifest
          .position()
          .next()
          .forEach((partition, next) -> {
            if (!complete.contains(partition)) {
              raise(partition, next);
            }
          });
      while (steps.size() > limits.changes() || bytes > limits.bytes()) {
        var gone = steps.remove();
        bytes -= gone.bytes();
        raise(gone.partition(), gone.offset() + 1);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Those that are retained with all that came after them. What they replaced is retained, too:
   * only a record that may itself be replaced makes compaction remove another.
   */
  private List<Step> steps(ClusterDelta delta, List<LogEntry> entries) {
    var steps = new ArrayList<Step>();
    var latest = new HashMap<ObjectKey, Optional<Versioned<? extends DomainObject>>>();
    for (var entry : entries) {
      var key = entry.event().key();
      Optional<Versioned<? extends DomainObject>> before =
          latest.containsKey(key) ? latest.get(key) : delta.base().get(key);
      latest.put(key, after(entry));
      if (!entry.timestamp().isBefore(completeSince)) {
        int size = before.map(Versioned::size).orElse(0) + LEAST_BYTES;
        steps.add(new Step(entry.partition(), entry.offset(), key, before, size));
      }
    }
    return steps;
  }

  /**
   * Where the last entry stands that is not among the steps: also behind some that are, where the
   * clock by which the log stamps its entries was set back, as from one broker to another.
   */
  private SortedMap<LogPartition, Long> unknown(List<LogEntry> entries) {
    var next = new TreeMap<LogPartition, Long>();
    for (var entry : entries) {
      if (entry.timestamp().isBefore(completeSince)) {
        next.put(entry.partition(), entry.offset() + 1);
      }
    }
    return next;
  }

  private static Optional<Versioned<? extends DomainObject>> after(LogEntry entry) {
    return switch (entry.event()) {
      case LogEvent.Stored(var object, _) -> Optional.of(Versioned.at(object, entry.offset()));
      case LogEvent.Deleted _, LogEvent.Tombstone _ -> Optional.empty();
    };
  }

  private void raise(LogPartition partition, long next) {
    oldest.merge(partition, next, Math::max);
  }

  /**
   * The image of a moment, made from the newest one. Costs what happened since.
   *
   * @param position of this log, and not ahead of this replica
   * @throws StatusRuntimeException POSITION_TOO_OLD
   */
  public Then at(Position position) {
    Snapshot now;
    var first = new LinkedHashMap<ObjectKey, Step>(); // since then; who changed last comes first
    var last = new HashMap<ObjectKey, Step>(); // that replaced something
    lock.lock();
    try {
      now = current;
      if (!now.position().covers(position)) {
        throw new IllegalArgumentException(position + " is ahead of " + now.position());
      }
      if (!position.coversOffsets(oldest)) {
        throw Errors.positionTooOld(
            position.offsets(), new Position(position.log(), oldest).offsets());
      }
      var behind = new HashSet<>(complete);
      behind.removeIf(partition -> position.of(partition) >= current.position().of(partition));
      for (var newest = steps.descendingIterator(); newest.hasNext() && !behind.isEmpty(); ) {
        var step = newest.next();
        if (step.offset() < position.of(step.partition())) {
          behind.remove(step.partition());
        } else {
          first.put(step.key(), step); // keeps its place
          if (step.before().isPresent()) {
            last.putIfAbsent(step.key(), step);
          }
        }
      }
    } finally {
      lock.unlock();
    }
    var back = new ClusterDelta(now.image());
    var went = new ClusterDelta(now.image());
    first.forEach((key, step) -> {
      back.restore(key, step.partition(), step.before());
      var gone = last.get(key);
      if (gone != null && step.before().isEmpty() && now.image().get(key).isEmpty()) {
        went.restore(key, gone.partition(), gone.before());
      }
    });
    return new Then(
        back.apply(),
        now,
        back,
        List.copyOf(first.sequencedKeySet().reversed()),
        went,
        went.apply());
  }

  /** How many changes are kept, for metrics. */
  public int size() {
    lock.lock();
    try {
      return steps.size();
    } finally {
      lock.unlock();
    }
  }

  /** How much memory what they replaced takes, about, in bytes; for metrics. */
  public long bytes() {
    lock.lock();
    try {
      return bytes;
    } finally {
      lock.unlock();
    }
  }
}
