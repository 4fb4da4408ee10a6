package io.fairlead.agent.nft;

import io.fairlead.agent.nft.ApplyResult.FamilyResult;
import io.fairlead.agent.ruleset.FamilyState;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kernel's half of the agent: what of a node's view is programmed into nftables, in tables
 * {@code fairlead} of ip and ip6.
 *
 * <p>Threads: one platform thread does all work, as libnftables belongs to one thread and a network
 * namespace to a thread; it may be another namespace than the process's. Every method hands over
 * and waits, so all are safe to call from any thread; calls are done in order. Durable: the tables,
 * until {@link #uninstall} or a reboot; they stay and serve when this is closed or dies. What is
 * known about them here is derived from them.
 */
public final class DataPlane implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DataPlane.class);

  private final Worker worker;
  private final boolean ownNamespace; // that of the process
  private volatile Snapshot snapshot = new Snapshot(Optional.empty(), Set.of());

  // of the thread
  private final TreeMap<Family, FamilyPlane> planes = new TreeMap<>();
  private Optional<NftGateway> nft = Optional.empty();
  private Optional<Applied> applied = Optional.empty();

  /** What callers see without waiting for work under way. */
  private record Snapshot(Optional<Position> position, Set<Refused> quarantined) {}

  /** What was asked for last. */
  private record Applied(NodeRules view, Position position) {}

  private DataPlane(Worker worker, boolean ownNamespace) {
    this.worker = worker;
    this.ownNamespace = ownNamespace;
  }

  /**
   * Opens the kernel's nftables: checks what is needed, takes over our tables as they are or
   * creates them. A family that fails alone is named by the first {@link #apply}.
   *
   * @throws GatewayException KNOWN_FAILED with what is missing and what to do about it; nothing was
   *     changed, or only our own empty tables were made
   */
  public static DataPlane open(DataPlaneConfig config) {
    return open(config, FaultPoints.NONE);
  }

  /** Likewise; the points are told of each transaction. */
  public static DataPlane open(DataPlaneConfig config, FaultPoints points) {
    var foreign = new Foreign();
    return on(
        config,
        Time.system(),
        () -> {
          config.namespace().ifPresent(namespace -> Worker.enter(foreign, namespace));
          return new NftPoints(KernelNft.open(foreign), points);
        });
  }

  /**
   * The same over another implementation of nftables; {@code gateway} is called on the data plane's
   * thread.
   */
  public static DataPlane on(
      DataPlaneConfig config, Time time, Supplier<? extends NftGateway> gateway) {
    var plane =
        new DataPlane(
            Worker.start("nft-" + config.nodeName(), "the data plane"),
            config.namespace().isEmpty());
    try {
      plane.worker.call(() -> {
        plane.start(config, time, gateway.get());
        return true;
      });
      return plane;
    } catch (RuntimeException e) {
      plane.worker.close();
      throw e;
    }
  }

  private void start(DataPlaneConfig config, Time time, NftGateway gateway) {
    nft = Optional.of(gateway);
    var failures = new TreeMap<Family, GatewayException>();
    for (var family : config.families()) {
      var plane = new FamilyPlane(gateway, Layout.of(family), config.nodeName(), time);
      planes.put(family, plane);
      try {
        int programmed = plane.load().size();
        counted(plane, plane.transactions());
        LOG.atInfo()
            .addKeyValue("event", "dataplane.opened")
            .addKeyValue("family", family)
            .addKeyValue("frontends", programmed)
            .addKeyValue("position", plane.position().map(Position::offsets).orElse(""))
            .log("Took over the table as it is");
      } catch (GatewayException e) {
        failures.put(family, e);
      }
    }
    if (failures.size() == planes.size()) {
      gateway.close();
      nft = Optional.empty();
      throw new GatewayException(
          Outcome.KNOWN_FAILED,
          "nftables refuses the tables: " + failures.firstEntry().getValue().getMessage(),
          failures.firstEntry().getValue());
    }
    failures.forEach((family, e) ->
        LOG.atWarn()
            .addKeyValue("event", "family.failed")
            .addKeyValue("family", family)
            .addKeyValue("words", e.getMessage())
            .log("One family cannot be programmed; it is tried again with each change"));
    publish();
  }

  /**
   * Brings the kernel to that view, comparing all of it with what is programmed, and writes the
   * position with the last change that takes effect. Returns when both families are committed or
   * failed.
   *
   * @throws GatewayException UNKNOWN where the wait was interrupted
   */
  public ApplyResult apply(NodeRules view, Position position) {
    return apply(view, Optional.empty(), position);
  }

  /**
   * The same, comparing only those frontends: for when nothing else differs from the view of the
   * call before. It costs what changed. After a family failed, its next call compares all of it by
   * itself.
   */
  public ApplyResult apply(NodeRules view, Set<Frontend> changed, Position position) {
    return apply(view, Optional.of(Set.copyOf(changed)), position);
  }

  private ApplyResult apply(NodeRules view, Optional<Set<Frontend>> changed, Position position) {
    return worker.call(() -> {
      applied = Optional.of(new Applied(view, position));
      var results = new TreeMap<Family, FamilyResult>();
      planes.forEach((family, plane) ->
          results.put(family, counted(plane, plane.apply(view, changed, position))));
      publish();
      return new ApplyResult(Collections.unmodifiableSortedMap(results));
    });
  }

  /**
   * Looks whether somebody else deleted, flushed or changed our tables, and restores the view of
   * the last {@link #apply}. Cheap where nobody's transaction happened meanwhile, so it can be
   * called every second.
   *
   * @return by family that was examined; with 0 commands where all was right. Empty where there was
   *     nothing to examine
   */
  public ApplyResult check() {
    return worker.call(() -> {
      var results = new TreeMap<Family, FamilyResult>();
      if (applied.isPresent()) {
        planes.forEach((family, plane) -> {
          if (plane.suspicious()) {
            results.put(
                family,
                counted(plane, plane.recheck(applied.get().view(), applied.get().position())));
          }
        });
        publish();
      }
      return new ApplyResult(Collections.unmodifiableSortedMap(results));
    });
  }

  private FamilyResult counted(FamilyPlane by, FamilyResult result) {
    counted(by, by.transactions());
    return result;
  }

  /** What one family commits moves the generation that the others expect. */
  private void counted(FamilyPlane by, int transactions) {
    for (var other : planes.values()) {
      if (other != by) {
        other.counted(transactions);
      }
    }
  }

  /**
   * The acknowledged position as it stands in the kernel: the lower of both families'. Empty where
   * none was written yet, or the families are of different logs.
   */
  public Optional<Position> position() {
    return snapshot.position();
  }

  /**
   * Frontends that the kernel refuses. Each is tried again when its rule changes; its former state
   * stays programmed.
   */
  public Set<Refused> quarantined() {
    return snapshot.quarantined();
  }

  /** Reads everything from the kernel: costs what exists. */
  public KernelState read() {
    return worker.call(this::kernel);
  }

  /**
   * What was asked for and what is there, of one moment.
   *
   * @param wanted by the last {@link #apply}; empty = there was none yet
   * @param at the position of what is wanted
   * @param families that are programmed
   */
  public record Examined(
      Optional<NodeRules> wanted,
      Optional<Position> at,
      Set<Family> families,
      KernelState kernel,
      Set<Refused> quarantined) {
    public Examined {
      families = Set.copyOf(families);
      quarantined = Set.copyOf(quarantined);
    }
  }

  /** Reads everything from the kernel, with what it should be: costs what exists. */
  public Examined examine() {
    return worker.call(() ->
        new Examined(
            applied.map(Applied::view),
            applied.map(Applied::position),
            planes.keySet(),
            kernel(),
            snapshot.quarantined()));
  }

  private KernelState kernel() {
    var families = new TreeMap<Family, FamilyState>();
    planes.forEach((family, plane) -> plane.read().ifPresent(state -> families.put(family, state)));
    return new KernelState(Collections.unmodifiableSortedMap(families));
  }

  /**
   * What of the host keeps packets from where the rules send them: forwarding, bridges, conntrack,
   * routes. Looks anew each time, and changes nothing.
   */
  public List<HostCheck.Finding> checkHost(HostCheck.Ranges ranges) {
    return worker.call(() -> HostCheck.here(ownNamespace).look(ranges));
  }

  /** Deletes our two tables, and nothing else. New connections to VIPs are not served any more. */
  public void uninstall() {
    worker.call(() -> {
      planes.forEach((family, plane) -> {
        if (plane.uninstall()) {
          LOG.atInfo()
              .addKeyValue("event", "dataplane.uninstalled")
              .addKeyValue("family", family)
              .log("Deleted the table");
        }
      });
      applied = Optional.empty();
      publish();
      return true;
    });
  }

  /** Ends the thread after what it is doing; the tables stay and serve. */
  @Override
  public void close() {
    worker.close(() -> {
      nft.ifPresent(NftGateway::close);
      nft = Optional.empty();
    });
  }

  private void publish() {
    var refused = new LinkedHashSet<Refused>();
    planes.values().forEach(plane -> refused.addAll(plane.quarantined()));
    var positions = planes.values().stream().map(FamilyPlane::position).toList();
    snapshot =
        new Snapshot(
            positions.stream().reduce(KernelState::lower).orElse(Optional.empty()),
            Collections.unmodifiableSet(refused));
  }
}
