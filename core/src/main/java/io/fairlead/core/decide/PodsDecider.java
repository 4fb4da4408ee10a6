package io.fairlead.core.decide;

import io.fairlead.core.decide.PodCommand.ApplyPod;
import io.fairlead.core.decide.PodCommand.ApplySlice;
import io.fairlead.core.decide.PodCommand.CollectPods;
import io.fairlead.core.decide.PodCommand.CreateSlice;
import io.fairlead.core.decide.PodCommand.DeleteNode;
import io.fairlead.core.decide.PodCommand.DeletePod;
import io.fairlead.core.decide.PodCommand.DeleteSlice;
import io.fairlead.core.decide.PodCommand.DrainPod;
import io.fairlead.core.decide.PodCommand.ExpirePod;
import io.fairlead.core.decide.PodCommand.LoseNode;
import io.fairlead.core.decide.PodCommand.NodeLostPods;
import io.fairlead.core.decide.PodCommand.OpenNode;
import io.fairlead.core.decide.PodCommand.ReconcileSource;
import io.fairlead.core.decide.PodCommand.ReportReadiness;
import io.fairlead.core.decide.PodCommand.UpdatePodStatus;
import io.fairlead.core.decide.PodOutcome.Deleted;
import io.fairlead.core.decide.PodOutcome.NodeDeleted;
import io.fairlead.core.decide.PodOutcome.NodeStored;
import io.fairlead.core.decide.PodOutcome.Refused;
import io.fairlead.core.decide.PodOutcome.Reported;
import io.fairlead.core.decide.PodOutcome.SliceDeleted;
import io.fairlead.core.decide.PodOutcome.SliceStored;
import io.fairlead.core.decide.PodOutcome.Stored;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.PodClaims;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodDrain;
import io.fairlead.core.model.PodDrain.Drain;
import io.fairlead.core.model.PodLease;
import io.fairlead.core.record.Change;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/**
 * Decides what happens to Pods, their readiness, and Nodes: a pure function of image, command and
 * context. One instance lives for one decision.
 */
public final class PodsDecider {
  private static final String NO_ADDRESS =
      "no address: neither status.podIP nor the node of a hostNetwork Pod says one";

  private final ClusterImage image;
  private final PodsContext context;

  private PodsDecider(ClusterImage image, PodsContext context) {
    this.image = image;
    this.context = context;
  }

  /**
   * @param image with what was decided before, see {@link ClusterImage#with}
   */
  public static Decision<PodOutcome> decide(
      ClusterImage image, PodCommand command, PodsContext context) {
    var decider = new PodsDecider(image, context);
    return switch (command) {
      case ApplyPod(var draft) -> decider.apply(draft);
      case UpdatePodStatus update -> PodStatusDecider.update(image, update, context);
      case DeletePod delete -> decider.delete(delete);
      case DrainPod drain -> decider.drain(drain);
      case ExpirePod expire -> decider.expire(expire);
      case ReportReadiness report -> ReadinessDecider.report(image, report, context);
      case OpenNode(var draft) -> decider.open(draft);
      case LoseNode lose -> decider.lose(lose);
      case DeleteNode delete -> decider.delete(delete);
      case NodeLostPods lost -> ReadinessDecider.lose(image, lost, context);
      case CreateSlice create -> SlicesDecider.create(image, create, context);
      case ApplySlice apply -> SlicesDecider.apply(image, apply, context);
      case DeleteSlice delete -> SlicesDecider.delete(image, delete);
      case ReconcileSource state -> decider.reconcile(state);
      case CollectPods collect -> decider.collect(collect);
    };
  }

  /**
   * What a request was answered, from the record that it led to.
   *
   * @throws IllegalArgumentException the record is not one that this decider asks for
   */
  public static PodOutcome recall(LogEntry entry) {
    var version = OptionalLong.of(entry.offset());
    return switch (entry.event()) {
      // the time in the envelope is that of the decision, so that a creation shows in its record
      case LogEvent.Stored(Pod pod, var envelope) ->
          new Stored(result(pod.meta().created().equals(envelope.accepted())), pod, version);
      case LogEvent.Stored(Node node, var envelope) ->
          new NodeStored(result(node.meta().created().equals(envelope.accepted())), node, version);
      case LogEvent.Stored(ManualSlice slice, var envelope) ->
          new SliceStored(
              result(slice.meta().created().equals(envelope.accepted())), slice, version);
      case LogEvent.Deleted(var key, var uid, _) when key.kind() == Kind.POD ->
          new Deleted(key.objectName(), uid, version);
      case LogEvent.Deleted(var key, var uid, _) when key.kind() == Kind.NODE ->
          new NodeDeleted(key.name(), uid, version);
      case LogEvent.Deleted(var key, var uid, _) when key.kind() == Kind.ENDPOINT_SLICE ->
          new SliceDeleted(key.objectName(), uid, version);
      case LogEvent.Stored(var object, _) when object.key().kind() == Kind.POD_READINESS ->
          new Reported(List.of(), version);
      case LogEvent.Stored _, LogEvent.Deleted _, LogEvent.Tombstone _ ->
          throw new IllegalArgumentException("no record of a request on Pods or Nodes: " + entry);
    };
  }

