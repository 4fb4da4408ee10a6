package io.fairlead.core.image;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Reservation;
import java.util.Collection;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import org.pcollections.TreePMap;

/**
 * Reservations that were made and whose end nobody wrote down yet, by id, sorted. Immutable;
 * derived wholly from the log. One whose lease ran out a moment ago may still be here: who gives an
 * address out asks etcd.
 *
 * @param byAddress ids; several only where one has ended and its end is not in the log yet
 */
public record ReservationsImage(
    TreePMap<String, Versioned<Reservation>> byId,
    Index<Address, String> byAddress,
    Index<ObjectName, String> byHolder) {
  public static final ReservationsImage EMPTY =
      new ReservationsImage(TreePMap.empty(), Index.empty(), Index.empty());

  public Optional<Versioned<Reservation>> get(String id) {
    return Optional.ofNullable(byId.get(id));
  }

  /** Sorted by id. */
  public Collection<Versioned<Reservation>> all() {
    return byId.values();
  }

  /** How many there are. */
  public int size() {
    return byId.size();
  }

  /** How many addresses they name. */
  public int addresses() {
    return byAddress.byKey().size();
  }

  /** Those that name an address, sorted by id. */
  public List<Reservation> of(Address address) {
    return byAddress.get(address).stream()
        .flatMap(id -> get(id).stream())
        .map(Versioned::object)
        .toList();
  }

  /** All addresses that one names, for whomever; sorted. */
  public NavigableSet<Address> named() {
    return byAddress.byKey().keySet();
  }

  /** Addresses that are held for that Service, sorted. */
  public List<Address> heldFor(ObjectName holder) {
    return byHolder.get(holder).stream()
        .flatMap(id -> get(id).stream())
        .map(Versioned::object)
        .flatMap(reservation -> reservation.addresses().stream())
        .sorted()
        .distinct()
        .toList();
  }

  ReservationsImage with(Versioned<Reservation> reservation) {
    var id = reservation.object().uid().toString();
    var cleared = without(id);
    var index = cleared.byAddress;
    for (var address : reservation.object().addresses()) {
      index = index.plus(address, id);
    }
    return new ReservationsImage(
        byId.plus(id, reservation),
        index,
        cleared.byHolder.plus(reservation.object().holder(), id));
  }

  ReservationsImage without(String id) {
    var before = byId.get(id);
    if (before == null) {
      return this;
    }
    var index = byAddress;
    for (var address : before.object().addresses()) {
      index = index.minus(address, id);
    }
    return new ReservationsImage(
        byId.minus(id), index, byHolder.minus(before.object().holder(), id));
  }
}
