package io.fairlead.endpoints.acks;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Member;
import io.fairlead.core.model.Acknowledgement.Role;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The last word of each member, by session and sequence, whichever way it came. Bounded: who was
 * not heard of for a long time is forgotten, and of too many those who were heard of longest ago.
 * Thread-safe; soft.
 */
final class AckTable {
  /** Words are said again every 20 s or so. */
  static final Duration KEPT = Duration.ofMinutes(10);

  static final int MOST = 20_000;

  /**
   * A word.
   *
   * @param heardNanos when it was heard last
   */
  record Heard(Acknowledgement word, long heardNanos) {}

  private final int most;

  /** Guards the fields below. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Condition changed = lock.newCondition();

  /** Who was heard of last comes last. */
  private final SequencedMap<Member, Heard> heard = new LinkedHashMap<>();

  private long changes;

  AckTable() {
    this(MOST);
  }

  AckTable(int most) {
    this.most = most;
  }

  /** Takes a word unless a later one of its member is known; it may be one that is known. */
  void take(Acknowledgement word, long nowNanos) {
    lock.lock();
    try {
      var before = Optional.ofNullable(heard.get(word.member())).map(Heard::word);
      if (before.isPresent() && isOlder(word, before.get())) {
        return;
      }
      heard.remove(word.member());
      heard.putLast(word.member(), new Heard(word, nowNanos));
      while (heard.size() > most
          || nowNanos - heard.firstEntry().getValue().heardNanos() > KEPT.toNanos()) {
        heard.pollFirstEntry();
      }
      if (before.filter(word::saysTheSameAs).isEmpty()) {
        changes++;
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Only a node has sessions, and words that come by two ways, at once and through the topic; all
   * others are heard through the topic alone, which keeps their order, also over their restarts.
   */
  private static boolean isOlder(Acknowledgement word, Acknowledgement known) {
    return word.member().role() == Role.NODE
        && (word.session() < known.session()
            || (word.session() == known.session() && word.sequence() < known.sequence()));
  }

  Optional<Heard> of(Role role, String name) {
    lock.lock();
    try {
      return Optional.ofNullable(heard.get(new Member(role, name)));
    } finally {
      lock.unlock();
    }
  }

  /** All of one role, in no particular order. */
  List<Heard> all(Role role) {
    lock.lock();
    try {
      return heard.values().stream().filter(h -> h.word().member().role() == role).toList();
    } finally {
      lock.unlock();
    }
  }

  int size() {
    lock.lock();
    try {
      return heard.size();
    } finally {
      lock.unlock();
    }
  }

  /** How often somebody said something new. */
  long changes() {
    lock.lock();
    try {
      return changes;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until somebody said something new since {@code seen} changes, but not longer than that.
   */
  void awaitChange(long seen, Duration limit) throws InterruptedException {
    lock.lock();
    try {
      long left = limit.toNanos();
      while (changes == seen && left > 0) {
        left = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Those who wait look again. */
  void nudge() {
    lock.lock();
    try {
      changes++;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
