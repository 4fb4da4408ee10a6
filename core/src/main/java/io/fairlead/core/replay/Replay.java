package io.fairlead.core.replay;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.replay.Moment.At;
import io.fairlead.core.replay.Moment.Before;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * From the entries of a log to what they added up to at a moment. Takes them all, within each
 * partition in order; used by one thread.
 *
 * <p>Compaction removes an entry only where a later one of its key is as old as the window. So a
 * moment within the window has all that counted then, and so has the end of the log. Of any other
 * moment nothing is said: an entry of then may be gone, and leaves no trace.
 */
public final class Replay {
  private final Moment moment;
  private final Position end;
  private final ClusterDelta counted = new ClusterDelta(ClusterImage.EMPTY);
  private Position position;
  private Optional<Instant> last = Optional.empty();
  private Optional<Instant> begin = Optional.empty();
  private Optional<Instant> next = Optional.empty();

  /** Whether these count is known once the last of the named partitions is. */
  private final List<LogEntry> open = new ArrayList<>();

  /**
   * @param end of the log as far as entries will be taken
   */
  public Replay(Moment moment, Position end) {
    this.moment = moment;
    this.end = end;
    this.position = Position.start(end.log());
  }

  /** A position that is not there, which can be said before anything is taken. */
  public Optional<Replayed.BehindTheEnd> behindTheEnd() {
    return switch (moment) {
      case At _ -> Optional.empty();
      case Before(var next) ->
          next.entrySet().stream()
              .filter(e -> e.getValue() > end.of(e.getKey()))
              .map(e -> new Replayed.BehindTheEnd(e.getKey(), e.getValue(), end.of(e.getKey())))
              .findFirst();
    };
  }

  public void take(LogEntry entry) {
    if (begin.filter(time -> !entry.timestamp().isBefore(time)).isEmpty()) {
      begin = Optional.of(entry.timestamp());
    }
    switch (moment) {
      case At(var time) -> countIf(!entry.timestamp().isAfter(time), entry);
      case Before(var next) -> {
        var limit = next.get(entry.partition());
        if (limit == null) {
          open.add(entry);
        } else {
          countIf(entry.offset() < limit, entry);
        }
      }
    }
  }

  private void countIf(boolean counts, LogEntry entry) {
    if (!counts) {
      if (next.filter(time -> !entry.timestamp().isBefore(time)).isEmpty()) {
        next = Optional.of(entry.timestamp());
      }
      return;
    }
    counted.replay(entry);
    if (position.of(entry.partition()) <= entry.offset()) {
      position = position.with(entry.partition(), entry.offset() + 1);
    }
    if (last.filter(time -> !entry.timestamp().isAfter(time)).isEmpty()) {
      last = Optional.of(entry.timestamp());
    }
  }

  /**
   * After the last entry.
   *
   * @param retainedSince every entry that the log took since then was taken here
   */
  public Replayed result(Instant retainedSince) {
    var behind = behindTheEnd();
    if (behind.isPresent()) {
      return behind.get();
    }
    var named = last;
    open.forEach(
        entry -> countIf(named.filter(t -> !entry.timestamp().isAfter(t)).isPresent(), entry));
    open.clear();
    if (last.isEmpty() && begin.isPresent()) {
      return new Replayed.NothingYet(begin.get());
    }
    var completeSince = begin.filter(time -> time.isAfter(retainedSince)).orElse(retainedSince);
    var asked =
        switch (moment) {
          case At(var time) -> time;
          case Before _ -> last.orElse(completeSince);
        };
    if (asked.isBefore(completeSince) && !isTheEnd()) {
      return new Replayed.Incomplete(asked, completeSince);
    }
    return new Replayed.State(counted.apply(), last, position, completeSince, next);
  }

  /** What is there at the end of a log is there whatever was removed: keys keep their last. */
  private boolean isTheEnd() {
    return switch (moment) {
      case At _ -> false; // something may have come, and gone without a trace, between then and now
      case Before(var next) ->
          end.next().entrySet().stream()
              .allMatch(e -> next.getOrDefault(e.getKey(), 0L) >= e.getValue());
    };
  }
}
