package io.fairlead.allocator.decider;

import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.decider.Answer;
import io.fairlead.decider.Decider;
import io.fairlead.decider.Request;
import io.fairlead.etcd.Coordination;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes down which reservations are over: etcd alone knows, and tells nobody, so the owner of the
 * Services looks, one virtual thread. A reservation is in etcd before its record is in the log, so
 * what the image has and etcd, asked after it, has not, is over. Soft; whoever owns next looks too.
 * Nobody waits for the record: an address is free as soon as etcd says so.
 */
public final class ReservationEnds implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ReservationEnds.class);
  private static final String ACTOR = "service:allocator";
  static final Duration EVERY = Duration.ofSeconds(1);

  private final Decider<ServiceCommand, ServiceOutcome> decider;
  private final BooleanSupplier owning;
  private final Coordination coordination;
  private final Supplier<ClusterImage> image;
  private final Time time;
  private final LongAdder ended = new LongAdder();
  private final Thread thread;

  private ReservationEnds(
      Decider<ServiceCommand, ServiceOutcome> decider,
      BooleanSupplier owning,
      Coordination coordination,
      Supplier<ClusterImage> image,
      Time time) {
    this.decider = decider;
    this.owning = owning;
    this.coordination = coordination;
    this.image = image;
    this.time = time;
    this.thread = Thread.ofVirtual().name("reservation-ends").unstarted(this::run);
  }

  /**
   * Begins.
   *
   * @param owning whether this replica owns the Services
   * @param image the newest that it has
   */
  public static ReservationEnds start(
      Decider<ServiceCommand, ServiceOutcome> decider,
      BooleanSupplier owning,
      Coordination coordination,
      Supplier<ClusterImage> image,
      Time time) {
    var ends = new ReservationEnds(decider, owning, coordination, image, time);
    ends.thread.start();
    return ends;
  }

  /** How many were found to be over and written down by this process. */
  public long ended() {
    return ended.sum();
  }

  private void run() {
    try {
      while (true) {
        try {
          look();
        } catch (GatewayException e) { // etcd is away, and whether anything is over with it
          log.atDebug().setCause(e).log("reservations not looked at");
        }
        time.sleep(EVERY);
      }
    } catch (InterruptedException _) { // closed
      Thread.currentThread().interrupt();
    }
  }

  private void look() throws InterruptedException {
    var known = image.get().reservations();
    if (known.size() == 0 || !owning.getAsBoolean()) {
      return;
    }
    var living = coordination.reservations().keySet();
    var asked =
        new ArrayList<CompletableFuture<Answer<ServiceOutcome>>>(); // to share a transaction
    for (var one : known.all()) {
      var id = one.object().uid();
      if (!living.contains(id)) {
        asked.add(
            decider.submit(
                LogPartition.SERVICES,
                Request.internal(
                    ACTOR, new ServiceCommand.EndReservation(id), "its lease ran out")));
      }
    }
    for (var answer : asked) {
      await(answer);
    }
  }

  private void await(CompletableFuture<Answer<ServiceOutcome>> asked) throws InterruptedException {
    try {
      if (asked.get() instanceof Answer.Decided<ServiceOutcome>(var reply, _)
          && reply instanceof ServiceOutcome.ReservationEnded) {
        ended.increment();
      }
    } catch (ExecutionException e) { // a fault, told where it happened
      log.atDebug().setCause(e).log("end of a reservation not written");
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join(Duration.ofSeconds(5));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
