package io.fairlead.testbed.check;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Service;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.etcd.EtcdConfig;
import io.fairlead.etcd.EtcdCoordination;
import io.fairlead.eventlog.load.LogReader;
import io.fairlead.eventlog.load.Snapshot;
import io.fairlead.eventlog.log.KafkaEventLog;
import io.fairlead.eventlog.log.KafkaLogConfig;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.testbed.cluster.Stores;
import io.fairlead.v1.LogGrpc;
import io.fairlead.v1.LogStatusRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.awaitility.Awaitility;

/**
 * What must hold of a control plane at rest, after any fault: no address twice, claims = addresses,
 * replicas that agree. Looked up in the log and in etcd, by readers of our own.
 */
public final class LogInvariants {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final Stores stores;

  public LogInvariants(Stores stores) {
    this.stores = stores;
  }

  /** Waits until all of them hold; fails with what does not. */
  public void awaitAll() {
    awaitNone(() -> faults(replay()));
  }

  static void awaitNone(Supplier<List<String>> question) {
    Awaitility.await("invariants at rest")
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(200))
        .ignoreExceptionsMatching(GatewayException.class::isInstance) // stores that are just back
        .untilAsserted(() -> {
          var faults = question.get();
          if (!faults.isEmpty()) {
            throw new AssertionError(String.join("\n", faults));
          }
        });
  }

  /** What does not hold of what the log says, in words; empty = all is well. */
  public List<String> faults(Snapshot replay) {
    var faults = new ArrayList<String>();
    faults.addAll(addressFaults(replay));
    faults.addAll(claimFaults(replay));
    faults.addAll(digestFaults(replay));
    return faults;
  }

  /** The log, read from its start by a reader of our own. */
  public Snapshot replay() {
    try (var log =
        KafkaEventLog.open(
            KafkaLogConfig.of(stores.kafkaBootstrap(), "invariants")
                .withReplicationFactor(stores.copies()),
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

  /** Invariant 2: claims = addresses of Services, and those of reservations that live. */
  private List<String> claimFaults(Snapshot replay) {
    var faults = new ArrayList<String>();
    try (var etcd = EtcdCoordination.connect(EtcdConfig.of(stores.etcdUrls()), Time.system())) {
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
      var reservations = etcd.reservations();
      claims.forEach((address, claim) -> {
        if (!claim.reserved() || !reservations.containsKey(claim.uid())) {
          faults.add(address + " is claimed for nobody: " + claim);
        }
      });
    }
    return faults;
  }

  /** Invariant 4: replicas agree with each other and with a replay. */
  private List<String> digestFaults(Snapshot replay) {
    var faults = new ArrayList<String>();
    for (var replica : stores.replicas()) {
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
}
