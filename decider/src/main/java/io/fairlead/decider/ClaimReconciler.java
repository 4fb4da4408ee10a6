package io.fairlead.decider;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.ClaimHolder;
import io.fairlead.etcd.Coordination.ClaimOutcome;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.etcd.Coordination.HeldReservation;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the claims in etcd equal to the addresses of the image and of the reservations that live.
 * Run by the owner of the services while no decision is under way: what a crash between claim and
 * append left is freed or goes back to its reservation, what an etcd that was wiped or restored
 * lacks is claimed anew. Only reservations cannot be made again from the log: those that etcd lost
 * are over, see {@link Coordination#reservations}.
 */
final class ClaimReconciler {
  private static final Logger log = LoggerFactory.getLogger(ClaimReconciler.class);

  private final Coordination coordination;
  private final DeciderStats stats;
  private final FaultPoints points;

  ClaimReconciler(Coordination coordination, DeciderStats stats, FaultPoints points) {
    this.coordination = coordination;
    this.stats = stats;
    this.points = points;
  }

  /**
   * All or as far as it came: the next run does the rest.
   *
   * @throws io.fairlead.core.run.GatewayException etcd is away
   * @throws io.fairlead.etcd.NotOwnerException the partition was taken over
   */
  void run(ClusterImage image, LogPartition partition, UUID takeover) {
    var living = new TreeMap<>(coordination.reservations());
    var ended = endUnknown(image, living, partition, takeover);
    var found = coordination.claims();
    var wanted = wanted(image);
    var reserved = reserved(living.values(), wanted.keySet());
    points.reached(FaultPoint.RECONCILE_LISTED);
    var orphans = new ArrayList<ClaimRequest>();
    int replaced = 0;
    for (var claim : found.entrySet()) {
      var address = claim.getKey();
      var holder = claim.getValue();
      var right = wanted.remove(address);
      if (right == null) {
        if (!holder.reserved() || !reserved.remove(address, holder.uid())) {
          orphans.add(new ClaimRequest(address, holder.uid(), holder.service()));
        }
      } else if (!holder.uid().equals(right.uid())
          && coordination.replaceClaim(from(right, holder, living), holder, partition, takeover)) {
        replaced++;
      }
    }
    if (!orphans.isEmpty()) {
      coordination.free(orphans, partition, takeover);
    }
    points.reached(FaultPoint.RECONCILE_FREED);
    if (!wanted.isEmpty()) {
      for (var outcome : coordination.claim(wanted.values(), partition, takeover).entrySet()) {
        // what stood there could not be read, or came from an owner that is none any more
        if (outcome.getValue() instanceof ClaimOutcome.HeldByOther(var holder)) {
          var right = Objects.requireNonNull(wanted.get(outcome.getKey()));
          var _ = coordination.replaceClaim(right, holder, partition, takeover);
        }
      }
    }
    reserved.values().stream()
        .distinct()
        .map(living::get)
        .filter(Objects::nonNull)
        .forEach(one -> restore(one, reserved, partition, takeover));
    points.reached(FaultPoint.RECONCILE_DONE);
    int restored = wanted.size() + reserved.size();
    stats.orphansFreed.add(orphans.size() + ended);
    stats.claimsRestored.add(restored + replaced);
    if (!orphans.isEmpty() || restored > 0 || replaced > 0 || ended > 0) {
      log.atInfo()
          .addKeyValue("event", "claims.reconciled")
          .addKeyValue("claims", found.size())
          .addKeyValue("freed", orphans.size())
          .addKeyValue("restored", restored)
          .addKeyValue("replaced", replaced)
          .addKeyValue("reservationsEnded", ended)
          .log("claims reconciled with the log");
    }
  }

  /** Ends those that the log does not know: their maker crashed, or their end was not done. */
  private int endUnknown(
      ClusterImage image,
      SortedMap<UUID, HeldReservation> living,
      LogPartition partition,
      UUID takeover) {
    var unknown =
        living.keySet().stream()
            .filter(id -> image.reservations().get(id.toString()).isEmpty())
            .toList();
    if (!unknown.isEmpty()) {
      coordination.endReservations(unknown, partition, takeover);
      living.keySet().removeAll(unknown);
    }
    return unknown.size();
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

  private void restore(
      HeldReservation held,
      SortedMap<Address, UUID> lacking,
      LogPartition partition,
      UUID takeover) {
    var id = held.reservation().uid();
    var addresses =
        held.reservation().addresses().stream()
            .filter(address -> id.equals(lacking.get(address)))
            .toList();
    coordination.restoreClaims(held, addresses, partition, takeover);
  }

  /** The claim of a Service, also where that is to have the address from whoever holds it now. */
  private static ClaimRequest from(
      ClaimRequest right, ClaimHolder holder, SortedMap<UUID, HeldReservation> living) {
    return holder.reserved()
            && living.containsKey(holder.uid())
            && holder.service().equals(right.service())
        ? new ClaimRequest(right.address(), right.uid(), right.service(), holder.reservation())
        : right;
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

  /**
   * Whether the Service that a claim is for exists and has that address, so that the claim counts.
   */
  static boolean lives(ClusterImage image, ClaimRequest claim) {
    return image
        .services()
        .get(claim.service())
        .filter(service ->
            service.object().uid().equals(claim.uid())
                && service.object().spec().clusterIps().contains(claim.address()))
        .isPresent();
  }
}
