package io.fairlead.decider;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.etcd.Coordination.ClaimHolder;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.etcd.Coordination.HeldReservation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;

/**
 * How the claims in etcd differ from the addresses of the image and of the reservations that live.
 *
 * @param orphans claims that nobody is to have
 * @param wrong claims of another uid than that of the Service that has the address
 * @param missing addresses of Services without a claim
 * @param lacking addresses of reservations without a claim, with the reservation's id
 */
record ClaimComparison(
    List<ClaimRequest> orphans,
    List<Wrong> wrong,
    SortedMap<Address, ClaimRequest> missing,
    SortedMap<Address, UUID> lacking) {

  record Wrong(ClaimRequest right, ClaimHolder holder) {}

  static ClaimComparison of(
      ClusterImage image, Collection<HeldReservation> living, Map<Address, ClaimHolder> found) {
    var missing = wanted(image);
    var lacking = reserved(living, missing.keySet());
    var orphans = new ArrayList<ClaimRequest>();
    var wrong = new ArrayList<Wrong>();
    for (var claim : found.entrySet()) {
      var address = claim.getKey();
      var holder = claim.getValue();
      var right = missing.remove(address);
      if (right == null) {
        if (!holder.reserved() || !lacking.remove(address, holder.uid())) {
          orphans.add(new ClaimRequest(address, holder.uid(), holder.service()));
        }
      } else if (!holder.uid().equals(right.uid())) {
        wrong.add(new Wrong(right, holder));
      }
    }
    return new ClaimComparison(orphans, wrong, missing, lacking);
  }

  /** Those that the log does not know: their maker crashed, or their end was not done. */
  static List<UUID> unknown(ClusterImage image, Set<UUID> living) {
    return living.stream().filter(id -> image.reservations().get(id.toString()).isEmpty()).toList();
  }

  private static SortedMap<Address, ClaimRequest> wanted(ClusterImage image) {
    var wanted = new TreeMap<Address, ClaimRequest>();
    for (var versioned : image.services().all()) {
      var service = versioned.object();
      for (var address : service.spec().clusterIps()) {
        if (image.services().holds(service, address)) {
          wanted.put(address, new ClaimRequest(address, service.uid(), service.name()));
        }
      }
    }
    return wanted;
  }

  /** What reservations are to have themselves: all that no Service has. */
  private static SortedMap<Address, UUID> reserved(
      Collection<HeldReservation> living, Set<Address> ofServices) {
    var reserved = new TreeMap<Address, UUID>();
    for (var held : living) {
      for (var address : held.reservation().addresses()) {
        if (!ofServices.contains(address)) {
          reserved.put(address, held.reservation().uid());
        }
      }
    }
    return reserved;
  }
}
