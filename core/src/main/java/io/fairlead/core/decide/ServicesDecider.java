package io.fairlead.core.decide;

import io.fairlead.core.decide.Decision.Claim;
import io.fairlead.core.decide.ServiceOutcome.Deleted;
import io.fairlead.core.decide.ServiceOutcome.Refused;
import io.fairlead.core.decide.ServiceOutcome.Stored;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.record.Change;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Decides what happens to Services: a pure function of image, command and context. One instance
 * lives for one decision.
 *
 * <p>An address is given out only where the image says that it is free; that etcd says so too is
 * the business of whoever claims what the decision asks for, and then asks again with what it
 * learned in {@link ServicesContext#avoid} or {@link ServicesContext#taken}.
 */
public final class ServicesDecider {
  /** The control plane's own Service; it has the first address of the default range. */
  public static final ObjectName CONTROL_PLANE =
      new ObjectName(ObjectName.DEFAULT_NAMESPACE, "fairlead");

  private static final String CLUSTER_IPS = "spec.clusterIPs";

  private final ClusterImage image;
  private final ServicesContext context;
  private final ServiceRanges ranges;

  private ServicesDecider(ClusterImage image, ServicesContext context) {
    this.image = image;
    this.context = context;
    this.ranges = ServiceRanges.of(image);
  }

  /**
   * @param image with what was decided before, see {@link ClusterImage#with}
   */
  public static Decision<ServiceOutcome> decide(
      ClusterImage image, ServiceCommand command, ServicesContext context) {
    return ServiceCidrsDecider.withRemovals(image, decideAlone(image, command, context));
  }

  /** Without what follows from it for the ranges. */
  private static Decision<ServiceOutcome> decideAlone(
      ClusterImage image, ServiceCommand command, ServicesContext context) {
    var decider = new ServicesDecider(image, context);
    return switch (command) {
      case ServiceCommand.Create(var draft, var dryRun) -> decider.create(draft, dryRun);
      case ServiceCommand.Apply(var draft, var dryRun) ->
          decider.change(draft, dryRun, Absent.IS_MADE);
      case ServiceCommand.Update(var draft, var dryRun) ->
          decider.change(draft, dryRun, Absent.IS_REFUSED);
      case ServiceCommand.Delete delete -> decider.delete(delete);
      case ServiceCommand.CreateNamespace create ->
          NamespacesDecider.create(image, create, context);
      case ServiceCommand.ApplyNamespace apply -> NamespacesDecider.apply(image, apply, context);
      case ServiceCommand.DeleteNamespace delete -> NamespacesDecider.delete(image, delete);
      case ServiceCommand.Reserve reserve -> ReservationsDecider.reserve(image, reserve, context);
      case ServiceCommand.Release release -> ReservationsDecider.release(image, release);
      case ServiceCommand.EndReservation end -> ReservationsDecider.ended(image, end);
      case ServiceCommand.RaiseFeatureLevel raise ->
          FeatureLevelDecider.raise(image, raise, context);
      case ServiceCommand.CreateCidr create -> ServiceCidrsDecider.create(image, create, context);
      case ServiceCommand.ApplyCidr apply -> ServiceCidrsDecider.apply(image, apply, context);
      case ServiceCommand.DeleteCidr delete -> ServiceCidrsDecider.delete(image, delete, context);
    };
  }

  /**
   * What a request was answered, from the record that it led to.
   *
   * @throws IllegalArgumentException the record is not one that this decider asks for
   */
  public static ServiceOutcome recall(LogEntry entry) {
    return switch (entry.event()) {
      case LogEvent.Stored(Service service, var envelope) ->
          new Stored(
              // both are the time of the decision, so that a creation shows in its record
              service.meta().created().equals(envelope.accepted())
                  ? Result.CREATED
                  : Result.CONFIGURED,
              service,
              OptionalLong.of(entry.offset()));
      case LogEvent.Stored(Namespace namespace, var envelope) ->
          new ServiceOutcome.NamespaceStored(
              namespace.meta().created().equals(envelope.accepted())
                  ? Result.CREATED
                  : Result.CONFIGURED,
              namespace,
              OptionalLong.of(entry.offset()));
      case LogEvent.Stored(FeatureLevel raised, _) ->
          new ServiceOutcome.FeatureLevelRaised(
              Result.CONFIGURED, raised.level(), OptionalLong.of(entry.offset()));
      case LogEvent.Stored(ServiceCidr cidr, _) when cidr.terminating() ->
          new ServiceOutcome.CidrTerminating(cidr, OptionalLong.of(entry.offset()));
      case LogEvent.Stored(ServiceCidr cidr, var envelope) ->
          new ServiceOutcome.CidrStored(
              cidr.meta().created().equals(envelope.accepted())
                  ? Result.CREATED
                  : Result.CONFIGURED,
              cidr,
              OptionalLong.of(entry.offset()));
      case LogEvent.Deleted(var key, var uid, _) when key.kind() == Kind.SERVICE_CIDR ->
          new ServiceOutcome.CidrDeleted(key.name(), uid, OptionalLong.of(entry.offset()));
      case LogEvent.Deleted(var key, var uid, _) when key.kind() == Kind.NAMESPACE ->
          new ServiceOutcome.NamespaceDeleted(key.name(), uid, OptionalLong.of(entry.offset()));
      case LogEvent.Deleted(var key, var uid, _) when key.kind() == Kind.SERVICE ->
          new Deleted(key.objectName(), uid, OptionalLong.of(entry.offset()));
      case LogEvent.Stored(Reservation reservation, _) ->
          new ServiceOutcome.Reserved(reservation, OptionalLong.of(entry.offset()));
      case LogEvent.Deleted(var key, var uid, _) when key.kind() == Kind.RESERVATION ->
          new ServiceOutcome.ReservationEnded(uid, OptionalLong.of(entry.offset()));
      case LogEvent.Stored _, LogEvent.Deleted _, LogEvent.Tombstone _ ->
          throw new IllegalArgumentException("no record of a request on Services: " + entry);
    };
  }

  private Decision<ServiceOutcome> create(ServiceDraft draft, DryRun dryRun) {
    var violations = new Violations();
    checkNames(draft, violations);
    if (!draft.resourceVersion().isEmpty()) {
      violations.forbidden("metadata.resourceVersion", "not on create");
    }
    var wish = ServiceRules.read(draft, violations);
    var name = named(draft).objectName();
    return existing(name).found().isPresent() && violations.isEmpty()
        ? refuse(new Refusal.NameTaken(key(name)))
        : store(name, wish, new Existing<>(key(name), Optional.empty()), violations, dryRun);
  }

  /** What becomes of a wish for something that does not exist. */
  private enum Absent {
    IS_MADE,
    IS_REFUSED
  }

  private Decision<ServiceOutcome> change(ServiceDraft draft, DryRun dryRun, Absent absent) {
    var violations = new Violations();
    var existing = existing(draft.objectName());
    if (draft.name().isEmpty()) {
      violations.required("metadata.name", "a name is needed; only create can generate one");
    } else if (existing.found().isEmpty()) {
      if (absent == Absent.IS_REFUSED) { // whatever else is wrong, as in Kubernetes
        return refuse(new Refusal.NotFound(existing.key()));
      }
      checkNames(draft, violations); // what exists keeps its name, whatever the rules are by now
    }
    var wish = ServiceRules.read(draft, violations);
    if (violations.isEmpty()) {
      var stale = existing.stale(draft.uid(), wish.expectedVersion());
      if (stale.isPresent()) {
        return refuse(stale.get());
      }
    }
    return store(draft.objectName(), wish, existing, violations, dryRun);
  }

  private Existing<Service> existing(ObjectName name) {
    return new Existing<>(key(name), image.services().get(name));
  }

  private Decision<ServiceOutcome> delete(ServiceCommand.Delete delete) {
    var existing = existing(delete.name());
    var unmet = existing.unmet(delete.uid(), delete.resourceVersion());
    if (unmet.isPresent()) {
      return refuse(unmet.get());
    }
    if (delete.name().equals(CONTROL_PLANE)) {
      return refuse(
          new Refusal.NotYours(
              existing.key(), "the control plane's own Service cannot be deleted"));
    }
    var service = existing.object().orElseThrow();
    var reply = new Deleted(service.name(), service.uid(), OptionalLong.empty());
    return delete.dryRun() == DryRun.YES
        ? Decision.answer(reply)
        : new Decision<>(
            List.of(new Change.Remove(service.key(), service.uid())),
            List.of(),
            claims(service, service.spec().clusterIps()),
            reply);
  }

  private static void checkNames(ServiceDraft draft, Violations violations) {
    MetaRules.checkName(violations, draft.name(), draft.generateName());
    MetaRules.checkNamespace(violations, draft.objectName().namespace());
  }

  private ServiceDraft named(ServiceDraft draft) {
    var named = draft;
    while (named.name().isEmpty() && !draft.generateName().isEmpty()) {
      var name = MetaRules.generate(draft.generateName(), context.random().generator());
      if (image.services().get(draft.withName(name).objectName()).isEmpty()) {
        named = draft.withName(name);
      }
    }
    return named;
  }

  private Decision<ServiceOutcome> store(
      ObjectName name,
      ServiceWish wish,
      Existing<Service> existing,
      Violations violations,
      DryRun dryRun) {
    var before = existing.object();
    var old = before.map(Service::spec);
    var had = old.map(ServiceSpec::clusterIps).orElse(List.of());
    var plan = AddressPlan.of(wish, old, ranges, violations);
    var balancing = balancing(wish, old, violations);
    var taken = checkStatics(name, plan, had, dryRun, violations);
    if (violations.isEmpty() && taken.size() == 1) {
      return refuse(taken.getFirst().alone());
    }
    if (!violations.isEmpty() || !taken.isEmpty()) {
      taken.forEach(t -> violations.invalid(CLUSTER_IPS, t.address().toString(), t.words()));
      return refuse(new Refusal.Invalid(key(name), violations.list()));
    }
    var assigned = new ArrayList<Address>();
    for (int i = 0; i < plan.addresses().size(); i++) {
      var family = plan.families().get(i);
      var address = plan.addresses().get(i).or(() -> pick(name, family));
      if (address.isEmpty()) {
        return refuse(
            new Refusal.RangeFull(key(name), family, ranges.of(family), ranges.ending(family)));
      }
      assigned.add(address.get());
    }
    var service = new Service(meta(name, wish, before), spec(wish, plan, assigned, balancing));
    if (before.filter(service::equals).isPresent()) {
      return Decision.answer(new Stored(Result.UNCHANGED, service, existing.version()));
    }
    var reply =
        new Stored(
            before.isPresent() ? Result.CONFIGURED : Result.CREATED, service, OptionalLong.empty());
    if (dryRun == DryRun.YES) {
      return Decision.answer(reply);
    }
    return new Decision<>(
        List.of(new Change.Put(service)),
        claims(service, without(assigned, had)),
        claims(service, without(had, assigned)),
        reply);
  }

  /**
   * Addresses that are asked for and belong to somebody else; those outside the ranges are
   * violations.
   */
  private List<Unavailable> checkStatics(
      ObjectName name, AddressPlan plan, List<Address> had, DryRun dryRun, Violations violations) {
    var taken = new ArrayList<Unavailable>();
    for (var planned : plan.addresses()) {
      if (planned.isEmpty() || had.contains(planned.get())) {
        continue;
      }
      var address = planned.get();
      var holder = holder(name, address);
      var reserved = reserved(name, address, dryRun);
      if (holder.isPresent()) {
        taken.add(
            new Unavailable(
                address,
                new Refusal.AddressTaken(key(name), address, holder.get()),
                "is already allocated to " + holder.get()));
      } else if (reserved.isPresent()) {
        var by = reserved.get();
        taken.add(
            new Unavailable(
                address,
                new Refusal.AddressReserved(
                    key(name), address, by.holder(), by.reservation(), by.expires()),
                "is reserved for " + by.holder() + " until " + by.expires()));
      } else if (!ranges.giveOut(address)
          && (ranges.has(address.family()) || violations.isEmpty())) { // else it was said before
        violations.invalid(CLUSTER_IPS, address.toString(), ranges.notGivenOut(address));
      }
    }
    return taken;
  }

  /**
   * An address that somebody else has.
   *
   * @param alone what is answered where that is the only fault
   */
  private record Unavailable(Address address, Refusal alone, String words) {}

  /**
   * For whom else it is reserved, as etcd said. A dry run does not ask etcd; it goes by the log,
   * which knows nothing of renewals.
   */
  private Optional<ReservedAddress> reserved(ObjectName name, Address address, DryRun dryRun) {
    var told = Optional.ofNullable(context.reserved().get(address));
    return dryRun == DryRun.NO
        ? told
        : told.or(() ->
            image.reservations().of(address).stream()
                .filter(reservation -> !reservation.holder().equals(name))
                .findFirst()
                .map(r -> new ReservedAddress(r.holder(), r.uid(), r.created().plus(r.ttl()))));
  }

  /** What is reserved for the Service comes first: that is what it was reserved for. */
  private Optional<Address> pick(ObjectName name, Family family) {
    return image.reservations().heldFor(name).stream()
        .filter(address -> address.family() == family && ranges.giveOut(address))
        .filter(address -> image.services().holder(address).isEmpty())
        .filter(address ->
            !context.avoid().contains(address)
                && !context.taken().containsKey(address)
                && !context.reserved().containsKey(address))
        .findFirst()
        .or(() -> picker(name).pick(ranges.of(family)));
  }

  private Optional<ObjectName> holder(ObjectName name, Address address) {
    return image
        .services()
        .holder(address)
        .filter(holder -> !holder.equals(name))
        // also where it is claimed for an earlier Service of this very name: asking again would
        // lose again, until that claim is freed
        .or(() -> Optional.ofNullable(context.taken().get(address)))
        .or(() ->
            ranges
                .reserved()
                .filter(address::equals)
                .map(_ -> CONTROL_PLANE)
                .filter(holder -> !holder.equals(name)));
  }

  private AddressPicker picker(ObjectName name) {
    var skip = new HashSet<>(context.avoid());
    skip.addAll(context.taken().keySet());
    skip.addAll(context.reserved().keySet());
    if (!name.equals(CONTROL_PLANE)) {
      ranges.reserved().ifPresent(skip::add);
    }
    return new AddressPicker(
        image.services().clusterIps(),
        skip,
        image.reservations().named(),
        context.freshlyFreed(),
        context.random().generator());
  }

  /**
   * Chosen once, and changed only on request: a Service does not change its behaviour because
   * others came or went.
   */
  private Balancing balancing(ServiceWish wish, Optional<ServiceSpec> old, Violations violations) {
    if (wish.exposure() != Exposure.CLUSTER_IP) {
      return wish.balancing()
          .or(() -> old.map(ServiceSpec::balancing))
          .orElse(context.settings().defaultBalancing());
    }
    var chosen =
        old.filter(spec -> spec.exposure() == Exposure.CLUSTER_IP).map(ServiceSpec::balancing);
    if (chosen.isPresent() && wish.balancing().orElse(chosen.get()) == chosen.get()) {
      return chosen.get();
    }
    var wanted = wish.balancing().orElse(context.settings().defaultBalancing());
    int limit = context.settings().roundRobinLimit();
    if (wanted != Balancing.ROUND_ROBIN
        || image.services().roundRobinPorts() + wish.ports().size() <= limit) {
      return wanted;
    }
    if (wish.balancing().isPresent()) {
      violations.forbidden(
          ServiceRules.BALANCING_FIELD,
          "the limit of "
              + limit
              + " service ports with round-robin is reached; say random or source-hash, or raise"
              + " --round-robin-limit");
    }
    return Balancing.RANDOM;
  }

  private ObjectMeta meta(ObjectName name, ServiceWish wish, Optional<Service> before) {
    var annotations = new TreeMap<>(wish.annotations());
    annotations.remove(Balancing.ANNOTATION); // stands in the spec; shown as an annotation again
    return Existing.meta(name, wish.labels(), annotations, before.map(Service::meta), context);
  }

  private static ServiceSpec spec(
      ServiceWish wish, AddressPlan plan, List<Address> assigned, Balancing balancing) {
    return new ServiceSpec(
        wish.exposure(),
        assigned,
        plan.families(),
        plan.policy(),
        new TreeMap<>(wish.selector()),
        wish.ports(),
        wish.clientIpAffinity(),
        wish.internalTrafficPolicy(),
        wish.trafficDistribution(),
        wish.publishNotReadyAddresses(),
        wish.externalName(),
        balancing);
  }

  private static List<Address> without(Collection<Address> addresses, Collection<Address> others) {
    return addresses.stream().filter(address -> !others.contains(address)).toList();
  }

  private static List<Claim> claims(Service service, List<Address> addresses) {
    return addresses.stream()
        .map(address -> new Claim(address, service.uid(), service.name()))
        .toList();
  }

  private static ObjectKey key(ObjectName name) {
    return ObjectKey.of(Kind.SERVICE, name);
  }

  private static Decision<ServiceOutcome> refuse(Refusal refusal) {
    return Decision.answer(new Refused(refusal));
  }
}
