package io.fairlead.core.decide;

import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import java.util.OptionalLong;
import java.util.UUID;

/** What {@link ServicesDecider} answers. */
public sealed interface ServiceOutcome {
  /**
   * The Service as it is now.
   *
   * @param result CREATED, CONFIGURED or UNCHANGED
   * @param resourceVersion offset of its record; empty until that is in the log, and for dry runs
   *     that would write
   */
  record Stored(Result result, Service service, OptionalLong resourceVersion)
      implements ServiceOutcome {}

  /**
   * @param resourceVersion offset of the record of its deletion; empty until that is in the log
   */
  record Deleted(ObjectName name, UUID uid, OptionalLong resourceVersion)
      implements ServiceOutcome {}

  /** The namespace as it is now; result and version as with {@link Stored}. */
  record NamespaceStored(Result result, Namespace namespace, OptionalLong resourceVersion)
      implements ServiceOutcome {}

  record NamespaceDeleted(String name, UUID uid, OptionalLong resourceVersion)
      implements ServiceOutcome {}

  /** What is held now. */
  record Reserved(Reservation reservation, OptionalLong resourceVersion)
      implements ServiceOutcome {}

  record ReservationEnded(UUID id, OptionalLong resourceVersion) implements ServiceOutcome {}

  /** The ServiceCIDR as it is now; result and version as with {@link Stored}. */
  record CidrStored(Result result, ServiceCidr cidr, OptionalLong resourceVersion)
      implements ServiceOutcome {}

  /** It was deleted, or had been before, and stays as long as it holds addresses. */
  record CidrTerminating(ServiceCidr cidr, OptionalLong resourceVersion)
      implements ServiceOutcome {}

  record CidrDeleted(String name, UUID uid, OptionalLong resourceVersion)
      implements ServiceOutcome {}

  /** The level of the log as it is now; result and version as with {@link Stored}. */
  record FeatureLevelRaised(Result result, int level, OptionalLong resourceVersion)
      implements ServiceOutcome {}

  record Refused(Refusal refusal) implements ServiceOutcome {}

  /** This outcome after its first record was delivered at that offset. */
  default ServiceOutcome at(long offset) {
    return switch (this) {
      case Stored(var result, var service, _) ->
          new Stored(result, service, OptionalLong.of(offset));
      case Deleted(var name, var uid, _) -> new Deleted(name, uid, OptionalLong.of(offset));
      case NamespaceStored(var result, var namespace, _) ->
          new NamespaceStored(result, namespace, OptionalLong.of(offset));
      case NamespaceDeleted(var name, var uid, _) ->
          new NamespaceDeleted(name, uid, OptionalLong.of(offset));
      case Reserved(var reservation, _) -> new Reserved(reservation, OptionalLong.of(offset));
      case ReservationEnded(var id, _) -> new ReservationEnded(id, OptionalLong.of(offset));
      case CidrStored(var result, var cidr, _) ->
          new CidrStored(result, cidr, OptionalLong.of(offset));
      case CidrTerminating(var cidr, _) -> new CidrTerminating(cidr, OptionalLong.of(offset));
      case CidrDeleted(var name, var uid, _) -> new CidrDeleted(name, uid, OptionalLong.of(offset));
      case FeatureLevelRaised(var result, int level, _) ->
          new FeatureLevelRaised(result, level, OptionalLong.of(offset));
      case Refused refused -> refused;
    };
  }
}
