package io.fairlead.endpoints;

import io.fairlead.decider.Feed;
import io.fairlead.decider.LogStability;
import io.fairlead.decider.PartitionOwners;
import io.fairlead.decider.grpc.LogReads;
import io.fairlead.decider.grpc.PeerDigests;
import io.fairlead.decider.watch.History;
import io.fairlead.decider.watch.Watches;
import io.fairlead.endpoints.acks.Acks;
import io.fairlead.endpoints.decider.Duties;
import io.fairlead.endpoints.grpc.AckWaits;
import io.fairlead.endpoints.stream.Contents;
import io.fairlead.endpoints.stream.FirstFrame;
import io.fairlead.endpoints.stream.NodeStreams;
import io.fairlead.endpoints.stream.ResetTurns;
import io.fairlead.endpoints.stream.StreamStats;
import io.fairlead.etcd.Coordination;
import io.fairlead.eventlog.load.Loader;
import io.fairlead.eventlog.snapshot.Snapshots;
import io.fairlead.runtime.Metrics;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.DoubleSupplier;

/** What this process exports of itself; all looked up at the scrape. */
final class EndpointsMetrics {
  private static final String LOG = "log";
  private static final String DECIDER = "decider";
  private static final String NODES = "nodes";
  private static final String STREAMS = "streams";
  private static final String ACKS = "acks";
  private static final String WATCHES = "watches";

  private EndpointsMetrics() {}

  static void register(
      Metrics metrics,
      Loader loader,
      Snapshots snapshots,
      LogStability stability,
      Coordination coordination,
      Feed feed,
      PartitionOwners<?, ?> owners,
      Duties duties,
      Contents contents,
      NodeStreams streams,
      ResetTurns turns,
      StreamStats stats,
      Acks acks,
      AckWaits waits,
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
        "unstable_partitions",
        "Partitions that a transaction left open holds back for 2 s and more.",
        stability::stuck);

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
    count(metrics, DECIDER, "takeovers", "Partitions taken over.", decider.takeovers);
    count(metrics, DECIDER, "ownerships_lost", "Partitions lost.", decider.lostOwnerships);
    count(metrics, DECIDER, "batches", "Transactions committed.", decider.batches);
    count(metrics, DECIDER, "decisions", "Requests decided.", decider.decisions);
    count(metrics, DECIDER, "records", "Records appended.", decider.records);
    count(metrics, DECIDER, "remembered", "Requests answered again.", decider.remembered);
    count(
        metrics,
        DECIDER,
        "outcomes_unknown",
        "Commits of unknown outcome.",
        decider.outcomesUnknown);
    count(metrics, DECIDER, "overloaded", "Requests refused, queue full.", decider.overloaded);
    count(metrics, DECIDER, "withdrawn", "Requests given up before their turn.", decider.withdrawn);

    metrics.gauge(
        NODES,
        "loss_held",
        "Nodes that look lost, held back because so many went at once.",
        duties::held);
    metrics.counter(
        NODES,
        "pods_collected",
        "Pods deleted because their node was lost for long or deleted, or lacks their source.",
        duties::collected);
    metrics.counter(NODES, "duty_failures", "Duties of owners that failed.", duties::failures);
    digests.figures(
        (what, help, value) -> metrics.gauge(LOG, what, help, value),
        (what, help, value) -> metrics.counter(LOG, what, help, value));
    metrics.gauge(LOG, "readers", "Calls that read the log.", logReads::size);
    metrics.gauge(WATCHES, "open", "Calls that watch objects.", watches::size);
    metrics.counter(WATCHES, "sent", "Messages to those who watch.", watches::sent);
    metrics.counter(
        WATCHES, "conflated", "Changes told together with a later one.", watches::conflated);
    metrics.gauge(
        WATCHES, "history_changes", "Changes kept, for watches that go on.", history::size);
    metrics.gauge(
        WATCHES, "history_bytes", "Memory of what these changes replaced, about.", history::bytes);

    metrics.gauge(
        ACKS,
        "known",
        "1 while what nodes of other replicas acknowledge arrives here.",
        () -> acks.trouble().isEmpty() ? 1 : 0);
    metrics.gauge(ACKS, "members", "Nodes and DNS servers of which it is known.", acks::members);
    metrics.counter(ACKS, "published", "Acknowledgements passed on to others.", acks::published);
    metrics.counter(ACKS, "failures", "Times that passing them on failed.", acks::failures);
    metrics.gauge(ACKS, "waits", "Calls that wait for nodes.", waits::size);

    metrics.gauge(STREAMS, "open", "Nodes whose stream is here.", streams::size);
    metrics.gauge(
        STREAMS,
        "lag_offsets",
        "How far the node furthest behind is, in offsets.",
        () -> streams.greatestLag(loader.current().position()));
    metrics.gauge(STREAMS, "entries", "Entries that streams carry.", contents::entries);
    metrics.gauge(STREAMS, "journal_keys", "Changed keys in the journal.", contents::journal);
    metrics.gauge(STREAMS, "journal_records", "Records in the journal.", contents::journalRecords);
    var firsts = new HashMap<List<String>, DoubleSupplier>();
    for (var kind : FirstFrame.values()) {
      firsts.put(List.of(kind.sent(), kind.why()), () -> stats.firsts(kind));
    }
    metrics.counters(
        STREAMS,
        "first_frames",
        "What agents were sent when they came, and why it was everything.",
        List.of("sent", "why"),
        firsts);
    count(metrics, STREAMS, "opened", "Streams opened.", stats.opened);
    count(metrics, STREAMS, "closed", "Streams closed.", stats.closed);
    count(
        metrics,
        STREAMS,
        "left_early",
        "Agents that went before their session was opened, which was withdrawn.",
        stats.leftEarly);
    count(metrics, STREAMS, "resets", "Frames with everything.", stats.resets);
    metrics.gauge(STREAMS, "resets_sending", "Nodes that are sent everything.", turns::sending);
    metrics.gauge(
        STREAMS, "resets_waiting", "Nodes that wait to be sent everything.", turns::waiting);
    count(
        metrics,
        STREAMS,
        "resets_interrupted",
        "Times that a node that took long gave its place to another.",
        stats.resetsInterrupted);
    count(
        metrics,
        STREAMS,
        "moves_asked",
        "Agents that were asked to go to a replica that holds fewer.",
        stats.movesAsked);
    count(metrics, STREAMS, "deltas", "Frames with a difference.", stats.deltas);
    count(metrics, STREAMS, "bookmarks", "Bookmarks sent.", stats.bookmarks);
    count(metrics, STREAMS, "chunks", "Chunks sent.", stats.chunks);
    count(metrics, STREAMS, "sent_bytes", "Bytes of entries sent.", stats.sentBytes);
    count(metrics, STREAMS, "overruns", "Streams behind the journal.", stats.overruns);
    count(
        metrics,
        STREAMS,
        "leases_lost",
        "Nodes whose key ran out while their stream was here.",
        stats.leasesLost);
    count(metrics, STREAMS, "apply_errors", "Errors that nodes told.", stats.errors);
    count(metrics, STREAMS, "retries", "Calls upwards and to etcd tried again.", stats.retries);
  }

  private static void count(
      Metrics metrics, String subsystem, String what, String help, LongAdder adder) {
    metrics.counter(subsystem, what, help, adder::sum);
  }
}