  private static Result result(boolean created) {
    return created ? Result.CREATED : Result.CONFIGURED;
  }

  private Decision<PodOutcome> apply(PodDraft draft) {
    var violations = new Violations();
    var wish = PodRules.read(draft, violations);
    var existing = image.pods().get(draft.objectName());
    if (violations.isEmpty()) {
      var stale = stale(draft, wish, existing);
      if (stale.isPresent()) {
        return refuse(stale.get());
      }
      var owner = existing.map(e -> e.object().source()).filter(s -> !s.equals(wish.source()));
      if (owner.isPresent()) {
        return refuse(
            new Refusal.NotYours(
                draft.key(),
                "the Pod comes from " + owner.get() + ", which would undo the change"));
      }
    }
    var before = existing.map(Versioned::object);
    var same = same(wish, before);
    var spec = spec(wish, same);
    if (violations.isEmpty() && same.isPresent()) {
      PodImmutability.checkPlace(same.get(), wish.spec().nodeName(), violations);
      PodImmutability.checkSpec(same.get(), spec, violations);
    }
    if (!violations.isEmpty()) {
      return refuse(new Refusal.Invalid(draft.key(), violations.list()));
    }
    var status =
        same.filter(pod -> keepsStatus(wish, pod))
            .map(Pod::status)
            .orElseGet(() -> status(wish, same));
    var pod = pod(draft, wish, spec, status, same);
    var taken = PodClaims.takenAnew(image.pods(), before, pod);
    if (taken.isPresent()) {
      return refuse(new Refusal.PortTaken(draft.key(), taken.get()));
    }
    if (before.filter(pod::equals).isPresent()) {
      return Decision.answer(
          new Stored(
              Result.UNCHANGED,
              pod,
              existing.filter(e -> !e.isPending()).stream()
                  .mapToLong(Versioned::offset)
                  .findFirst()));
    }
    return Decision.of(put(pod), new Stored(result(before.isEmpty()), pod, OptionalLong.empty()));
  }

  private static Optional<Refusal> stale(
      PodDraft draft, PodRules.Wish wish, Optional<Versioned<Pod>> existing) {
    var uid = existing.map(e -> e.object().uid());
    if (wish.uid().isPresent() && uid.isPresent() && !wish.uid().equals(uid)) {
      return Optional.of(
          new Refusal.Stale(draft.key(), "metadata.uid", draft.uid(), uid.get().toString()));
    }
    if (wish.expectedVersion().isEmpty()
        || existing.filter(e -> e.matches(wish.expectedVersion().getAsLong())).isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        new Refusal.Stale(
            draft.key(),
            "metadata.resourceVersion",
            draft.resourceVersion(),
            existing.filter(e -> !e.isPending()).map(e -> Long.toString(e.offset())).orElse("")));
  }

  /** The Pod of that name where the draft does not say another uid. */
  private static Optional<Pod> same(PodRules.Wish wish, Optional<Pod> before) {
    return before.filter(pod -> wish.uid().isEmpty() || wish.uid().get().equals(pod.uid()));
  }

  /** A Pod that was bound to a node stays there also where the draft does not say so. */
  private static Pod.Spec spec(PodRules.Wish wish, Optional<Pod> same) {
    var spec = wish.spec();
    return spec.on(spec.nodeName().or(() -> same.flatMap(pod -> pod.spec().nodeName())));
  }

  /**
   * Whether what is on record counts, and not the draft: of a Pod that something runs only that
   * tells the status; and a manifest that says nothing of it changes nothing.
   */
  private static boolean keepsStatus(PodRules.Wish wish, Pod same) {
    boolean silent = wish.phase().isEmpty() && wish.ips().isEmpty() && wish.reason().isEmpty();
    return !same.status().containers().isEmpty() || (silent && !wish.spec().hostNetwork());
  }

