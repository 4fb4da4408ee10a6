package io.fairlead.decider;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.etcd.Coordination;
import io.fairlead.etcd.Coordination.ClaimOutcome;
import io.fairlead.etcd.Coordination.ClaimRequest;
import java.util.ArrayList;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the claims in etcd equal to the addresses of the image. Run by the owner of the services
 * while no decision is under way: what a crash between claim and append left is freed, what an etcd
 * that was wiped or restored lacks is claimed anew.
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
    var found = coordination.claims();
    var wanted = wanted(image);
    points.reached(FaultPoint.RECONCILE_LISTED);
    var orphans = new ArrayList<ClaimRequest>();
    int replaced = 0;
    for (var claim : found.entrySet()) {
      var address = claim.getKey();
      var holder = claim.getValue();
      var right = wanted.remove(address);
      if (right == null) {
        orphans.add(new ClaimRequest(address, holder.uid(), holder.service()));
      } else if (!holder.uid().equals(right.uid())
          && coordination.replaceClaim(right, holder, partition, takeover)) {
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
    points.reached(FaultPoint.RECONCILE_DONE);
    stats.orphansFreed.add(orphans.size());
    stats.claimsRestored.add(wanted.size() + replaced);
    if (!orphans.isEmpty() || !wanted.isEmpty() || replaced > 0) {
      log.atInfo()
          .addKeyValue("event", "claims.reconciled")
          .addKeyValue("claims", found.size())
          .addKeyValue("freed", orphans.size())
          .addKeyValue("restored", wanted.size())
          .addKeyValue("replaced", replaced)
          .log("claims reconciled with the log");
    }
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
