package io.fairlead.core.decide;

import io.fairlead.core.decide.ServiceOutcome.CidrDeleted;
import io.fairlead.core.decide.ServiceOutcome.CidrStored;
import io.fairlead.core.decide.ServiceOutcome.CidrTerminating;
import io.fairlead.core.decide.ServiceOutcome.Refused;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.record.Change;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Decides what happens to ServiceCIDRs: pure. One that holds addresses is not removed but becomes
 * Terminating; the decision that frees the last of them, or covers it by another range, removes it
 * too, so that no thread has to look after it and no crash can forget it.
 */
final class ServiceCidrsDecider {
  private static final String CIDRS = "spec.cidrs";

  private ServiceCidrsDecider() {}

  static Decision<ServiceOutcome> create(
      ClusterImage image, ServiceCommand.CreateCidr create, ServicesContext context) {
    var draft = create.draft();
    var violations = checked(draft);
    Names.checkSubdomain(violations, "metadata.name", draft.name());
    if (!draft.resourceVersion().isEmpty()) {
      violations.forbidden("metadata.resourceVersion", "not on create");
    }
    if (!violations.isEmpty()) {
      return refuse(new Refusal.Invalid(key(draft.name()), violations.list()));
    }
    return image.serviceCidrs().get(draft.name()).isPresent()
        ? refuse(new Refusal.NameTaken(key(draft.name())))
        : store(draft, Optional.empty(), create.dryRun(), context);
  }

  static Decision<ServiceOutcome> apply(
      ClusterImage image, ServiceCommand.ApplyCidr apply, ServicesContext context) {
    var draft = apply.draft();
    var violations = checked(draft);
    var existing = image.serviceCidrs().get(draft.name());
    if (existing.isEmpty()) {
      Names.checkSubdomain(violations, "metadata.name", draft.name());
    }
    var expected = MetaRules.version(violations, draft.resourceVersion());
    if (violations.isEmpty()) {
      var stale = stale(draft.name(), existing, draft.uid(), expected);
      if (stale.isPresent()) {
        return refuse(stale.get());
      }
    }
    if (!violations.concern(CIDRS)) {
      existing.ifPresent(e -> checkImmutable(e.object(), draft, violations));
    }
    if (!violations.isEmpty()) {
      return refuse(new Refusal.Invalid(key(draft.name()), violations.list()));
    }
    if (existing.filter(e -> e.object().terminating()).isPresent()) {
      return refuse(
          new Refusal.Terminating(
              key(draft.name()),
              "it is being deleted, which cannot be undone; create another one with the same ranges"));
    }
    return store(draft, existing, apply.dryRun(), context);
  }

  /** Of everything but the name's syntax: what exists keeps its name. */
  private static Violations checked(ServiceCidrDraft draft) {
    var violations = new Violations();
    if (draft.name().isEmpty()) {
      violations.required("metadata.name", "a name is needed");
    }
    Names.checkLabels(violations, "metadata.labels", draft.labels());
    Names.checkAnnotations(violations, "metadata.annotations", draft.annotations());
    ServiceCidrRules.check(CIDRS, draft.cidrs()).forEach(violations::add);
    return violations;
  }

  /** Only the default one may get a second range, so that a cluster can become dual-stack. */
  private static void checkImmutable(
      ServiceCidr before, ServiceCidrDraft draft, Violations violations) {
    var after = cidrs(draft);
    if (after.equals(before.cidrs())) {
      return;
    }
    boolean isDefault = before.meta().name().equals(ServiceCidr.DEFAULT_NAME);
    boolean upgrade =
        isDefault
            && before.cidrs().size() == 1
            && after.size() == 2
            && after.getFirst().equals(before.cidrs().getFirst());
    if (!upgrade) {
      violations.immutable(
          CIDRS,
          "is "
              + ServiceRanges.text(before.cidrs())
              + " and stays so: create another ServiceCIDR, and delete this one if need be"
              + (isDefault && before.cidrs().size() == 1
                  ? "; only a second range, of the other family, can be added behind the first"
                  : ""));
    }
  }

  private static List<Cidr> cidrs(ServiceCidrDraft draft) {
    return draft.cidrs().stream().map(Cidr::of).toList();
  }

