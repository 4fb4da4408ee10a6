package io.fairlead.core.decide;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.record.Change;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;

/** Ranges and Services as a sequence of decisions makes them, each at the next offset of a log. */
final class DecidedServices {
  final RandomSource random = RandomSource.seeded(7);
  final SequencedSet<Address> freshlyFreed = new LinkedHashSet<>();
  final Map<Address, ObjectName> taken = new HashMap<>();
  final Map<Address, ReservedAddress> reserved = new HashMap<>();
  final List<LogEntry> log = new ArrayList<>();
  ServiceSettings settings = ServiceSettings.DEFAULT;
  ClusterImage image = ClusterImage.EMPTY;
  Instant now = Instant.parse("2026-11-01T00:00:00Z");
  Decision<ServiceOutcome> last = Decision.answer(refusedNothing());

  static DecidedServices in(String... cidrs) {
    var services = new DecidedServices();
    services.range(ServiceCidr.DEFAULT_NAME, cidrs);
    return services;
  }

  void range(String name, String... cidrs) {
    append(new Change.Put(cidr(name, Optional.empty(), cidrs)));
  }

  void terminatingRange(String name, String... cidrs) {
    append(new Change.Put(cidr(name, Optional.of(now), cidrs)));
  }

  private static ServiceCidr cidr(String name, Optional<Instant> deleting, String... cidrs) {
    return new ServiceCidr(
        new ObjectMeta(
            "",
            name,
            new UUID(1, name.hashCode()),
            new TreeMap<>(),
            new TreeMap<>(),
            Instant.EPOCH),
        Stream.of(cidrs).map(Cidr::of).toList(),
        deleting);
  }

  private static ServiceOutcome refusedNothing() {
    return new ServiceOutcome.Deleted(
        new ObjectName("", ""), new UUID(0, 0), java.util.OptionalLong.empty());
  }

  /** Decides, appends what was decided, and gives the reply as the caller gets it. */
  ServiceOutcome decide(ServiceCommand command) {
    now = now.plus(Duration.ofSeconds(1));
    last =
        ServicesDecider.decide(
            image,
            command,
            new ServicesContext(now, random, Set.of(), taken, reserved, freshlyFreed, settings));
    last.changes().forEach(this::append);
    last.frees().forEach(claim -> freshlyFreed.add(claim.address()));
    return last.changes().isEmpty() ? last.reply() : last.reply().at(log.getLast().offset());
  }

  /** As {@link #decide}, of what must succeed. */
  Service stored(ServiceCommand command) {
    var outcome = decide(command);
    if (outcome instanceof ServiceOutcome.Stored stored) {
      return stored.service();
    }
    throw new AssertionError("refused: " + outcome);
  }

  String ip(ServiceCommand command) {
    return stored(command).spec().clusterIps().getFirst().toString();
  }

  /** As {@link #decide}, of what must be refused. */
  Refusal refused(ServiceCommand command) {
    var outcome = decide(command);
    if (outcome instanceof ServiceOutcome.Refused(var refusal)) {
      return refusal;
    }
    throw new AssertionError("not refused: " + outcome);
  }

  /** Fields of all faults of what must be invalid, sorted. */
  List<String> faults(ServiceCommand command) {
    if (refused(command) instanceof Refusal.Invalid invalid) {
      return invalid.violations().stream()
          .map(v -> v.field() + " " + v.reason().text())
          .sorted()
          .toList();
    }
    throw new AssertionError("refused otherwise: " + last.reply());
  }

  ServiceOutcome delete(String name) {
    return decide(new ServiceCommand.Delete(new ObjectName("shop", name), "", ""));
  }

  ServiceOutcome deleteCidr(String name) {
    return decide(new ServiceCommand.DeleteCidr(name, "", ""));
  }

  static ServiceCidrDraft cidrDraft(String name, String... cidrs) {
    return new ServiceCidrDraft(name, Map.of(), Map.of(), List.of(cidrs), "", "");
  }

  private void append(Change change) {
    var envelope =
        new Envelope(
            random.uuid(), now, "test", Optional.empty(), Optional.empty(), Optional.empty());
    var event =
        switch (change) {
          case Change.Put(var object) -> new LogEvent.Stored(object, envelope);
          case Change.Remove(var key, var uid) -> new LogEvent.Deleted(key, uid, envelope);
        };
    var entry = new LogEntry(LogPartition.SERVICES, log.size() + 10L, now, event);
    log.add(entry);
    var delta = new ClusterDelta(image);
    delta.replay(entry);
    image = delta.apply();
  }
}
