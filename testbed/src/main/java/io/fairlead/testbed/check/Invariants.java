package io.fairlead.testbed.check;

import io.fairlead.agent.nft.KernelReader;
import io.fairlead.agent.nft.KernelState;
import io.fairlead.agent.ruleset.FamilyState;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Position;
import io.fairlead.core.view.Entries;
import io.fairlead.core.view.NodeContext;
import io.fairlead.core.view.NodeView;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.testbed.cluster.Cluster;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What must hold at rest, after any fault: looked up in the log, in etcd, in each kernel and in
 * each replica, never in what the tested process says of itself alone.
 */
public final class Invariants {
  private final Cluster cluster;
  private final LogInvariants log;

  public Invariants(Cluster cluster) {
    this.cluster = cluster;
    this.log = new LogInvariants(cluster.stores());
  }

  /** Waits until all of them hold; fails with what does not. */
  public void awaitAll() {
    LogInvariants.awaitNone(this::faults);
  }

  /** The log, read from its start by a reader of our own. */
  public Snapshot replay() {
    return log.replay();
  }

  /** What does not hold now, in words; empty = all is well. */
  public List<String> faults() {
    var replay = replay();
    var faults = new ArrayList<>(log.faults(replay));
    faults.addAll(kernelFaults(replay));
    return faults;
  }

  /**
   * Invariant 5: each kernel equals the view at the position its own table tells, and has come to
   * the end of the log.
   */
  private List<String> kernelFaults(Snapshot replay) {
    var faults = new ArrayList<String>();
    for (var node : cluster.fabric().nodes()) {
      var kernel = readKernel(node.namespace());
      var context =
          new NodeContext(
              node.name(),
              Optional.of("zone-" + node.name().charAt(node.name().length() - 1)),
              Set.of(Cidr.of("10.244.0.0/16")));
      var view = NodeView.of(Entries.of(replay.image()).values(), context).rules();
      for (var difference : kernel.differencesFrom(view, Set.of())) {
        faults.add(node.name() + ": " + difference);
      }
      for (var family : Family.values()) {
        var position = acknowledged(kernel, family);
        if (!position.equals(Optional.of(replay.position()))) {
          faults.add(
              node.name()
                  + " "
                  + family
                  + " is at "
                  + position.map(Position::offsets)
                  + ", the log at "
                  + replay.position().offsets());
        }
      }
    }
    return faults;
  }

  private static Optional<Position> acknowledged(KernelState kernel, Family family) {
    return Optional.ofNullable(kernel.families().get(family)).flatMap(FamilyState::position);
  }

  /** What a node's tables hold, by a reader of our own in its network namespace. */
  public static KernelState readKernel(String namespace) {
    return NetnsSockets.call(
        namespace,
        () -> {
          try (var reader = KernelReader.open()) {
            return reader.read();
          }
        });
  }
}
