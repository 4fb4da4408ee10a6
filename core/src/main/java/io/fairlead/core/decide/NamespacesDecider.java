package io.fairlead.core.decide;

import io.fairlead.core.decide.ServiceOutcome.NamespaceDeleted;
import io.fairlead.core.decide.ServiceOutcome.NamespaceStored;
import io.fairlead.core.decide.ServiceOutcome.Refused;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.record.Change;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    var existing = image.namespaces().get(draft.name());
    var stale = stale(draft.name(), existing, draft.uid(), expected);
    if (stale.isPresent()) {
      return refuse(stale.get());
    }
    var before = existing.map(Versioned::object);
    var namespace =
        new Namespace(
            new ObjectMeta(
                "",
                draft.name(),
                before.map(Namespace::uid).orElseGet(context.random()::uuid),
                new TreeMap<>(draft.labels()),
                new TreeMap<>(draft.annotations()),
                before.map(b -> b.meta().created()).orElse(context.now())));
    if (before.filter(namespace::equals).isPresent()) {
      return Decision.answer(new NamespaceStored(Result.UNCHANGED, namespace, version(existing)));
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
    var violations = new Violations();
    var expected = MetaRules.version(violations, delete.resourceVersion());
    if (!violations.isEmpty()) {
      return refuse(new Refusal.Invalid(key(delete.name()), violations.list()));
    }
    var services = image.services().byNamespace(delete.name());
    if (!services.isEmpty()) {
      return refuse(
          new Refusal.NotEmpty(
              key(delete.name()),
              new TreeMap<>(Map.of(Kind.SERVICE, services.size())),
              services.iterator().next().object().key()));
    }
    var existing = image.namespaces().get(delete.name());
    if (existing.isEmpty()) {
      return refuse(new Refusal.NotFound(key(delete.name())));
    }
    var stale = stale(delete.name(), existing, delete.uid(), expected);
    if (stale.isPresent()) {
      return refuse(stale.get());
    }
    var namespace = existing.get().object();
    return Decision.of(
        List.of(new Change.Remove(namespace.key(), namespace.uid())),
        new NamespaceDeleted(delete.name(), namespace.uid(), OptionalLong.empty()));
  }

  private static Optional<Refusal> stale(
      String name,
      Optional<Versioned<Namespace>> existing,
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

  private static OptionalLong version(Optional<Versioned<Namespace>> existing) {
    return existing.filter(e -> !e.isPending()).stream().mapToLong(Versioned::offset).findFirst();
  }

  private static ObjectKey key(String name) {
    return ObjectKey.ofCluster(Kind.NAMESPACE, name);
  }

  private static Decision<ServiceOutcome> refuse(Refusal refusal) {
    return Decision.answer(new Refused(refusal));
  }
}
