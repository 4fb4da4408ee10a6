package io.fairlead.core.decide;

import io.fairlead.core.decide.PodCommand.ApplySlice;
import io.fairlead.core.decide.PodCommand.CreateSlice;
import io.fairlead.core.decide.PodCommand.DeleteSlice;
import io.fairlead.core.decide.PodOutcome.Refused;
import io.fairlead.core.decide.PodOutcome.SliceDeleted;
import io.fairlead.core.decide.PodOutcome.SliceStored;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.record.Change;
import io.fairlead.core.view.EndpointSlices;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Decides what happens to EndpointSlices that people write: pure. Of the Service, which another
 * partition decides, only what this image knows counts; a slice may be there before it, and what
 * becomes of one whose Service gets a selector later is the view's to say.
 */
final class SlicesDecider {
  private static final String DERIVED =
      "it is derived from the selector of a Service, and made again at once from its Pods:"
          + " change the Service or the Pods";

  private SlicesDecider() {}

  static Decision<PodOutcome> create(ClusterImage image, CreateSlice create, PodsContext context) {
    var draft = create.draft();
    var violations = new Violations();
    var wish = SliceRules.read(draft, violations);
    MetaRules.checkName(violations, draft.name(), draft.generateName());
    if (!draft.resourceVersion().isEmpty()) {
      violations.forbidden("metadata.resourceVersion", "not on create");
    }
    var name =
        draft.name().isEmpty()
            ? new ObjectName(
                draft.objectName().namespace(),
                MetaRules.generate(draft.generateName(), context.random().generator()))
            : draft.objectName();
    if (violations.isEmpty() && image.slices().get(name).isPresent()) {
      return refuse(new Refusal.NameTaken(key(name)));
    }
    return store(image, name, draft, wish, violations, create.dryRun(), context);
  }

  static Decision<PodOutcome> apply(ClusterImage image, ApplySlice apply, PodsContext context) {
    var draft = apply.draft();
    var violations = new Violations();
    var wish = SliceRules.read(draft, violations);
    MetaRules.checkName(violations, draft.name(), "");
    return store(image, draft.objectName(), draft, wish, violations, apply.dryRun(), context);
  }

  private static Decision<PodOutcome> store(
      ClusterImage image,
      ObjectName name,
      SliceDraft draft,
      SliceRules.Wish wish,
      Violations violations,
      DryRun dryRun,
      PodsContext context) {
    if (violations.isEmpty() && EndpointSlices.find(image, name).isPresent()) {
      return refuse(new Refusal.NotYours(key(name), DERIVED));
    }
    var existing = new Existing<>(key(name), image.slices().get(name));
    if (violations.isEmpty()) {
      var stale = existing.stale(draft.uid(), wish.expectedVersion());
      if (stale.isPresent()) {
        return refuse(stale.get());
      }
    }
    var before = existing.object();
    before
        .filter(b -> wish.family().filter(family -> family != b.family()).isPresent())
        .ifPresent(b ->
            violations.immutable(
                "addressType",
                "is " + b.family().text() + " and stays so: delete the slice, or make another"));
    before
        .map(SlicesDecider::service)
        .filter(service -> !service.equals(service(draft.labels())))
        .ifPresent(service ->
            violations.immutable(
                SliceRules.SERVICE_LABEL,
                "is " + service + " and stays so: delete the slice, or make another"));
    checkService(image, name.namespace(), draft, violations);
    if (!violations.isEmpty()) {
      return refuse(new Refusal.Invalid(key(name), violations.list()));
    }
    var meta =
        new ObjectMeta(
            name.namespace(),
            name.name(),
            before.map(ManualSlice::uid).orElseGet(context.random()::uuid),
            new TreeMap<>(draft.labels()),
            new TreeMap<>(draft.annotations()),
            before.map(b -> b.meta().created()).orElse(context.now()));
    var slice = new ManualSlice(meta, wish.family().orElseThrow(), wish.ports(), wish.endpoints());
    if (before.filter(slice::equals).isPresent()) {
      return Decision.answer(new SliceStored(Result.UNCHANGED, slice, existing.version()));
    }
    var result = before.isPresent() ? Result.CONFIGURED : Result.CREATED;
    var reply = new SliceStored(result, slice, OptionalLong.empty());
    return dryRun == DryRun.YES
        ? Decision.answer(reply)
        : Decision.of(List.of(new Change.Put(slice)), reply);
  }

  private static String service(ManualSlice slice) {
    return service(slice.meta().labels());
  }

  private static String service(Map<String, String> labels) {
    return labels.getOrDefault(ManualSlice.SERVICE_NAME_LABEL, "");
  }

  /** A Service whose endpoints are found by a selector, or which has none, takes no others. */
  private static void checkService(
      ClusterImage image, String namespace, SliceDraft draft, Violations violations) {
    var name = service(draft.labels());
    image
        .services()
        .get(new ObjectName(namespace, name))
        .map(Versioned::object)
        .flatMap(SlicesDecider::refusing)
        .ifPresent(why -> violations.invalid(SliceRules.SERVICE_LABEL, name, why));
  }

  private static Optional<String> refusing(Service service) {
    if (service.spec().exposure() == Exposure.EXTERNAL_NAME) {
      return Optional.of("the Service is of type ExternalName and has no endpoints");
    }
    return service.spec().selector().isEmpty()
        ? Optional.empty()
        : Optional.of(
            "the Service has a selector, and its endpoints are the Pods that it selects;"
                + " slices are written for Services without one");
  }

  static Decision<PodOutcome> delete(ClusterImage image, DeleteSlice delete) {
    var existing = new Existing<>(key(delete.name()), image.slices().get(delete.name()));
    if (existing.found().isEmpty() && EndpointSlices.find(image, delete.name()).isPresent()) {
      return refuse(new Refusal.NotYours(key(delete.name()), DERIVED));
    }
    var unmet = existing.unmet(delete.uid(), delete.resourceVersion());
    if (unmet.isPresent()) {
      return refuse(unmet.get());
    }
    var slice = existing.object().orElseThrow();
    var reply = new SliceDeleted(slice.name(), slice.uid(), OptionalLong.empty());
    return delete.dryRun() == DryRun.YES
        ? Decision.answer(reply)
        : Decision.of(List.of(new Change.Remove(slice.key(), slice.uid())), reply);
  }

  private static ObjectKey key(ObjectName name) {
    return ObjectKey.of(Kind.ENDPOINT_SLICE, name);
  }

  private static Decision<PodOutcome> refuse(Refusal refusal) {
    return Decision.answer(new Refused(refusal));
  }
}
