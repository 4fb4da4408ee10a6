package io.fairlead.core.decide;

import io.fairlead.core.decide.Decision.Hold;
import io.fairlead.core.decide.ServiceOutcome.Refused;
import io.fairlead.core.decide.ServiceOutcome.Reserved;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.record.Change;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * Decides what happens to reservations: pure. The image names those that were made and not ended;
 * whether one has just run out is etcd's to say, so an address that only another reservation has is
 * asked for there, and what etcd answered comes back in {@link ServicesContext#reserved}.
 */
public final class ReservationsDecider {
  public static final Duration SHORTEST = Duration.ofSeconds(5);
  public static final Duration LONGEST = Duration.ofHours(24);
  public static final Duration DEFAULT_TTL = Duration.ofMinutes(10);

  /** Addresses of one reservation: all are claimed in one transaction of etcd. */
  public static final int MOST_AT_ONCE = 64;

  /** Reservations at the same time; each costs etcd a lease. */
  public static final int MOST = 1024;

  /** Addresses of all reservations together, so that nobody reserves a range away. */
  public static final int MOST_ADDRESSES = 4096;

  private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

  private final ClusterImage image;
  private final ServicesContext context;
  private final ServiceRanges ranges;
  private final Violations violations = new Violations();

  private ReservationsDecider(ClusterImage image, ServicesContext context) {
    this.image = image;
    this.context = context;
    this.ranges = ServiceRanges.of(image);
  }

  static Decision<ServiceOutcome> reserve(
      ClusterImage image, ServiceCommand.Reserve command, ServicesContext context) {
    return new ReservationsDecider(image, context).reserve(command.draft());
  }

  static Decision<ServiceOutcome> release(ClusterImage image, ServiceCommand.Release command) {
    var found = image.reservations().get(command.id()).map(Versioned::object);
    if (found.isEmpty()) {
      return refuse(new Refusal.NotFound(key(command.id())));
    }
    return switch (command.authority()) {
      case NONE -> refuse(new Refusal.WrongToken(found.get().key()));
      case TOKEN, FORCE -> end(found.get());
    };
  }

  static Decision<ServiceOutcome> ended(ClusterImage image, ServiceCommand.EndReservation command) {
    return image
        .reservations()
        .get(command.id().toString())
        .map(found -> end(found.object()))
        .orElseGet(() -> refuse(new Refusal.NotFound(Reservation.key(command.id()))));
  }

  private static Decision<ServiceOutcome> end(Reservation reservation) {
    return Decision.of(
        List.of(new Change.Remove(reservation.key(), reservation.uid())),
        new ServiceOutcome.ReservationEnded(reservation.uid(), OptionalLong.empty()));
  }

  private Decision<ServiceOutcome> reserve(ReservationDraft draft) {
    Names.checkLabel(violations, "holderNamespace", draft.holderNamespace());
    Names.checkLabel(violations, "holderName", draft.holderName());
    var ttl = draft.ttl().orElse(DEFAULT_TTL);
    if (ttl.compareTo(SHORTEST) < 0 || ttl.compareTo(LONGEST) > 0) {
      violations.invalid(
          "ttl", text(ttl), "must be from " + text(SHORTEST) + " to " + text(LONGEST));
    }
    if (!HASH.matcher(draft.tokenHash()).matches()) {
      violations.required("tokenHash", "must be the SHA-256 of a token, 32 bytes");
    }
    var named = named(draft);
    var family = family(draft);
    if (!violations.isEmpty()) {
      return refuse(new Refusal.Invalid(key(""), violations.list()));
    }
    var holder = new ObjectName(draft.holderNamespace(), draft.holderName());
    int count = draft.any().map(ReservationDraft.AnyStatic::count).orElse(named.size());
    var limit = limit(count);
    if (limit.isPresent()) {
      return refuse(limit.get());
    }
    var addresses = new ArrayList<Address>();
    for (var address : named) {
      var refusal = refusal(holder, address);
      if (refusal.isPresent()) {
        return refuse(refusal.get());
      }
      addresses.add(address);
    }
    if (draft.any().isPresent()) {
      addresses.addAll(picker().pickStatic(ranges.of(family), count));
      if (addresses.size() < count) {
        return refuse(
            new Refusal.BandFull(
                key(""),
                family,
                ranges.of(family),
                count,
                addresses.size(),
                ranges.ending(family)));
      }
    }
    var reservation =
        new Reservation(
            context.random().uuid7(context.now()), context.now(), holder, addresses, ttl);
    return new Decision<>(
        List.of(new Change.Put(reservation)),
        List.of(),
        List.of(),
        Optional.of(new Hold(reservation, draft.tokenHash())),
        new Reserved(reservation, OptionalLong.empty()));
  }

  private List<Address> named(ReservationDraft draft) {
    if (draft.any().isPresent() != draft.addresses().isEmpty()) {
      violations.invalid(
          "addresses",
          draft.any().isPresent()
              ? "not together with anyStatic"
              : "name addresses, or ask for anyStatic");
      return List.of();
    }
    if (draft.addresses().size() > MOST_AT_ONCE) {
      violations.tooLong(
          "addresses", "has " + draft.addresses().size() + ", must have at most " + MOST_AT_ONCE);
      return List.of();
    }
    var addresses = new ArrayList<Address>();
    var seen = new HashSet<Address>();
    for (int i = 0; i < draft.addresses().size(); i++) {
      var field = "addresses[" + i + "]";
      var text = draft.addresses().get(i);
      var address = Address.parse(text);
      if (address.isEmpty()) {
        violations.invalid(field, text, "is not an IP address");
      } else if (!seen.add(address.get())) {
        violations.duplicate(field, text);
      } else if (!ranges.giveOut(address.get())) {
        violations.invalid(field, text, ranges.notGivenOut(address.get()));
      } else {
        addresses.add(address.get());
      }
    }
    return addresses;
  }

  private Family family(ReservationDraft draft) {
    var any = draft.any();
    if (any.isEmpty()) {
      return ranges.defaultFamily();
    }
    int count = any.get().count();
    if (count < 1 || count > MOST_AT_ONCE) {
      violations.invalid("anyStatic.count", count, "must be from 1 to " + MOST_AT_ONCE);
    }
    var text = any.get().family();
    if (text.isEmpty()) {
      return ranges.defaultFamily();
    }
    var family = Arrays.stream(Family.values()).filter(f -> f.text().equals(text)).findFirst();
    if (family.isEmpty()) {
      violations.notSupported(
          "anyStatic.ipFamily", text, Arrays.stream(Family.values()).map(Family::text).toList());
    }
    return family.orElse(ranges.defaultFamily());
  }

  private Optional<Refusal> limit(int count) {
    var reservations = image.reservations();
    if (reservations.size() >= MOST) {
      return Optional.of(new Refusal.Limit(MOST + " reservations"));
    }
    return reservations.addresses() + count > MOST_ADDRESSES
        ? Optional.of(
            new Refusal.Limit(
                "%d reserved addresses, of which there are %d already"
                    .formatted(MOST_ADDRESSES, reservations.addresses())))
        : Optional.empty();
  }

  private Optional<Refusal> refusal(ObjectName holder, Address address) {
    var reserved = context.reserved().get(address);
    if (reserved != null) {
      return Optional.of(
          new Refusal.AddressReserved(
              key(""), address, reserved.holder(), reserved.reservation(), reserved.expires()));
    }
    return image
        .services()
        .holder(address)
        .or(() -> Optional.ofNullable(context.taken().get(address)))
        .or(() ->
            ranges
                .reserved()
                .filter(address::equals)
                .map(_ -> ServicesDecider.CONTROL_PLANE)
                .filter(owner -> !owner.equals(holder)))
        .map(owner -> new Refusal.AddressTaken(key(""), address, owner));
  }

  private AddressPicker picker() {
    var skip = new HashSet<>(context.avoid());
    skip.addAll(context.taken().keySet());
    skip.addAll(context.reserved().keySet());
    ranges.reserved().ifPresent(skip::add);
    return new AddressPicker(
        image.services().clusterIps(),
        skip,
        image.reservations().named(),
        context.freshlyFreed(),
        context.random().generator());
  }

  private static String text(Duration duration) {
    long seconds = duration.toSeconds();
    if (duration.toMillisPart() != 0 || seconds == 0) {
      return duration.toMillis() + "ms";
    }
    return seconds % 3600 == 0
        ? seconds / 3600 + "h"
        : seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
  }

  private static ObjectKey key(String id) {
    return ObjectKey.ofCluster(Kind.RESERVATION, id);
  }

  private static Decision<ServiceOutcome> refuse(Refusal refusal) {
    return Decision.answer(new Refused(refusal));
  }
}
