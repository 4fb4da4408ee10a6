package io.fairlead.eventlog.acks;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Member;
import io.fairlead.core.model.Acknowledgement.Role;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Passes on what the members that are served here acknowledge: only the last word of each, only
 * where it says something new, not more often than the spacing; and each again after a while, for a
 * topic that lost it. What waits is bounded by the members. One virtual thread; soft.
 */
public final class AckPublisher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(AckPublisher.class);

  /**
   * @param spacing between two words of one member, at least; more where there are hundreds
   * @param batch words written together, at most
   * @param refresh after which a word is said again although nothing changed
   * @param pause after a failure
   */
  public record Settings(Duration spacing, int batch, Duration refresh, Duration pause) {
    public static final Settings DEFAULT =
        new Settings(Duration.ofMillis(200), 500, Duration.ofSeconds(20), Duration.ofMillis(500));
  }

  /** All members together say something 2,000 times a second at most. */
  private static final long SHARE_NANOS = 500_000;

  /** Between two looks at who has something to say. */
  private static final Duration ROUND = Duration.ofMillis(10);

  private static final class Word {
    private Acknowledgement ack;
    private boolean fresh = true;
    private long dueNanos;

    Word(Acknowledgement ack, long dueNanos) {
      this.ack = ack;
      this.dueNanos = dueNanos;
    }
  }

  private final AckTopic topic;
  private final Settings settings;
  private final Time time;
  private final Thread thread;
  private final Semaphore wake = new Semaphore(0);
  private final LongAdder published = new LongAdder();
  private final LongAdder failures = new LongAdder();

  /** Guards the words. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Map<Member, Word> words = new HashMap<>();
  private boolean told;

  private AckPublisher(AckTopic topic, Settings settings, Time time) {
    this.topic = topic;
    this.settings = settings;
    this.time = time;
    this.thread = Thread.ofVirtual().name("acks-publisher").unstarted(this::run);
  }

  /** Returns at once, whether or not the topic can be reached. */
  public static AckPublisher start(AckTopic topic, Settings settings, Time time) {
    var publisher = new AckPublisher(topic, settings, time);
    publisher.thread.start();
    return publisher;
  }

  /** Takes a member's word; never blocks. One of an older session than the last is dropped. */
  public void say(Acknowledgement ack) {
    lock.lock();
    try {
      var before = words.get(ack.member());
      if (before == null) {
        words.put(ack.member(), new Word(ack, time.nanoTime()));
      } else if (ack.session() < before.ack.session()) {
        return;
      } else {
        boolean same = ack.saysTheSameAs(before.ack);
        before.ack = ack;
        if (same) {
          return;
        }
        if (!before.fresh) { // said once already, and so may have to wait for the spacing
          before.fresh = true;
          before.dueNanos += spacingNanos(ack.member()) - settings.refresh().toNanos();
        }
      }
    } finally {
      lock.unlock();
    }
    wake.release();
  }

  /** With the lock held. A replica's own word is how it finds out that words arrive. */
  private long spacingNanos(Member member) {
    return member.role() == Role.REPLICA
        ? settings.spacing().toNanos()
        : Math.min(
            settings.refresh().toNanos(),
            Math.max(settings.spacing().toNanos(), words.size() * SHARE_NANOS));
  }

  /** What this member said is not repeated any more, unless it opened a later session. */
  public void forget(Member member, long session) {
    lock.lock();
    try {
      var word = words.get(member);
      if (word != null && word.ack.session() <= session) {
        words.remove(member);
      }
    } finally {
      lock.unlock();
    }
  }

  /** How many words were written, for metrics. */
  public long published() {
    return published.sum();
  }

  /** How often writing failed, for metrics. */
  public long failures() {
    return failures.sum();
  }

  private void run() {
    try {
      while (true) {
        long lookNanos = time.nanoTime();
        var due = due();
        if (due.isEmpty()) {
          wake.tryAcquire(untilDueNanos(), TimeUnit.NANOSECONDS);
          wake.drainPermits();
          var early = ROUND.minusNanos(time.nanoTime() - lookNanos);
          if (early.isPositive()) { // thousands of members wake it all the time
            time.sleep(early);
          }
        } else {
          publish(due);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  private void publish(List<Acknowledgement> due) throws InterruptedException {
    try {
      topic.publish(due);
      published.add(due.size());
      told = false;
    } catch (GatewayException e) {
      failures.increment();
      if (!told) {
        told = true;
        log.atWarn()
            .addKeyValue("event", "acks.unpublished")
            .addKeyValue("cause", e.getMessage())
            .log("What members acknowledge cannot be passed on, trying on");
      }
      again(due);
      time.sleep(settings.pause());
    } catch (RuntimeException e) {
      failures.increment();
      log.atError().setCause(e).log("What members acknowledge was not passed on");
      time.sleep(settings.pause());
    }
  }

  /** Those whose time has come, longest due first; they count as said. */
  private List<Acknowledgement> due() {
    lock.lock();
    try {
      long now = time.nanoTime();
      var due = new ArrayList<Word>();
      for (var word : words.values()) {
        if (now - word.dueNanos >= 0) {
          due.add(word);
        }
      }
      due.sort((a, b) -> Long.signum(a.dueNanos - b.dueNanos));
      var chosen = due.subList(0, Math.min(due.size(), settings.batch()));
      for (var word : chosen) {
        word.fresh = false;
        word.dueNanos = now + settings.refresh().toNanos();
      }
      return chosen.stream().map(word -> word.ack).toList();
    } finally {
      lock.unlock();
    }
  }

  private void again(List<Acknowledgement> unsaid) {
    lock.lock();
    try {
      for (var ack : unsaid) {
        var word = words.get(ack.member());
        if (word != null) {
          word.fresh = true;
          word.dueNanos = time.nanoTime();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private long untilDueNanos() {
    lock.lock();
    try {
      long now = time.nanoTime();
      long least = settings.refresh().toNanos();
      for (var word : words.values()) {
        least = Math.min(least, word.dueNanos - now);
      }
      return Math.max(0, least);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
