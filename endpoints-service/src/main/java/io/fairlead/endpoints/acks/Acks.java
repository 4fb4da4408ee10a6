package io.fairlead.endpoints.acks;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Manifests;
import io.fairlead.core.model.Acknowledgement.Member;
import io.fairlead.core.model.Acknowledgement.Refused;
import io.fairlead.core.model.Acknowledgement.Role;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.Time;
import io.fairlead.endpoints.acks.AckTable.Heard;
import io.fairlead.eventlog.acks.AckPublisher;
import io.fairlead.eventlog.acks.AckTopic;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all members acknowledge, for this replica: passes on what the nodes of its own streams say,
 * and knows what those of the others do. It says something of itself every second, and so sees
 * whether what is said arrives: where it does not for a while, nobody knows of the nodes of others.
 * Soft; nothing waits for it but those who ask. Threads: the publisher's, the reader's, one that
 * speaks for this replica.
 */
public final class Acks implements AutoCloseable {
  /** Between two words of this replica. */
  private static final Duration BEAT = Duration.ofSeconds(1);

  /** Without an own word for so long, what is known of others is old. */
  static final Duration DEAF = Duration.ofSeconds(5);

  private static final Logger log = LoggerFactory.getLogger(Acks.class);

  private final Member self;
  private final Time time;
  private final AckTable table = new AckTable();
  private final AtomicLong sequence = new AtomicLong();
  private final AckPublisher publisher;
  private final AutoCloseable reader;
  private final Thread thread;
  private final long startNanos;

  /** When the last own word that came back was said. */
  private volatile Optional<Long> heardSelfNanos = Optional.empty();

  private volatile boolean closed;

  private Acks(String replica, AckTopic topic, AckPublisher.Settings settings, Time time) {
    this.self = new Member(Role.REPLICA, replica);
    this.time = time;
    this.startNanos = time.nanoTime();
    this.publisher = AckPublisher.start(topic, settings, time);
    this.reader = topic.read(this::heard);
    this.thread = Thread.ofVirtual().name("acks-beat").unstarted(this::beat);
  }

  /** Returns at once, whether or not the topic can be reached. */
  public static Acks start(String replica, AckTopic topic, Time time) {
    return start(replica, topic, AckPublisher.Settings.DEFAULT, time);
  }

  static Acks start(String replica, AckTopic topic, AckPublisher.Settings settings, Time time) {
    var acks = new Acks(replica, topic, settings, time);
    acks.thread.start();
    return acks;
  }

  /** A node said this on the stream that is here; never blocks. */
  public void said(
      String node,
      long session,
      Optional<Position> position,
      String error,
      List<Refused> refused,
      Manifests manifests) {
    var word =
        Acknowledgement.ofNode(node, session, sequence.incrementAndGet(), position, error, refused)
            .with(manifests);
    table.take(word, time.nanoTime());
    publisher.say(word);
  }

  /** The stream of that session is not here any more. */
  public void left(String node, long session) {
    publisher.forget(new Member(Role.NODE, node), session);
    table.nudge();
  }

  /**
   * Why nothing is known of what members of other replicas acknowledged lately; empty = it is
   * known.
   */
  public Optional<String> trouble() {
    var last = heardSelfNanos;
    long silentNanos = time.nanoTime() - last.orElse(startNanos);
    if (last.isPresent() && silentNanos <= DEAF.toNanos()) {
      return Optional.empty();
    }
    return Optional.of(
        last.isEmpty()
            ? "acknowledgements of other replicas cannot be read yet (topic "
                + AckTopic.KAFKA_NAME
                + ")"
            : "acknowledgements of other replicas cannot be read for %d s (topic %s)"
                .formatted(Duration.ofNanos(silentNanos).toSeconds(), AckTopic.KAFKA_NAME));
  }

  /** What was heard of a node last, in whichever session. */
  Optional<Acknowledgement> ofNode(String node) {
    return table.of(Role.NODE, node).map(Heard::word);
  }

  /** What replicas of dns-service said last, and when that was heard. */
  List<Heard> ofDns() {
    return table.all(Role.DNS);
  }

  public long changes() {
    return table.changes();
  }

  public void awaitChange(long seen, Duration limit) throws InterruptedException {
    table.awaitChange(seen, limit);
  }

  /** Something else changed that those who wait may want to know. */
  public void nudge() {
    table.nudge();
  }

  /** How many members are known, for metrics. */
  public int members() {
    return table.size();
  }

  /** How many words were passed on, for metrics. */
  public long published() {
    return publisher.published();
  }

  /** How often passing on failed, for metrics. */
  public long failures() {
    return publisher.failures();
  }

  private void heard(Acknowledgement word) {
    if (word.member().equals(self)) {
      // of an earlier life of this replica it would be from another clock
      if (word.session() == startNanos) {
        heardSelfNanos = Optional.of(startNanos + word.sequence());
      }
    } else if (word.member().role() != Role.REPLICA) {
      table.take(word, time.nanoTime());
    }
  }

  /** What it says of itself is when it says so. */
  private void beat() {
    try {
      while (!closed) {
        publisher.say(
            new Acknowledgement(
                self,
                startNanos,
                time.nanoTime() - startNanos,
                Optional.empty(),
                "",
                List.of(),
                Duration.ZERO));
        time.sleep(BEAT);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    publisher.close();
    try {
      reader.close();
    } catch (Exception e) {
      log.atWarn().setCause(e).log("Reader of acknowledgements not closed cleanly");
    }
  }
}