  /** The status as the draft says it. */
  private Pod.Status status(PodRules.Wish wish, Optional<Pod> same) {
    var ips = wish.ips().isEmpty() && wish.spec().hostNetwork() ? nodeAddresses(wish) : wish.ips();
    var phase = PodStatusRules.withAddress(wish.phase(), ips);
    var reason =
        phase == Pod.Phase.PENDING && ips.isEmpty() && wish.reason().isEmpty()
            ? NO_ADDRESS
            : wish.reason();
    return new Pod.Status(phase, ips, reason, same.flatMap(pod -> pod.status().deleting()))
        .with(same.map(pod -> pod.status().conditions()).orElse(List.of()));
  }

  /**
   * The Pod as it will be.
   *
   * @param same the Pod as it is; empty where it is another one, or none
   */
  private Pod pod(
      PodDraft draft, PodRules.Wish wish, Pod.Spec spec, Pod.Status status, Optional<Pod> same) {
    var name = draft.objectName();
    var meta =
        new ObjectMeta(
            name.namespace(),
            name.name(),
            same.map(Pod::uid).or(wish::uid).orElseGet(context.random()::uuid),
            new TreeMap<>(draft.labels()),
            PodDrain.mark(draft.annotations(), same.map(Drain::of).orElse(Drain.OFF)),
            same.map(pod -> pod.meta().created()).orElse(context.now()));
    return new Pod(meta, spec, status, wish.source());
  }

  private List<Address> nodeAddresses(PodRules.Wish wish) {
    var addresses =
        wish.spec()
            .nodeName()
            .flatMap(node -> image.nodes().get(node))
            .map(node -> node.object().addresses())
            .orElse(List.of());
    var ofEachFamily = new ArrayList<Address>();
    for (var address : addresses) {
      if (ofEachFamily.stream().map(Address::family).noneMatch(address.family()::equals)
          && ofEachFamily.size() < Family.values().length) {
        ofEachFamily.add(address);
      }
    }
    return ofEachFamily;
  }

  /** Stores the Pod; what was reported of an earlier Pod of its name goes. */
  private List<Change> put(Pod pod) {
    var changes = new ArrayList<Change>();
    changes.add(new Change.Put(pod));
    image
        .pods()
        .readiness(pod.name())
        .map(Versioned::object)
        .filter(readiness -> !readiness.podUid().equals(pod.uid()))
        .ifPresent(readiness -> changes.add(new Change.Remove(readiness.key(), readiness.uid())));
    return changes;
  }

  private List<Change> remove(Pod pod) {
    var changes = new ArrayList<Change>();
    changes.add(new Change.Remove(pod.key(), pod.uid()));
    image
        .pods()
        .readiness(pod.name())
        .map(Versioned::object)
        .ifPresent(readiness -> changes.add(new Change.Remove(readiness.key(), readiness.uid())));
    return changes;
  }

  private Decision<PodOutcome> delete(DeletePod delete) {
    var key = ObjectKey.of(Kind.POD, delete.name());
    int asked = delete.graceSeconds().orElse(0);
    if (asked < 0) {
      var violations = new Violations();
      violations.invalid("gracePeriodSeconds", asked, "must not be negative");
      return refuse(new Refusal.Invalid(key, violations.list()));
    }
    var existing = image.pods().get(delete.name());
    if (existing.isEmpty()) {
      return refuse(new Refusal.NotFound(key));
    }
    var pod = existing.get().object();
    if (!delete.uid().isEmpty() && !delete.uid().equals(pod.uid().toString())) {
      return refuse(new Refusal.Stale(key, "metadata.uid", delete.uid(), pod.uid().toString()));
    }
    var grace = grace(delete, pod);
    if (grace.isZero()) {
      return Decision.of(remove(pod), new Deleted(pod.name(), pod.uid(), OptionalLong.empty()));
    }
    var deadline = context.now().plus(grace);
    if (pod.status().deleting().filter(already -> !deadline.isBefore(already)).isPresent()) {
      return Decision.answer( // asked for again: only an earlier end changes anything
          new Stored(
              Result.UNCHANGED,
              pod,
              existing.filter(e -> !e.isPending()).stream()
                  .mapToLong(Versioned::offset)
                  .findFirst()));
    }
    var terminating =
        new Pod(pod.meta(), pod.spec(), pod.status().deletedBy(deadline), pod.source());
    return Decision.of(
        List.of(new Change.Put(terminating)),
        new Stored(Result.CONFIGURED, terminating, OptionalLong.empty()));
  }

