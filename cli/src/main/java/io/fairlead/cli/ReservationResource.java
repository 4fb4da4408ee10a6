package io.fairlead.cli;

import io.fairlead.api.ReservationCodec;
import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.Descriptions;
import io.fairlead.api.table.Tables;
import io.fairlead.api.table.Tables.Namespaces;
import io.fairlead.api.table.Tables.Width;
import io.fairlead.api.table.TextTable;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.v1.Freshness;
import io.fairlead.v1.GetReservationRequest;
import io.fairlead.v1.ListReservationsRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Reservation;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Addresses that are held for Services, of allocator-service; named by their id. */
record ReservationResource() implements Resource<Reservation> {
  @Override
  public List<String> names() {
    return List.of("reservations", "reservation", "rsv");
  }

  @Override
  public boolean isNamespaced() {
    return false;
  }

  /** Always the latest: only etcd knows which ones live. */
  @Override
  public Reservation get(Session session, String namespace, String name, Freshness freshness) {
    var request = GetReservationRequest.newBuilder().setId(name).build();
    return session.reservations(stub -> stub.get(request)).getReservation();
  }

  @Override
  public List<Reservation> list(Session session, Listing listing) {
    listing.refuseFields(plural());
    if (!listing.selector().isEmpty()) {
      throw new UsageException("error: reservations have no labels");
    }
    var request = ListReservationsRequest.getDefaultInstance();
    return session.reservations(stub -> stub.list(request)).getItemsList();
  }

  @Override
  public void watch(Session session, Query query, ObjectsReader<Reservation> reader) {
    throw new UsageException(
        "error: reservations cannot be watched: renewals leave no trace in the log");
  }

  /** Of the log, which knows nothing of renewals: as if there had been none. */
  @Override
  public List<Reservation> of(ClusterImage image) {
    return image.reservations().all().stream()
        .map(found -> {
          var reservation = found.object();
          return ReservationCodec.proto(
              reservation, reservation.created().plus(reservation.ttl()), image);
        })
        .toList();
  }

  @Override
  public Deleted delete(Session session, String namespace, String name, Deletion how) {
    throw new IllegalStateException("refused before");
  }

  @Override
  public Optional<String> notDeleted(Deletion how) {
    return Optional.of("a reservation is not deleted but released: fairlead release ID");
  }

  @Override
  public ObjectMeta meta(Reservation reservation) {
    return reservation.getMetadata();
  }

  @Override
  public Map<String, Object> tree(Reservation reservation) {
    return ManifestWriter.tree(reservation);
  }

  @Override
  public TextTable table(
      List<Reservation> reservations, Width width, Namespaces namespaces, Instant now) {
    return Tables.reservations(reservations, width, now);
  }

  @Override
  public String describe(Session session, Reservation reservation) {
    return Descriptions.of(reservation, session.time().now());
  }
}
