package io.fairlead.core.image;

import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.record.Change;
import java.util.List;
import java.util.Optional;
import org.pcollections.TreePMap;

/**
 * Everything the log adds up to: a function of the latest record of each key and of nothing else.
 * Immutable; derived, rebuilt by reading. A step from one image to the next costs what changed.
 */
public record ClusterImage(
    ServicesImage services,
    ServiceCidrsImage serviceCidrs,
    NamespacesImage namespaces,
    ReservationsImage reservations,
    PodsImage pods,
    NodesImage nodes,
    SlicesImage slices,
    TreePMap<LogPartition, Versioned<PartitionHeader>> headers,
    TreePMap<LogPartition, Summary> summaries) {
  public static final ClusterImage EMPTY =
      new ClusterImage(
          ServicesImage.EMPTY,
          ServiceCidrsImage.EMPTY,
          NamespacesImage.EMPTY,
          ReservationsImage.EMPTY,
          PodsImage.EMPTY,
          NodesImage.EMPTY,
          SlicesImage.EMPTY,
          TreePMap.empty(),
          TreePMap.empty());

  /**
   * What the live objects of one partition add up to.
   *
   * @param objects how many there are, the partition's header included
   */
  public record Summary(Digest digest, long objects) {
    static final Summary NONE = new Summary(Digest.ZERO, 0);

    Summary plus(DomainObject object) {
      return new Summary(digest.plus(Digest.of(object)), objects + 1);
    }

    Summary minus(DomainObject object) {
      return new Summary(digest.minus(Digest.of(object)), objects - 1);
    }
  }

  public Optional<PartitionHeader> header(LogPartition partition) {
    return Optional.ofNullable(headers.get(partition)).map(Versioned::object);
  }

  /**
   * Equal on all replicas that stand at the same offset of the partition. In a working image: the
   * digest of its base.
   */
  public Digest digest(LogPartition partition) {
    return summaries.getOrDefault(partition, Summary.NONE).digest();
  }

  /** Number of live objects of a partition. In a working image: those of its base. */
  public long objects(LogPartition partition) {
    return summaries.getOrDefault(partition, Summary.NONE).objects();
  }

  /** What lives under a key. */
  public Optional<Versioned<? extends DomainObject>> get(ObjectKey key) {
    return switch (key.kind()) {
      case PARTITION_HEADER ->
          LogPartition.parse(key.name()).flatMap(p -> Optional.ofNullable(headers.get(p)));
      case SERVICE -> services.get(key.objectName()).map(v -> v);
      case SERVICE_CIDR -> serviceCidrs.get(key.name()).map(v -> v);
      case NAMESPACE -> namespaces.get(key.name()).map(v -> v);
      case RESERVATION -> reservations.get(key.name()).map(v -> v);
      case POD -> pods.get(key.objectName()).map(v -> v);
      case POD_READINESS -> pods.readiness(key.objectName()).map(v -> v);
      case NODE -> nodes.get(key.name()).map(v -> v);
      case ENDPOINT_SLICE -> slices.get(key.objectName()).map(v -> v);
    };
  }

  /**
   * The working image of a group commit: this one after changes that were decided but not yet
   * appended. What they store is pending. Digests stay those of this image, because nobody compares
   * what is not in the log.
   */
  public ClusterImage with(List<Change> changes) {
    var image = this;
    for (var change : changes) {
      image =
          switch (change) {
            case Change.Put(var object) -> image.stored(Versioned.pending(object));
            case Change.Remove(var key, _) -> image.removed(key);
          };
    }
    return image;
  }

  ClusterImage stored(Versioned<? extends DomainObject> versioned) {
    return switch (versioned.object()) {
      case PartitionHeader header ->
          new ClusterImage(
              services,
              serviceCidrs,
              namespaces,
              reservations,
              pods,
              nodes,
              slices,
              headers.plus(header.partition(), same(versioned, header)),
              summaries);
      case Service service -> withServices(services.with(same(versioned, service)));
      case ServiceCidr cidr -> withServiceCidrs(serviceCidrs.with(same(versioned, cidr)));
      case Namespace namespace -> withNamespaces(namespaces.with(same(versioned, namespace)));
      case Reservation reservation ->
          withReservations(reservations.with(same(versioned, reservation)));
      case Pod pod -> withPods(pods.with(same(versioned, pod)));
      case PodReadiness readiness -> withPods(pods.withReadiness(same(versioned, readiness)));
      case Node node -> withNodes(nodes.with(same(versioned, node)));
      case ManualSlice slice -> withSlices(slices.with(same(versioned, slice)));
    };
  }

  ClusterImage removed(ObjectKey key) {
    return switch (key.kind()) {
      case PARTITION_HEADER ->
          LogPartition.parse(key.name())
              .map(partition ->
                  new ClusterImage(
                      services,
                      serviceCidrs,
                      namespaces,
                      reservations,
                      pods,
                      nodes,
                      slices,
                      headers.minus(partition),
                      summaries))
              .orElse(this);
      case SERVICE -> withServices(services.without(key.objectName()));
      case SERVICE_CIDR -> withServiceCidrs(serviceCidrs.without(key.name()));
      case NAMESPACE -> withNamespaces(namespaces.without(key.name()));
      case RESERVATION -> withReservations(reservations.without(key.name()));
      case POD -> withPods(pods.without(key.objectName()));
      case POD_READINESS -> withPods(pods.withoutReadiness(key.objectName()));
      case NODE -> withNodes(nodes.without(key.name()));
      case ENDPOINT_SLICE -> withSlices(slices.without(key.objectName()));
    };
  }

  ClusterImage withSummary(LogPartition partition, Summary summary) {
    return new ClusterImage(
        services,
        serviceCidrs,
        namespaces,
        reservations,
        pods,
        nodes,
        slices,
        headers,
        summary.equals(Summary.NONE)
            ? summaries.minus(partition)
            : summaries.plus(partition, summary));
  }

  private static <T extends DomainObject> Versioned<T> same(Versioned<?> versioned, T object) {
    return versioned.isPending()
        ? Versioned.pending(object)
        : Versioned.at(object, versioned.offset());
  }

  private ClusterImage withServices(ServicesImage changed) {
    return new ClusterImage(
        changed, serviceCidrs, namespaces, reservations, pods, nodes, slices, headers, summaries);
  }

  private ClusterImage withServiceCidrs(ServiceCidrsImage changed) {
    return new ClusterImage(
        services, changed, namespaces, reservations, pods, nodes, slices, headers, summaries);
  }

  private ClusterImage withNamespaces(NamespacesImage changed) {
    return new ClusterImage(
        services, serviceCidrs, changed, reservations, pods, nodes, slices, headers, summaries);
  }

  private ClusterImage withReservations(ReservationsImage changed) {
    return new ClusterImage(
        services, serviceCidrs, namespaces, changed, pods, nodes, slices, headers, summaries);
  }

  private ClusterImage withPods(PodsImage changed) {
    return new ClusterImage(
        services,
        serviceCidrs,
        namespaces,
        reservations,
        changed,
        nodes,
        slices,
        headers,
        summaries);
  }

  private ClusterImage withNodes(NodesImage changed) {
    return new ClusterImage(
        services,
        serviceCidrs,
        namespaces,
        reservations,
        pods,
        changed,
        slices,
        headers,
        summaries);
  }

  private ClusterImage withSlices(SlicesImage changed) {
    return new ClusterImage(
        services, serviceCidrs, namespaces, reservations, pods, nodes, changed, headers, summaries);
  }
}