  private static Decision<ServiceOutcome> store(
      ServiceCidrDraft draft,
      Optional<Versioned<ServiceCidr>> existing,
      DryRun dryRun,
      ServicesContext context) {
    var before = existing.map(Versioned::object);
    var meta =
        new ObjectMeta(
            "",
            draft.name(),
            before.map(ServiceCidr::uid).orElseGet(context.random()::uuid),
            new TreeMap<>(draft.labels()),
            new TreeMap<>(draft.annotations()),
            before.map(b -> b.meta().created()).orElse(context.now()));
    var cidr = ServiceCidr.ready(meta, cidrs(draft));
    if (before.filter(cidr::equals).isPresent()) {
      return Decision.answer(new CidrStored(Result.UNCHANGED, cidr, version(existing)));
    }
    var reply =
        new CidrStored(
            before.isPresent() ? Result.CONFIGURED : Result.CREATED, cidr, OptionalLong.empty());
    return dryRun == DryRun.YES
        ? Decision.answer(reply)
        : Decision.of(List.of(new Change.Put(cidr)), reply);
  }

  static Decision<ServiceOutcome> delete(
      ClusterImage image, ServiceCommand.DeleteCidr delete, ServicesContext context) {
    var violations = new Violations();
    var expected = MetaRules.version(violations, delete.resourceVersion());
    if (!violations.isEmpty()) {
      return refuse(new Refusal.Invalid(key(delete.name()), violations.list()));
    }
    var existing = image.serviceCidrs().get(delete.name());
    if (existing.isEmpty()) {
      return refuse(new Refusal.NotFound(key(delete.name())));
    }
    var stale = stale(delete.name(), existing, delete.uid(), expected);
    if (stale.isPresent()) {
      return refuse(stale.get());
    }
    var cidr = existing.get().object();
    if (cidr.terminating()) { // asked again
      return Decision.answer(new CidrTerminating(cidr, version(existing)));
    }
    if (RangeUsage.holding(image, cidr) == 0) {
      return Decision.of(
          List.of(remove(cidr)), new CidrDeleted(delete.name(), cidr.uid(), OptionalLong.empty()));
    }
    var terminating = new ServiceCidr(cidr.meta(), cidr.cidrs(), Optional.of(context.now()));
    return Decision.of(
        List.of(new Change.Put(terminating)),
        new CidrTerminating(terminating, OptionalLong.empty()));
  }

  /**
   * That decision, and the removal of what was only kept by addresses that it frees or covers.
   *
   * @param image before it
   */
  static Decision<ServiceOutcome> withRemovals(
      ClusterImage image, Decision<ServiceOutcome> decision) {
    if (decision.changes().isEmpty()
        || image.serviceCidrs().all().stream().noneMatch(c -> c.object().terminating())) {
      return decision;
    }
    var after = image.with(decision.changes());
    var changes = new ArrayList<>(decision.changes());
    for (var versioned : after.serviceCidrs().all()) {
      var cidr = versioned.object();
      if (cidr.terminating() && RangeUsage.holding(after, cidr) == 0) {
        changes.add(remove(cidr));
      }
    }
    return new Decision<>(
        changes, decision.claims(), decision.frees(), decision.hold(), decision.reply());
  }

  private static Change remove(ServiceCidr cidr) {
    return new Change.Remove(cidr.key(), cidr.uid());
  }

  private static Optional<Refusal> stale(
      String name,
      Optional<Versioned<ServiceCidr>> existing,
      String uid,
      OptionalLong expectedVersion) {
    var actualUid = existing.map(e -> e.object().uid().toString()).orElse("");
    if (!uid.isEmpty() && !uid.equals(actualUid)) {
      return Optional.of(new Refusal.Stale(key(name), "metadata.uid", uid, actualUid));
    }
    if (expectedVersion.isEmpty()
        || existing.filter(e -> e.matches(expectedVersion.getAsLong())).isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        new Refusal.Stale(
            key(name),
            "metadata.resourceVersion",
            Long.toString(expectedVersion.getAsLong()),
            version(existing).stream().mapToObj(Long::toString).findFirst().orElse("")));
  }

  private static OptionalLong version(Optional<Versioned<ServiceCidr>> existing) {
    return existing.filter(e -> !e.isPending()).stream().mapToLong(Versioned::offset).findFirst();
  }

  private static ObjectKey key(String name) {
    return ObjectKey.ofCluster(Kind.SERVICE_CIDR, name);
  }

  private static Decision<ServiceOutcome> refuse(Refusal refusal) {
    return Decision.answer(new Refused(refusal));
  }
}
