package io.fairlead.core.decide;

import io.fairlead.core.decide.PodCommand.UpdatePodStatus;
import io.fairlead.core.decide.PodOutcome.Refused;
import io.fairlead.core.decide.PodOutcome.Stored;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.Pod;
import io.fairlead.core.record.Change;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Decides what becomes of a Pod when something that runs it tells of it. Pure. */
final class PodStatusDecider {
  private PodStatusDecider() {}

  /** A record only where something differs: what runs Pods may say the same often. */
  static Decision<PodOutcome> update(
      ClusterImage image, UpdatePodStatus update, PodsContext context) {
    var key = ObjectKey.of(Kind.POD, update.name());
    var violations = new Violations();
    if (update.uid().isEmpty()) {
      violations.required("uid", "which Pod of that name it is about");
      return refuse(new Refusal.Invalid(key, violations.list()));
    }
    var existing = image.pods().get(update.name());
    if (existing.isEmpty()) {
      return refuse(new Refusal.NotFound(key));
    }
    var before = existing.get().object();
    if (!update.uid().equals(before.uid().toString())) {
      return refuse(new Refusal.Stale(key, "metadata.uid", update.uid(), before.uid().toString()));
    }
    // conditions are anybody's to set: who does is another one than who runs the Pod
    if (update.status().isPresent() && !before.source().equals(PodDraft.DEFAULT_SOURCE)) {
      return refuse(
          new Refusal.NotYours(
              key, "the Pod comes from " + before.source() + ", which tells its status"));
    }
    var after = after(update, before, context, violations);
    if (!violations.isEmpty()) {
      return refuse(new Refusal.Invalid(key, violations.list()));
    }
    return after.equals(before)
        ? Decision.answer(new Stored(Result.UNCHANGED, before, version(existing.get())))
        : Decision.of(
            List.of(new Change.Put(after)),
            new Stored(Result.CONFIGURED, after, OptionalLong.empty()));
  }

  private static Pod after(
      UpdatePodStatus update, Pod before, PodsContext context, Violations violations) {
    var conditions =
        PodConditionRules.merge(
            before.status().conditions(), update.conditions(), context.now(), violations);
    if (update.status().isEmpty()) {
      if (!update.nodeName().isEmpty()) {
        violations.forbidden("nodeName", "only together with a status");
      }
      return new Pod(
          before.meta(), before.spec(), before.status().with(conditions), before.source());
    }
    var node = Optional.of(update.nodeName()).filter(name -> !name.isEmpty());
    node.ifPresent(name -> Names.checkSubdomain(violations, "nodeName", name));
    PodImmutability.checkPlace(before, node, violations);
    return new Pod(
        before.meta(),
        before.spec().on(node.or(() -> before.spec().nodeName())),
        PodStatusRules.read(update.status().get(), before, violations).with(conditions),
        before.source());
  }

  private static OptionalLong version(Versioned<Pod> pod) {
    return pod.isPending() ? OptionalLong.empty() : OptionalLong.of(pod.offset());
  }

  private static Decision<PodOutcome> refuse(Refusal refusal) {
    return Decision.answer(new Refused(refusal));
  }
}
