package io.fairlead.allocator.decider;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Service;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.eventlog.load.Manifest;
import io.fairlead.eventlog.load.Publisher;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Writes one line for each change of a Service or a reservation, on the replica that owns them,
 * where the change is applied. Loader's thread.
 */
public final class ServiceJournal implements Publisher {
  private static final Logger log = LoggerFactory.getLogger(ServiceJournal.class);

  private volatile BooleanSupplier owning = () -> false;

  /** From now on; before that nothing is written. */
  public void writeWhile(BooleanSupplier condition) {
    owning = condition;
  }

  @Override
  public void onUpdate(ClusterDelta delta, ClusterImage image, Manifest manifest) {
    if (manifest.entries().isEmpty() || !owning.getAsBoolean()) {
      return;
    }
    for (var entry : manifest.entries()) {
      switch (entry.event()) {
        case LogEvent.Stored(Service service, var envelope) ->
            stored(delta, entry, service, envelope);
        case LogEvent.Deleted(var key, var uid, var envelope) when key.kind() == Kind.SERVICE ->
            line("service.deleted", entry, envelope).addKeyValue("uid", uid).log("Service deleted");
        case LogEvent.Stored(Reservation reservation, var envelope) ->
            line("reservation.made", entry, envelope)
                .addKeyValue("holder", reservation.holder())
                .addKeyValue("address", reservation.addresses())
                .addKeyValue("ttl", reservation.ttl())
                .log("Addresses reserved");
        case LogEvent.Deleted(var key, _, var envelope) when key.kind() == Kind.RESERVATION ->
            line("reservation.ended", entry, envelope)
                .addKeyValue("cause", envelope.cause().orElse("released"))
                .log("Reservation ended");
        case LogEvent.Stored _, LogEvent.Deleted _, LogEvent.Tombstone _ -> {}
      }
    }
  }

  private static void stored(
      ClusterDelta delta, LogEntry entry, Service service, Envelope envelope) {
    boolean known = delta.base().services().get(service.name()).isPresent();
    line(known ? "service.configured" : "service.created", entry, envelope)
        .addKeyValue("uid", service.uid())
        .addKeyValue("address", service.spec().clusterIps())
        .addKeyValue("balancing", service.spec().balancing().text())
        .log(known ? "Service configured" : "Service created");
  }

  private static LoggingEventBuilder line(String event, LogEntry entry, Envelope envelope) {
    return log.atInfo()
        .addKeyValue("event", event)
        .addKeyValue("object", entry.event().key())
        .addKeyValue("version", entry.offset())
        .addKeyValue("actor", envelope.actor())
        .addKeyValue("position", entry.partition() + ":" + (entry.offset() + 1));
  }
}