  /** A Pod that is going away anyway is terminating without a mark. */
  private Decision<PodOutcome> drain(DrainPod drain) {
    var key = ObjectKey.of(Kind.POD, drain.name());
    var existing = image.pods().get(drain.name());
    if (existing.isEmpty()) {
      return refuse(new Refusal.NotFound(key));
    }
    var pod = existing.get().object();
    if (!drain.uid().isEmpty() && !drain.uid().equals(pod.uid().toString())) {
      return refuse(new Refusal.Stale(key, "metadata.uid", drain.uid(), pod.uid().toString()));
    }
    boolean terminating = drain.drain() == Drain.ON && pod.status().deleting().isPresent();
    if (terminating || Drain.of(pod) == drain.drain()) {
      return Decision.answer(
          new Stored(
              Result.UNCHANGED,
              pod,
              existing.filter(e -> !e.isPending()).stream()
                  .mapToLong(Versioned::offset)
                  .findFirst()));
    }
    var meta = pod.meta();
    var marked =
        new Pod(
            new ObjectMeta(
                meta.namespace(),
                meta.name(),
                meta.uid(),
                meta.labels(),
                PodDrain.mark(meta.annotations(), drain.drain()),
                meta.created()),
            pod.spec(),
            pod.status(),
            pod.source());
    return Decision.of(
        List.of(new Change.Put(marked)),
        new Stored(Result.CONFIGURED, marked, OptionalLong.empty()));
  }

  /** Processes get the time to end that their spec gives them; nobody waits for what is not run. */
  private static Duration grace(DeletePod delete, Pod pod) {
    if (delete.graceSeconds().isPresent()) {
      return Duration.ofSeconds(delete.graceSeconds().getAsInt());
    }
    return pod.isRun() ? pod.spec().terminationGrace() : Duration.ZERO;
  }

  /** Not where it is another Pod by now, ends already, or was applied without a lease. */
  private Decision<PodOutcome> expire(ExpirePod expire) {
    return image
        .pods()
        .get(expire.name())
        .map(Versioned::object)
        .filter(pod -> pod.uid().equals(expire.uid()))
        .filter(pod -> pod.status().deleting().isEmpty())
        .filter(pod -> PodLease.of(pod.meta().annotations()).isPresent())
        .map(pod ->
            Decision.<PodOutcome>of(
                remove(pod), new Deleted(pod.name(), pod.uid(), OptionalLong.empty())))
        .orElseGet(() -> refuse(new Refusal.NotFound(ObjectKey.of(Kind.POD, expire.name()))));
  }

  private Decision<PodOutcome> open(NodeDraft draft) {
    var violations = new Violations();
    var wish = NodeDraftRules.read(draft, violations);
    if (!violations.isEmpty()) {
      return refuse(
          new Refusal.Invalid(ObjectKey.ofCluster(Kind.NODE, draft.name()), violations.list()));
    }
    var superseded = Sessions.superseded(image, draft);
    if (superseded.isPresent()) {
      return refuse(superseded.get());
    }
    var before = image.nodes().get(draft.name()).map(Versioned::object);
    var node =
        new Node(
            new ObjectMeta(
                "",
                draft.name(),
                before.map(Node::uid).orElseGet(context.random()::uuid),
                new TreeMap<>(draft.labels()),
                new TreeMap<>(draft.annotations()),
                before.map(n -> n.meta().created()).orElse(context.now())),
            Optional.of(draft.zone()).filter(zone -> !zone.isEmpty()),
            wish.addresses(),
            wish.podCidrs(),
            draft.agentVersion(),
            draft.instance(),
            OptionalLong.empty(), // the offset of this record will be the session
            Node.State.READY,
            "",
            draft.sources());
    return Decision.of(
        List.of(new Change.Put(node)),
        new NodeStored(result(before.isEmpty()), node, OptionalLong.empty()));
  }

