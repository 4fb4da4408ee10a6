package io.fairlead.testbed.check;

import io.fairlead.agent.nft.KernelReader;
import io.fairlead.agent.nft.KernelState;
import io.fairlead.agent.ruleset.FamilyState;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Service;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.Entries;
import io.fairlead.core.view.NodeContext;
import io.fairlead.core.view.NodeView;
import io.fairlead.devkit.fabric.NetnsSockets;
import io.fairlead.etcd.EtcdConfig;
import io.fairlead.etcd.EtcdCoordination;
import io.fairlead.eventlog.load.LogReader;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.eventlog.log.KafkaEventLog;
import io.fairlead.eventlog.log.KafkaLogConfig;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.testbed.cluster.Cluster;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogStatusRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/**
 * What must hold at rest, after any fault: looked up in the log, in etcd, in each kernel and in
 * each replica, never in what the tested process says of itself alone.
 */
public final class Invariants {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final Cluster cluster;

  public Invariants(Cluster cluster) {
    this.cluster = cluster;
  }

  /** Waits until all of them hold; fails with what does not. */
  public void awaitAll() {
    Awaitility.await("invariants at rest")
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(200))
        .untilAsserted(() -> {
          var faults = faults();
          if (!faults.isEmpty()) {
            throw new AssertionError(String.join("\n", faults));
          }
        });
  }

  /** What does not hold now, in words; empty = all is well. */
  public List<String> faults() {
    var replay = replay();
    var faults = new ArrayList<String>();
    faults.addAll(addressFaults(replay));
    faults.addAll(claimFaults(replay));
    faults.addAll(digestFaults(replay));
    faults.addAll(kernelFaults(replay));
    return faults;
  }

  /** The log, read from its start by a reader of our own. */
  public Snapshot replay() {
    try (var log =
        KafkaEventLog.open(
            KafkaLogConfig.of(cluster.kafkaBootstrap(), "invariants").withReplicationFactor(1),
            Time.system())) {
      return LogReader.readAll(log, LIMIT);
    }
  }

  /** Invariant 1: no address twice, none outside the ranges. */
  private static List<String> addressFaults(Snapshot replay) {
    var faults = new ArrayList<String>();
    var holders = new TreeMap<Address, Service>();
    var ranges =
        replay.image().serviceCidrs().all().stream()
            .flatMap(c -> c.object().cidrs().stream())
            .toList();
    for (var versioned : replay.image().services().all()) {
      var service = versioned.object();
      for (var address : service.spec().clusterIps()) {
        var other = holders.put(address, service);
        if (other != null) {
          faults.add(address + " is held by " + other.name() + " and " + service.name());
        }
        if (ranges.stream().noneMatch(range -> range.contains(address))) {
          faults.add(address + " of " + service.name() + " is in no range");
        }
      }
    }
    return faults;
  }

  /** Invariant 2: claims = addresses of Services. */
  private List<String> claimFaults(Snapshot replay) {
    var faults = new ArrayList<String>();
    try (var etcd =
        EtcdCoordination.connect(EtcdConfig.of(List.of(cluster.etcdUrl())), Time.system())) {
      var claims = new TreeMap<>(etcd.claims());
      for (var versioned : replay.image().services().all()) {
        var service = versioned.object();
        for (var address : service.spec().clusterIps()) {
          var claim = Optional.ofNullable(claims.remove(address));
          if (claim.filter(c -> c.uid().equals(service.uid())).isEmpty()) {
            faults.add(address + " of " + service.name() + " has the claim " + claim);
          }
        }
      }
      claims.forEach((address, claim) -> faults.add(address + " is claimed for nobody: " + claim));
    }
    return faults;
  }

  /** Invariant 4: replicas agree with each other and with a replay. */
  private List<String> digestFaults(Snapshot replay) {
    var faults = new ArrayList<String>();
    for (var replica : cluster.endpointsServiceAddresses()) {
      faults.addAll(digestFaults(replica, replay));
    }
    for (var replica : cluster.allocatorAddresses()) {
      faults.addAll(digestFaults(replica, replay));
    }
    return faults;
  }

  private static List<String> digestFaults(HostPort replica, Snapshot replay) {
    var faults = new ArrayList<String>();
    var channel = GrpcChannels.of(List.of(replica));
    try {
      var status =
          LogGrpc.newBlockingStub(channel)
              .withDeadlineAfter(5, TimeUnit.SECONDS)
              .status(LogStatusRequest.getDefaultInstance());
      for (var reported : status.getPartitionsList()) {
        var partition = LogPartition.parse(reported.getPartition()).orElseThrow();
        var digest = replay.image().digest(partition).toString();
        if (reported.getNext() == replay.position().of(partition)
            && !reported.getDigest().equals(digest)) {
          faults.add(
              replica
                  + " has digest "
                  + reported.getDigest()
                  + " of "
                  + partition
                  + ", a replay "
                  + digest);
        }
        if (reported.getNext() != replay.position().of(partition)) {
          faults.add(
              replica
                  + " is at "
                  + reported.getNext()
                  + " of "
                  + partition
                  + ", the log at "
                  + replay.position().of(partition));
        }
      }
    } catch (io.grpc.StatusRuntimeException e) {
      faults.add(replica + " does not answer: " + e.getStatus());
    } finally {
      channel.shutdownNow();
    }
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
