package io.fairlead.api.manifest;

import io.fairlead.v1.Reservation;
import java.time.Duration;
import java.util.Map;

/** {@code fairlead.io/v1} Reservation, which is only written: Kubernetes has none. */
final class ReservationManifest {
  private static final String VERSION = "fairlead.io/v1";

  private ReservationManifest() {}

  static Map<String, Object> tree(Reservation reservation) {
    var holder = new Tree();
    holder.put("name", reservation.getSpec().getHolderName());
    holder.put("namespace", reservation.getSpec().getHolderNamespace());
    var spec = new Tree();
    spec.put("addresses", reservation.getSpec().getAddressesList());
    spec.put("holder", holder.map());
    spec.put("ttl", Duration.ofSeconds(reservation.getSpec().getTtl().getSeconds()).toString());
    var status = new Tree();
    status.put("expires", Tree.time(reservation.getStatus().getExpires()));
    status.put("taken", reservation.getStatus().getTakenList());
    return Tree.object(VERSION, "Reservation", reservation.getMetadata(), spec.map(), status.map());
  }
}
