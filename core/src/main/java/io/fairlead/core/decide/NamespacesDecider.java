package io.fairlead.core.decide;

import io.fairlead.core.decide.ServiceOutcome.NamespaceDeleted;
import io.fairlead.core.decide.ServiceOutcome.NamespaceStored;
import io.fairlead.core.decide.ServiceOutcome.Refused;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.record.Change;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Decides what happens to namespaces that are made: pure. It knows the Services that a namespace
 * holds, and not the Pods, which another partition decides: a namespace that was deleted exists on
 * while it holds any.
 */
final class NamespacesDecider {
  private NamespacesDecider() {}

  static Decision<ServiceOutcome> create(
      ClusterImage image, ServiceCommand.CreateNamespace create, ServicesContext context) {
    var draft = create.draft();
    var violations = check(draft);
    if (!draft.resourceVersion().isEmpty()) {
      violations.forbidden("metadata.resourceVersion", "not on create");
    }
    return violations.isEmpty() && image.namespaces().get(draft.name()).isPresent()
        ? refuse(new Refusal.NameTaken(key(draft.name())))
        : store(image, draft, violations, create.dryRun(), context);
  }

  static Decision<ServiceOutcome> apply(
      ClusterImage image, ServiceCommand.ApplyNamespace apply, ServicesContext context) {
    return store(image, apply.draft(), check(apply.draft()), apply.dryRun(), context);
  }

  private static Violations check(NamespaceDraft draft) {
    var violations = new Violations();
    if (draft.name().isEmpty()) {
      violations.required("metadata.name", "a name is needed");
    } else {
      Names.checkLabel(violations, "metadata.name", draft.name());
    }
    Names.checkLabels(violations, "metadata.labels", draft.labels());
    Names.checkAnnotations(violations, "metadata.annotations", draft.annotations());
    return violations;
  }

  private static Decision<ServiceOutcome> store(
      ClusterImage image,
      NamespaceDraft draft,
      Violations violations,
      DryRun dryRun,
      ServicesContext context) {
    var expected = MetaRules.version(violations, draft.resourceVersion());
    if (!violations.isEmpty()) {
      return refuse(new Refusal.Invalid(key(draft.name()), violations.list()));
    }
    var existing = existing(image, draft.name());
    var stale = existing.stale(draft.uid(), expected);
    if (stale.isPresent()) {
      return refuse(stale.get());
    }
    var before = existing.object();
    var namespace =
        new Namespace(
            Existing.meta(
                new ObjectName("", draft.name()),
                draft.labels(),
                draft.annotations(),
                before.map(Namespace::meta),
                context));
    if (before.filter(namespace::equals).isPresent()) {
      return Decision.answer(new NamespaceStored(Result.UNCHANGED, namespace, existing.version()));
    }
    var reply =
        new NamespaceStored(
            before.isPresent() ? Result.CONFIGURED : Result.CREATED,
            namespace,
            OptionalLong.empty());
    return dryRun == DryRun.YES
        ? Decision.answer(reply)
        : Decision.of(List.of(new Change.Put(namespace)), reply);
  }

  static Decision<ServiceOutcome> delete(
      ClusterImage image, ServiceCommand.DeleteNamespace delete) {
    var services = image.services().byNamespace(delete.name());
    if (!services.isEmpty()) {
      return refuse(
          new Refusal.NotEmpty(
              key(delete.name()),
              new TreeMap<>(Map.of(Kind.SERVICE, services.size())),
              services.iterator().next().object().key()));
    }
    var existing = existing(image, delete.name());
    var unmet = existing.unmet(delete.uid(), delete.resourceVersion());
    if (unmet.isPresent()) {
      return refuse(unmet.get());
    }
    var namespace = existing.object().orElseThrow();
    var reply = new NamespaceDeleted(delete.name(), namespace.uid(), OptionalLong.empty());
    return delete.dryRun() == DryRun.YES
        ? Decision.answer(reply)
        : Decision.of(List.of(new Change.Remove(namespace.key(), namespace.uid())), reply);
  }

  private static Existing<Namespace> existing(ClusterImage image, String name) {
    return new Existing<>(key(name), image.namespaces().get(name));
  }

  private static ObjectKey key(String name) {
    return ObjectKey.ofCluster(Kind.NAMESPACE, name);
  }

  private static Decision<ServiceOutcome> refuse(Refusal refusal) {
    return Decision.answer(new Refused(refusal));
  }
}
