package io.fairlead.allocator;

import io.fairlead.allocator.decider.ReservationEnds;
import io.fairlead.decider.Feed;
import io.fairlead.decider.LogStability;
import io.fairlead.decider.PartitionOwners;
import io.fairlead.decider.grpc.LogReads;
import io.fairlead.decider.grpc.PeerDigests;
import io.fairlead.decider.watch.History;
import io.fairlead.decider.watch.Watches;
import io.fairlead.etcd.Coordination;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.log.FollowListener.Connection;
import io.fairlead.eventlog.snapshot.Snapshots;
import io.fairlead.runtime.Metrics;
import java.util.concurrent.atomic.LongAdder;

/** What this process exports of itself; all looked up at the scrape. */
final class AllocatorMetrics {
  private static final String LOG = "log";
  private static final String DECIDER = "decider";
  private static final String SERVICES = "services";
  private static final String RESERVATIONS = "reservations";
  private static final String WATCHES = "watches";

  private AllocatorMetrics() {}

  static void register(
      Metrics metrics,
      Loader loader,
      Snapshots snapshots,
      LogStability stability,
      Coordination coordination,
      Feed feed,
      PartitionOwners<?, ?> owners,
      ReservationEnds ends,
      History history,
      Watches watches,
      LogReads logReads,
      PeerDigests digests) {
    metrics.counter(LOG, "entries_applied", "Entries brought into the image.", loader::entries);
    snapshots.figures(
        loader,
        (what, help, value) -> metrics.gauge(LOG, what, help, value),
        (what, help, value) -> metrics.counter(LOG, what, help, value));
    metrics.gauge(LOG, "synced", "1 once the image has caught up.", () -> loader.synced() ? 1 : 0);
    metrics.gauge(
        LOG,
        "connected",
        "1 while Kafka is reached.",
        () -> loader.connection() == Connection.CONNECTED ? 1 : 0);
    metrics.gauge(
        LOG,
        "unstable_partitions",
        "Partitions that a transaction left open holds back for 2 s and more.",
        stability::stuck);

    metrics.gauge(
        SERVICES,
        "count",
        "Services of the image.",
        () -> loader.current().image().services().byName().size());
    metrics.gauge(
        SERVICES,
        "cluster_ips",
        "ClusterIPs in use.",
        () -> loader.current().image().services().clusterIps().size());
    metrics.gauge(
        SERVICES,
        "cluster_ips_contested",
        "ClusterIPs that stand in the records of several Services; the oldest has it.",
        () -> loader.current().image().services().conflicts().size());
    metrics.gauge(
        SERVICES,
        "round_robin_ports",
        "Service ports that are balanced round-robin.",
        () -> loader.current().image().services().roundRobinPorts());

    metrics.gauge(
        RESERVATIONS,
        "count",
        "Reservations of the image; one that ran out counts until that is written down.",
        () -> loader.current().image().reservations().size());
    metrics.gauge(
        RESERVATIONS,
        "addresses",
        "Addresses that they name.",
        () -> loader.current().image().reservations().addresses());
    metrics.counter(
        RESERVATIONS, "expired", "Reservations whose lease ran out, found here.", ends::ended);
    metrics.counter(
        RESERVATIONS,
        "addresses_taken_over",
        "Addresses that Services took over from their reservation, decided here.",
        owners.stats().reservedTakenOver::sum);

    digests.figures(
        (what, help, value) -> metrics.gauge(LOG, what, help, value),
        (what, help, value) -> metrics.counter(LOG, what, help, value));
    metrics.gauge(LOG, "readers", "Calls that read the log.", logReads::size);
    metrics.gauge(WATCHES, "open", "Calls that watch objects.", watches::size);
    metrics.counter(WATCHES, "sent", "Messages to those who watch.", watches::sent);
    metrics.counter(
        WATCHES, "conflated", "Changes told together with a later one.", watches::conflated);

    metrics.gauge(
        WATCHES,
        "history_changes",
        "Changes kept, for watches that go on and lists in pages.",
        history::size);
    metrics.gauge(
        WATCHES, "history_bytes", "Memory of what these changes replaced, about.", history::bytes);

    var decider = owners.stats();
    var phases =
        metrics.seconds(
            DECIDER,
            "phase",
            "What the time of requests (queue) and of their batches (the rest) goes into.",
            "phase");
    decider.onPhase((phase, nanos) -> phases.labelValues(phase.label()).observe(nanos / 1e9));
    metrics.gauge(
        DECIDER, "partitions_served", "Partitions owned here.", () -> owners.serving().size());
    metrics.gauge(DECIDER, "queued_requests", "Requests that wait.", owners::queued);
    metrics.gauge(
        DECIDER, "remembered_requests", "Request ids that are remembered.", feed::remembered);
    metrics.counter(
        DECIDER,
        "requests_forgotten_early",
        "Request ids forgotten before their hour was over: too many.",
        feed::forgottenEarly);
    metrics.gauge(
        DECIDER, "etcd_away", "1 while etcd does not answer.", () -> owners.etcdAway() ? 1 : 0);
    metrics.gauge(
        DECIDER,
        "etcd_unreadable_keys",
        "Keys of owners, members and claims that cannot be read.",
        coordination::unreadableKeys);
    count(metrics, "takeovers", "Partitions taken over.", decider.takeovers);
    count(
        metrics,
        "takeovers_settled",
        "Partitions taken over whose claims the owner before had left settled.",
        decider.settledTakeovers);
    count(metrics, "ownerships_lost", "Partitions lost.", decider.lostOwnerships);
    count(metrics, "batches", "Transactions committed.", decider.batches);
    count(metrics, "decisions", "Requests decided.", decider.decisions);
    count(metrics, "records", "Records appended.", decider.records);
    count(metrics, "remembered", "Requests answered again.", decider.remembered);
    count(metrics, "claim_conflicts", "Addresses that etcd refused.", decider.claimConflicts);
    count(metrics, "orphans_freed", "Claims freed that no Service had.", decider.orphansFreed);
    count(metrics, "claims_restored", "Claims made that a Service lacked.", decider.claimsRestored);
    count(metrics, "outcomes_unknown", "Commits of unknown outcome.", decider.outcomesUnknown);
    count(metrics, "overloaded", "Requests refused, queue full.", decider.overloaded);
    count(metrics, "withdrawn", "Requests given up before their turn.", decider.withdrawn);
    count(metrics, "confirmations", "Answers confirmed that wrote nothing.", decider.confirmations);
  }

  private static void count(Metrics metrics, String what, String help, LongAdder adder) {
    metrics.counter(DECIDER, what, help, adder::sum);
  }
}
