package io.fairlead.core.image;

import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.FeatureLevel;
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
import java.util.ArrayList;
import java.util.Collection;
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
    Optional<Versioned<FeatureLevel>> level,
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
          Optional.empty(),
          TreePMap.empty());

  /**
   * What the live objects of one partition add up to.
   *
   * @param objects how many there are, the partition's header included
   */
  public record Summary(Digest digest, long objects) {
    /** Of nothing. */
    public static final Summary NONE = new Summary(Digest.ZERO, 0);

    Summary plus(Digest object) {
      return new Summary(digest.plus(object), objects + 1);
    }

    Summary minus(Digest object) {
      return new Summary(digest.minus(object), objects - 1);
    }
  }

  /** Of the log, see {@link FeatureLevel}. */
  public int featureLevel() {
    return level.map(stored -> stored.object().level()).orElse(FeatureLevel.FIRST);
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
      case FEATURE_LEVEL -> level.map(v -> v);
    };
  }

  /** Told of one object after another. */
  @FunctionalInterface
  public interface Visitor<E extends Exception> {
    /**
     * @return whether to go on
     */
    boolean visit(Versioned<? extends DomainObject> object) throws E;
  }

  /**
   * Shows all objects, sorted within each kind.
   *
   * @return false where the visitor ended it
   */
  public <E extends Exception> boolean forEach(Visitor<E> visitor) throws E {
    List<Collection<? extends Versioned<? extends DomainObject>>> kinds =
        List.of(
            headers.values(),
            services.all(),
            serviceCidrs.all(),
            namespaces.all(),
            reservations.all(),
            pods.all(),
            pods.allReadiness(),
            nodes.all(),
            slices.all(),
            level.map(List::of).orElseGet(List::of));
    for (var kind : kinds) {
      for (var object : kind) {
        if (!visitor.visit(object)) {
          return false;
        }
      }
    }
    return true;
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
              headers.plus(header.partition(), versioned.as(PartitionHeader.class)),
              level,
              summaries);
      case Service _ -> withServices(services.with(versioned.as(Service.class)));
      case ServiceCidr _ -> withServiceCidrs(serviceCidrs.with(versioned.as(ServiceCidr.class)));
      case Namespace _ -> withNamespaces(namespaces.with(versioned.as(Namespace.class)));
      case Reservation _ -> withReservations(reservations.with(versioned.as(Reservation.class)));
      case Pod _ -> withPods(pods.with(versioned.as(Pod.class)));
      case PodReadiness _ -> withPods(pods.withReadiness(versioned.as(PodReadiness.class)));
      case Node _ -> withNodes(nodes.with(versioned.as(Node.class)));
      case ManualSlice _ -> withSlices(slices.with(versioned.as(ManualSlice.class)));
      case FeatureLevel _ -> withLevel(Optional.of(versioned.as(FeatureLevel.class)));
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
                      level,
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
      case FEATURE_LEVEL -> withLevel(Optional.empty());
    };
  }

  /**
   * After what a run of events leaves under each of its keys. Pods and their readiness, of which
   * there are many, are changed all at once.
   */
  ClusterImage after(Collection<ClusterDelta.Latest> changes) {
    var sums = new Sums(summaries);
    var image = this;
    var changedPods = new ArrayList<PodsImage.Edit<Pod>>();
    var changedReadiness = new ArrayList<PodsImage.Edit<PodReadiness>>();
    for (var change : changes) {
      switch (change.key().kind()) {
        case POD -> changedPods.add(edit(change, Pod.class, sums));
        case POD_READINESS -> changedReadiness.add(edit(change, PodReadiness.class, sums));
        case PARTITION_HEADER,
            SERVICE,
            SERVICE_CIDR,
            NAMESPACE,
            RESERVATION,
            NODE,
            ENDPOINT_SLICE,
            FEATURE_LEVEL -> {
          sums.change(change.partition(), image.get(change.key()), change.stored());
          image =
              change.stored().isPresent()
                  ? image.stored(change.stored().get())
                  : image.removed(change.key());
        }
      }
    }
    if (!changedPods.isEmpty() || !changedReadiness.isEmpty()) {
      image = image.withPods(image.pods.edited(changedPods, changedReadiness));
    }
    return image.withSummaries(sums);
  }

  private static <T extends DomainObject> PodsImage.Edit<T> edit(
      ClusterDelta.Latest change, Class<T> kind, Sums sums) {
    return new PodsImage.Edit<>(
        change.key().objectName(),
        change.stored().map(stored -> stored.as(kind)),
        before -> sums.change(change.partition(), before, change.stored()));
  }

  private ClusterImage withSummaries(Sums sums) {
    var changed = summaries;
    for (var sum : sums.result().entrySet()) {
      changed =
          sum.getValue().equals(Summary.NONE)
              ? changed.minus(sum.getKey())
              : changed.plus(sum.getKey(), sum.getValue());
    }
    return new ClusterImage(
        services,
        serviceCidrs,
        namespaces,
        reservations,
        pods,
        nodes,
        slices,
        headers,
        level,
        changed);
  }

  private ClusterImage withServices(ServicesImage changed) {
    return new ClusterImage(
        changed,
        serviceCidrs,
        namespaces,
        reservations,
        pods,
        nodes,
        slices,
        headers,
        level,
        summaries);
  }

  private ClusterImage withServiceCidrs(ServiceCidrsImage changed) {
    return new ClusterImage(
        services,
        changed,
        namespaces,
        reservations,
        pods,
        nodes,
        slices,
        headers,
        level,
        summaries);
  }

  private ClusterImage withNamespaces(NamespacesImage changed) {
    return new ClusterImage(
        services,
        serviceCidrs,
        changed,
        reservations,
        pods,
        nodes,
        slices,
        headers,
        level,
        summaries);
  }

  private ClusterImage withReservations(ReservationsImage changed) {
    return new ClusterImage(
        services,
        serviceCidrs,
        namespaces,
        changed,
        pods,
        nodes,
        slices,
        headers,
        level,
        summaries);
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
        level,
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
        level,
        summaries);
  }

  private ClusterImage withSlices(SlicesImage changed) {
    return new ClusterImage(
        services,
        serviceCidrs,
        namespaces,
        reservations,
        pods,
        nodes,
        changed,
        headers,
        level,
        summaries);
  }

  private ClusterImage withLevel(Optional<Versioned<FeatureLevel>> changed) {
    return new ClusterImage(
        services,
        serviceCidrs,
        namespaces,
        reservations,
        pods,
        nodes,
        slices,
        headers,
        changed,
        summaries);
  }
}
