package io.fairlead.core.decide;

import io.fairlead.core.decide.ServiceOutcome.CidrDeleted;
import io.fairlead.core.decide.ServiceOutcome.CidrStored;
import io.fairlead.core.decide.ServiceOutcome.CidrTerminating;
import io.fairlead.core.decide.ServiceOutcome.Refused;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.record.Change;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

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
    var existing = existing(image, draft.name());
    return existing.found().isPresent()
        ? refuse(new Refusal.NameTaken(existing.key()))
        : store(draft, existing, create.dryRun(), context);
  }

  static Decision<ServiceOutcome> apply(
      ClusterImage image, ServiceCommand.ApplyCidr apply, ServicesContext context) {
    var draft = apply.draft();
    var violations = checked(draft);
    var existing = existing(image, draft.name());
    if (existing.found().isEmpty()) {
      Names.checkSubdomain(violations, "metadata.name", draft.name());
    }
    var expected = MetaRules.version(violations, draft.resourceVersion());
    if (violations.isEmpty()) {
      var stale = existing.stale(draft.uid(), expected);
      if (stale.isPresent()) {
        return refuse(stale.get());
      }
    }
    if (!violations.concern(CIDRS)) {
      existing.object().ifPresent(before -> checkImmutable(before, draft, violations));
    }
    if (!violations.isEmpty()) {
      return refuse(new Refusal.Invalid(key(draft.name()), violations.list()));
    }
    if (existing.object().filter(ServiceCidr::terminating).isPresent()) {
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
      Existing<ServiceCidr> existing,
      DryRun dryRun,
      ServicesContext context) {
    var before = existing.object();
    var meta =
        Existing.meta(
            new ObjectName("", draft.name()),
            draft.labels(),
            draft.annotations(),
            before.map(ServiceCidr::meta),
            context);
    var cidr = ServiceCidr.ready(meta, cidrs(draft));
    if (before.filter(cidr::equals).isPresent()) {
      return Decision.answer(new CidrStored(Result.UNCHANGED, cidr, existing.version()));
    }
    var reply =
        new CidrStored(
            before.isPresent() ? Result.CONFIGURED : Result.CREATED, cidr, OptionalLong.empty());
    return unless(dryRun, new Change.Put(cidr), reply);
  }

  static Decision<ServiceOutcome> delete(
      ClusterImage image, ServiceCommand.DeleteCidr delete, ServicesContext context) {
    var existing = existing(image, delete.name());
    var unmet = existing.unmet(delete.uid(), delete.resourceVersion());
    if (unmet.isPresent()) {
      return refuse(unmet.get());
    }
    var cidr = existing.object().orElseThrow();
    if (cidr.terminating()) { // asked again
      return Decision.answer(new CidrTerminating(cidr, existing.version()));
    }
    if (RangeUsage.holding(image, cidr) == 0) {
      return unless(
          delete.dryRun(),
          remove(cidr),
          new CidrDeleted(delete.name(), cidr.uid(), OptionalLong.empty()));
    }
    var terminating = new ServiceCidr(cidr.meta(), cidr.cidrs(), Optional.of(context.now()));
    return unless(
        delete.dryRun(),
        new Change.Put(terminating),
        new CidrTerminating(terminating, OptionalLong.empty()));
  }

  private static Decision<ServiceOutcome> unless(
      DryRun dryRun, Change change, ServiceOutcome reply) {
    return dryRun == DryRun.YES ? Decision.answer(reply) : Decision.of(List.of(change), reply);
  }

  private static Existing<ServiceCidr> existing(ClusterImage image, String name) {
    return new Existing<>(key(name), image.serviceCidrs().get(name));
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

  private static ObjectKey key(String name) {
    return ObjectKey.ofCluster(Kind.SERVICE_CIDR, name);
  }

  private static Decision<ServiceOutcome> refuse(Refusal refusal) {
    return Decision.answer(new Refused(refusal));
  }
}