  private Decision<PodOutcome> lose(LoseNode lose) {
    var key = ObjectKey.ofCluster(Kind.NODE, lose.node());
    var existing = image.nodes().get(lose.node());
    if (existing.isEmpty()) {
      return refuse(new Refusal.NotFound(key));
    }
    var node = existing.get().object();
    var ended = Sessions.fault(image, lose.node(), lose.session());
    if (ended.isPresent()) { // another session, or lost already: nothing to say
      return Decision.answer(new NodeStored(Result.UNCHANGED, node, OptionalLong.empty()));
    }
    var lost =
        new Node(
            node.meta(),
            node.zone(),
            node.addresses(),
            node.podCidrs(),
            node.agentVersion(),
            node.instance(),
            OptionalLong.of(lose.session()),
            Node.State.LOST,
            lose.reason(),
            node.sources());
    return Decision.of(
        List.of(new Change.Put(lost)),
        new NodeStored(Result.CONFIGURED, lost, OptionalLong.empty()));
  }

  private Decision<PodOutcome> delete(DeleteNode delete) {
    var key = ObjectKey.ofCluster(Kind.NODE, delete.name());
    var existing = new Existing<>(key, image.nodes().get(delete.name()));
    var unmet = existing.unmet(delete.uid(), delete.resourceVersion());
    if (unmet.isPresent()) {
      return refuse(unmet.get());
    }
    var node = existing.object().orElseThrow();
    if (node.state() != Node.State.LOST || delete.streamAt().isPresent()) {
      return refuse(new Refusal.NodeLives(key, delete.streamAt()));
    }
    var reply = new NodeDeleted(node.name(), node.uid(), OptionalLong.empty());
    return delete.dryRun() == DryRun.YES
        ? Decision.answer(reply)
        : Decision.of(List.of(new Change.Remove(key, node.uid())), reply);
  }

  private Decision<PodOutcome> reconcile(ReconcileSource state) {
    var ended = Sessions.faultOfKnown(image, state.node(), state.session());
    if (ended.isPresent()) {
      return refuse(ended.get());
    }
    return new SourceReconciliation(state).decide();
  }

  /** Not where the node opened a later session, or is there again, or names the source by now. */
  private Decision<PodOutcome> collect(CollectPods collect) {
    var changes = new ArrayList<Change>();
    int pods = 0;
    if (isStillSo(collect)) {
      for (var name : image.pods().onNode(collect.node())) {
        var pod = image.pods().get(name).map(Versioned::object).filter(collect::concerns);
        if (name.namespace().equals(collect.namespace()) && pod.isPresent()) {
          changes.addAll(remove(pod.get()));
          pods++;
        }
      }
    }
    return Decision.of(changes, new PodOutcome.Collected(pods));
  }

  private boolean isStillSo(CollectPods collect) {
    var node = image.nodes().get(collect.node());
    return switch (collect.why()) {
      case Orphaning.NodeGone _ -> node.isEmpty();
      case Orphaning.NodeLost(long session) ->
          node.filter(n -> !n.isPending() && n.object().session(n.offset()) == session)
              .filter(n -> n.object().state() == Node.State.LOST)
              .isPresent();
      case Orphaning.SourceGone(long session, var source) ->
          node.filter(n -> !n.isPending() && n.object().session(n.offset()) == session)
              .filter(n -> !n.object().sources().isEmpty())
              .filter(n -> !n.object().sources().contains(source))
              .isPresent();
    };
  }

  /**
   * One reconciliation of all Pods that the source has in a namespace; those that are refused stay
   * as they are. What one of them gives up is free for another one, in whichever order they are
   * named: else two that swap their ports would refuse each other for ever.
   */
  private final class SourceReconciliation {
    private final ReconcileSource state;
    private final List<Change> gone = new ArrayList<>();

    /** Why Pods are refused, in the order in which they are named; "" = they are not. */
    private final List<String> faults = new ArrayList<>();

    /** Pods that change; less and less of them, as some are refused. */
    private final List<Wanted> wanted = new ArrayList<>();

    /** A Pod as it is to be. */
    private record Wanted(int index, Optional<Pod> before, Pod pod) {}

    SourceReconciliation(ReconcileSource state) {
      this.state = state;
    }

    Decision<PodOutcome> decide() {
      var names = new HashSet<ObjectName>();
      state.pods().forEach(draft -> names.add(draft.objectName()));
      for (var versioned : image.pods().inNamespace(state.namespace())) {
        var pod = versioned.object();
        if (isOurs(pod) && !names.contains(pod.name())) {
          gone.addAll(remove(pod));
        }
      }
      var named = new HashSet<ObjectName>();
      for (int i = 0; i < state.pods().size(); i++) {
        faults.add(read(i, named));
      }
      refuseWhatIsTaken();
      var changes = new ArrayList<>(gone);
      wanted.forEach(one -> changes.addAll(put(one.pod())));
      var refused = new ArrayList<PodOutcome.Dropped>();
      for (int i = 0; i < faults.size(); i++) {
        if (!faults.get(i).isEmpty()) {
          refused.add(new PodOutcome.Dropped(state.pods().get(i).objectName(), faults.get(i)));
        }
      }
      return Decision.of(changes, new PodOutcome.Reconciled(refused, OptionalLong.empty()));
    }

