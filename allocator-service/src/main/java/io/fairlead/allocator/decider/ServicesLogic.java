package io.fairlead.allocator.decider;

import io.fairlead.core.decide.AddressBands;
import io.fairlead.core.decide.Decision;
import io.fairlead.core.decide.DryRun;
import io.fairlead.core.decide.ServiceCommand;
import io.fairlead.core.decide.ServiceDraft;
import io.fairlead.core.decide.ServiceDraft.PortDraft;
import io.fairlead.core.decide.ServiceOutcome;
import io.fairlead.core.decide.ServiceSettings;
import io.fairlead.core.decide.ServicesContext;
import io.fairlead.core.decide.ServicesDecider;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.record.Change;
import io.fairlead.core.record.LogEntry;
import io.fairlead.decider.DecisionContext;
import io.fairlead.decider.PartitionLogic;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Services as the logic of their partition. At the first take-over of a log it writes what every
 * cluster has: the range that ClusterIPs come from, and the control plane's own Service on its
 * first address.
 */
public final class ServicesLogic implements PartitionLogic<ServiceCommand, ServiceOutcome> {
  private static final Logger log = LoggerFactory.getLogger(ServicesLogic.class);
  private static final int ALLOCATOR_PORT = 7401;
  private static final int ENDPOINTS_PORT = 7402;

  private final List<Cidr> serviceCidrs;
  private final ServiceSettings settings;
  private final FreshlyFreed freed;

  public ServicesLogic(List<Cidr> serviceCidrs, ServiceSettings settings, FreshlyFreed freed) {
    this.serviceCidrs = List.copyOf(serviceCidrs);
    this.settings = settings;
    this.freed = freed;
  }

  @Override
  public Decision<ServiceOutcome> decide(
      ClusterImage working, ServiceCommand command, DecisionContext context) {
    return ServicesDecider.decide(
        working,
        command,
        new ServicesContext(
            context.now(),
            context.random(),
            context.avoid(),
            context.taken(),
            context.reserved(),
            freed.recent(),
            settings));
  }

  @Override
  public ServiceOutcome recall(LogEntry first, Position position) {
    return ServicesDecider.recall(first);
  }

  @Override
  public ServiceOutcome complete(ServiceOutcome reply, LogEntry first, Position position) {
    return reply.at(first.offset());
  }

  @Override
  public Optional<Decision<ServiceOutcome>> bootstrap(
      ClusterImage image, LogPartition partition, DecisionContext context) {
    var ranges = image.serviceCidrs();
    if (ranges.all().isEmpty()) {
      return Optional.of(store(defaultRange(context, serviceCidrs)));
    }
    var found = ranges.get(ServiceCidr.DEFAULT_NAME).map(Versioned::object);
    if (found.isPresent()) {
      var stored = found.get().cidrs();
      if (!found.get().terminating()
          && stored.size() < serviceCidrs.size()
          && stored.equals(serviceCidrs.subList(0, stored.size()))) {
        return Optional.of(store(ServiceCidr.ready(found.get().meta(), serviceCidrs)));
      }
      if (!stored.equals(serviceCidrs)) {
        log.atWarn()
            .addKeyValue("event", "service-cidrs.differ")
            .addKeyValue("configured", serviceCidrs)
            .addKeyValue("inForce", stored)
            .log("The log has other ranges than --service-cidrs says; the log's hold");
      }
    }
    // that somebody deleted it for other ranges is a decision: it does not come back
    var primary = found.orElseGet(() -> ranges.all().iterator().next().object()).cidrs().getFirst();
    return image.services().get(ServicesDecider.CONTROL_PLANE).isPresent()
        ? Optional.empty()
        : controlPlane(image, primary, context);
  }

  private static ServiceCidr defaultRange(DecisionContext context, List<Cidr> cidrs) {
    var meta =
        new ObjectMeta(
            "",
            ServiceCidr.DEFAULT_NAME,
            context.random().uuid(),
            new TreeMap<>(),
            new TreeMap<>(),
            context.now());
    return ServiceCidr.ready(meta, cidrs);
  }

  /** The reply is dropped; it has to be something. */
  private static Decision<ServiceOutcome> store(ServiceCidr cidr) {
    return Decision.of(
        List.of(new Change.Put(cidr)),
        new ServiceOutcome.Deleted(cidr.meta().objectName(), cidr.uid(), OptionalLong.empty()));
  }

  private Optional<Decision<ServiceOutcome>> controlPlane(
      ClusterImage image, Cidr primary, DecisionContext context) {
    var address = new AddressBands(primary).usable().map(span -> span.first().toString());
    var decision =
        decide(
            image, new ServiceCommand.Create(controlPlane(address.orElse("")), DryRun.NO), context);
    if (decision.changes().isEmpty()) {
      log.atWarn()
          .addKeyValue("event", "control-plane.refused")
          .addKeyValue("object", ServicesDecider.CONTROL_PLANE)
          .addKeyValue("reply", decision.reply())
          .log("The control plane's own Service cannot be made");
      return Optional.empty();
    }
    return Optional.of(decision);
  }

  /** Without a selector: its endpoints are the replicas, which are no Pods. */
  private static ServiceDraft controlPlane(String address) {
    return new ServiceDraft(
        ServicesDecider.CONTROL_PLANE.namespace(),
        ServicesDecider.CONTROL_PLANE.name(),
        "",
        Map.of("app.kubernetes.io/name", "fairlead"),
        Map.of(),
        "",
        "",
        "ClusterIP",
        address,
        List.of(),
        List.of(),
        "",
        Map.of(),
        List.of(
            new PortDraft("allocator", "TCP", ALLOCATOR_PORT, "", "", 0),
            new PortDraft("endpoints", "TCP", ENDPOINTS_PORT, "", "", 0)),
        "",
        OptionalInt.empty(),
        "",
        "",
        false,
        "");
  }
}
