package io.fairlead.dns.zone;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Member;
import io.fairlead.core.model.Acknowledgement.Role;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.FeatureLevels;
import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.Time;
import io.fairlead.eventlog.acks.AckPublisher;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.log.EventLog;
import io.fairlead.eventlog.log.FollowListener.Connection;
import io.fairlead.eventlog.snapshot.Snapshots;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the log, however long that takes, and has the zone follow it. Until then names of other
 * zones can be answered all the same, which is why nobody waits for this. Owns one virtual thread,
 * which ends when the log is found, and the loader's.
 */
public final class ZoneReader implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ZoneReader.class);
  private static final Duration RETRY = Duration.ofSeconds(1);
  private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);

  /** Said again often: who is not heard of any more is taken for gone. */
  private static final AckPublisher.Settings ACKS =
      new AckPublisher.Settings(
          Duration.ofMillis(200), 1, Duration.ofSeconds(5), Duration.ofMillis(500));

  /** The log, and what reads it. */
  public record Reading(
      EventLog log,
      List<LogPartition> partitions,
      Loader loader,
      Snapshots snapshots,
      AckPublisher acks) {}

  /**
   * Who acknowledges what the zone has, so that others know what is not answered any more.
   *
   * @param ttl for how long others may remember an answer
   */
  public record Self(String replica, Duration ttl) {}

  private final Supplier<EventLog> open;
  private final Self self;
  private final Optional<Snapshots.Settings> kept;
  private final ZonePublisher zones;
  private final FaultHandler faults;
  private final Time time;
  private final Thread thread;
  private volatile Optional<Reading> reading = Optional.empty();
  private volatile String trouble = "not reached yet";
  private volatile boolean closed;

  /** Of the loader's thread. */
  private long words;

  private ZoneReader(
      Supplier<EventLog> open,
      ZonePublisher zones,
      Self self,
      Optional<Snapshots.Settings> kept,
      FaultHandler faults,
      Time time) {
    this.open = open;
    this.self = self;
    this.kept = kept;
    this.zones = zones;
    this.faults = faults;
    this.time = time;
    this.thread = Thread.ofVirtual().name("dns-log").unstarted(this::run);
  }

  /**
   * Returns at once.
   *
   * @param open tries once, for as long as it likes; may throw whatever it likes. Ends when
   *     interrupted
   * @param kept where the image is kept between starts; empty = nowhere
   */
  public static ZoneReader start(
      Supplier<EventLog> open,
      ZonePublisher zones,
      Self self,
      Optional<Snapshots.Settings> kept,
      FaultHandler faults,
      Time time) {
    var reader = new ZoneReader(open, zones, self, kept, faults, time);
    reader.thread.start();
    return reader;
  }

  /** Empty until the log was found. */
  public Optional<Reading> reading() {
    return reading;
  }

  /** Whether the zone has once reached what was the end of the log when that was found. */
  public boolean synced() {
    return reading.filter(r -> r.loader().synced()).isPresent();
  }

  /** What the start took, and what snapshots were written since. */
  public void figures(Snapshots.Figure gauge, Snapshots.Figure counter) {
    Snapshots.startFigures(() -> reading.map(Reading::loader), gauge);
    Snapshots.digestFigures(() -> reading.map(Reading::loader), gauge);
    Snapshots.writeFigures(() -> reading.map(Reading::snapshots), gauge, counter);
  }

  /** Whether the log is reached now. */
  public boolean connected() {
    return reading.filter(r -> r.loader().connection() == Connection.CONNECTED).isPresent();
  }

  /**
   * Why the zone does not follow the log; empty = it does, or would if the log were reached: what
   * it holds then is the last that anybody knows.
   */
  public Optional<String> trouble() {
    var found = reading;
    if (found.isEmpty()) {
      return Optional.of(trouble);
    }
    var loader = found.get().loader();
    if (loader.fault().isPresent()) {
      return Optional.of("the zone is frozen: " + loader.fault().get().getMessage());
    }
    return loader.synced()
        ? Optional.empty()
        : Optional.of(
            loader.connection() == Connection.CONNECTED
                ? "not read to its end yet"
                : "not reached, and not read to its end yet");
  }

  private void run() {
    try {
      while (!closed) {
        try {
          read(open.get());
          return;
        } catch (RuntimeException e) {
          if (closed) {
            return;
          }
          var cause = String.valueOf(e.getMessage());
          if (!cause.equals(trouble)) {
            LOG.atWarn()
                .addKeyValue("cause", cause)
                .log("The log cannot be opened yet, trying again");
          }
          trouble = cause;
        }
        time.sleep(RETRY);
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  /** The zone has it: answers are what it says from now on. */
  private Acknowledgement word(Position position) {
    return new Acknowledgement(
        new Member(Role.DNS, self.replica()),
        0,
        ++words,
        Optional.of(position),
        "",
        List.of(),
        self.ttl(),
        FeatureLevels.CURRENT.supported());
  }

  private void read(EventLog log) {
    var acks = AckPublisher.start(log.acks(), ACKS, time);
    try {
      var partitions = log.partitioning().all();
      var snapshots = new Snapshots(kept, log, partitions, time);
      var loader =
          Loader.start(
              log,
              partitions,
              List.of(zones, (_, _, manifest) -> acks.say(word(manifest.position()))),
              faults,
              time,
              snapshots.read().map(Snapshots.Kept::restored));
      snapshots.keep(loader, List::of);
      reading = Optional.of(new Reading(log, partitions, loader, snapshots, acks));
    } catch (RuntimeException e) {
      acks.close();
      log.close();
      throw e;
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      if (!thread.join(CLOSE_LIMIT)) {
        LOG.atWarn().log("Opening the log does not end; left behind");
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    reading.ifPresent(r -> {
      r.snapshots().close();
      r.loader().close();
      r.acks().close();
      r.log().close();
    });
  }
}