    private boolean isOurs(Pod pod) {
      return pod.source().equals(state.source())
          && pod.spec().nodeName().equals(Optional.of(state.node()));
    }

    /** Why the Pod is refused whatever the others are, or "". */
    private String read(int index, Set<ObjectName> named) {
      var draft = state.pods().get(index);
      if (!draft.objectName().namespace().equals(state.namespace())) {
        return "is not in namespace " + state.namespace();
      }
      if (!named.add(draft.objectName())) {
        return "is named twice";
      }
      var violations = new Violations();
      var wish = PodRules.read(draft, violations);
      if (!wish.source().equals(state.source())) {
        violations.invalid("source", wish.source(), "is not " + state.source());
      }
      if (!wish.spec().nodeName().equals(Optional.of(state.node()))) {
        violations.invalid("spec.nodeName", draft.nodeName(), "is not " + state.node());
      }
      if (draft.annotations().containsKey(PodLease.ANNOTATION)) {
        violations.forbidden( // nobody would renew it: it would go while its source still names it
            "metadata.annotations[" + PodLease.ANNOTATION + "]",
            "a Pod of a source lives as long as its source names it: leave the annotation out");
      }
      var before = image.pods().get(draft.objectName()).map(Versioned::object);
      var owner = before.map(Pod::source).filter(s -> !s.equals(state.source()));
      if (owner.isPresent()) {
        return "the name is taken by a Pod from " + owner.get();
      }
      var same = same(wish, before);
      same.ifPresent(pod -> PodImmutability.checkPlace(pod, wish.spec().nodeName(), violations));
      if (!violations.isEmpty()) {
        return String.join("; ", violations.list().stream().map(Violation::toString).toList());
      }
      var pod = pod(draft, wish, wish.spec(), status(wish, same), same);
      if (before.filter(pod::equals).isEmpty()) {
        wanted.add(new Wanted(index, before, pod));
      }
      return "";
    }

    /**
     * Each that is refused keeps what it has, which may be what another one is to have. First those
     * in whose way something else stands: whoever is in the way of such a one only is not refused
     * for it. Of two that want the same anew the one that is named first gets it.
     */
    private void refuseWhatIsTaken() {
      while (!wanted.isEmpty()) {
        var left = new ArrayList<>(gone);
        wanted.forEach(one -> one.before().ifPresent(pod -> left.addAll(remove(pod))));
        var others = image.with(left);
        // one that is refused only adds to what stands in the way: all of them at once
        if (wanted.removeIf(one -> isRefused(others, one))) {
          continue;
        }
        var all = new ArrayList<Change>();
        wanted.forEach(one -> all.addAll(put(one.pod())));
        var there = others.with(all);
        boolean isHeld = false;
        for (var one : List.copyOf(wanted).reversed()) {
          if (!isRefused(there, one)) {
            continue;
          }
          wanted.remove(one);
          if (one.before().isPresent()) { // what it keeps may be in the way of others
            isHeld = true;
            break;
          }
          // those behind it are taken anew from nobody all the same
          there = there.with(List.of(new Change.Remove(one.pod().key(), one.pod().uid())));
        }
        if (!isHeld) {
          return;
        }
      }
    }

    /** Whether it claims anew what another one has there; says so. */
    private boolean isRefused(ClusterImage there, Wanted one) {
      var taken = PodClaims.takenAnew(there.pods(), one.before(), one.pod(), this::isDecidedHere);
      taken.ifPresent(by -> faults.set(one.index(), by.toString()));
      return taken.isPresent();
    }

    /**
     * The source's Pods in other namespaces are reconciled at the same moment by others, and may be
     * about to give it up. Where they do not, the younger is no endpoint: {@link PodClaims#taken}.
     */
    private boolean isDecidedHere(Pod other) {
      return !isOurs(other) || other.name().namespace().equals(state.namespace());
    }
  }

  private static Decision<PodOutcome> refuse(Refusal refusal) {
    return Decision.answer(new Refused(refusal));
  }
}
