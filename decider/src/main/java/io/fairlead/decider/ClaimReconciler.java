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
import java.util.Objects;
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
    var compared = ClaimComparison.of(image, living.values(), found);
    points.reached(FaultPoint.RECONCILE_LISTED);
    var orphans = compared.orphans();
    int replaced = 0;
    for (var wrong : compared.wrong()) {
      if (coordination.replaceClaim(
          from(wrong.right(), wrong.holder(), living), wrong.holder(), partition, takeover)) {
        replaced++;
      }
    }
    if (!orphans.isEmpty()) {
      coordination.free(orphans, partition, takeover);
    }
    points.reached(FaultPoint.RECONCILE_FREED);
    var missing = compared.missing();
    if (!missing.isEmpty()) {
      for (var outcome : coordination.claim(missing.values(), partition, takeover).entrySet()) {
        // what stood there could not be read, or came from an owner that is none any more
        if (outcome.getValue() instanceof ClaimOutcome.HeldByOther(var holder)) {
          var right = Objects.requireNonNull(missing.get(outcome.getKey()));
          var _ = coordination.replaceClaim(right, holder, partition, takeover);
        }
      }
    }
    var lacking = compared.lacking();
    lacking.values().stream()
        .distinct()
        .map(living::get)
        .filter(Objects::nonNull)
        .forEach(one -> restore(one, lacking, partition, takeover));
    points.reached(FaultPoint.RECONCILE_DONE);
    int restored = missing.size() + lacking.size();
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
    var unknown = ClaimComparison.unknown(image, living.keySet());
    if (!unknown.isEmpty()) {
      coordination.endReservations(unknown, partition, takeover);
      living.keySet().removeAll(unknown);
    }
    return unknown.size();
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
