package io.fairlead.core.run;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A place in the production path where a process may die: between two effects that others see. Each
 * says what has happened when it is reached, and what has not. {@code docs/allocation.md} and
 * {@code docs/fault-points.md} have the same list, with who repairs what is left.
 */
public enum FaultPoint {
  TAKEOVER_KEY_PUT(
      "takeover.key-put",
      "the ownership key holds the random id of this take-over",
      "the predecessor's producer is not fenced"),
  TAKEOVER_FENCED(
      "takeover.fenced",
      "the predecessor's producer is fenced, its open transaction aborted",
      "the key was not looked at again"),
  TAKEOVER_LOOKED(
      "takeover.looked",
      "the key was still mine after the fence",
      "the log is not read to its end"),
  TAKEOVER_READ(
      "takeover.read",
      "the image holds everything that predecessors committed",
      "the key was not looked at the second time"),
  RECONCILE_LISTED(
      "reconcile.listed",
      "all claims in etcd were read and compared with the image",
      "none of them was put right"),
  RECONCILE_FREED(
      "reconcile.freed",
      "claims that nobody has were freed, those of another uid replaced",
      "missing claims were not made"),
  RECONCILE_DONE(
      "reconcile.done", "the claims are the addresses of the image", "nobody was told of it"),
  TAKEOVER_WRITTEN(
      "takeover.written",
      "the log has its first records: header, range, the control plane's own Service",
      "no request was decided"),
  SERVING("serving", "everything of earlier batches", "the next batch is not taken from the queue"),
  COMMIT_TAKEN(
      "commit.taken", "a batch was taken from the queue", "nothing of it was decided or claimed"),
  COMMIT_DECIDED(
      "commit.decided",
      "the requests of the batch were decided on the working image",
      "the addresses that they need are not claimed"),
  CLAIM_TRANSACTION(
      "claim.transaction",
      "one transaction of claims is in etcd",
      "those that did not fit into it, and the answer to whoever claims"),
  COMMIT_CLAIMED(
      "commit.claimed",
      "a round of claims is in etcd",
      "those that were lost are not decided again, nothing is in the log"),
  COMMIT_REPLACED(
      "commit.replaced",
      "the claim of a uid that lives nowhere was replaced by one of the batch",
      "nothing is in the log"),
  CONFIRM_READ(
      "confirm.read",
      "the end of the log is applied, for answers that write nothing",
      "the key was not looked at"),
  COMMIT_APPENDING(
      "commit.appending", "all claims of the batch are in etcd", "nothing is sent to Kafka"),
  COMMIT_APPENDED(
      "commit.appended",
      "Kafka has acknowledged the records of the transaction",
      "the commit is not sent: nobody sees them"),
  COMMIT_COMMITTED(
      "commit.committed", "Kafka has answered the commit", "the own follower has not delivered it"),
  COMMIT_DELIVERED(
      "commit.delivered",
      "the image has the records",
      "addresses that the batch gave up are still claimed"),
  FREE_TRANSACTION(
      "free.transaction",
      "one transaction of freed addresses is in etcd",
      "those that did not fit into it, and the answer to whoever frees"),
  COMMIT_ANSWERING(
      "commit.answering", "log, image and claims have the batch", "nobody was answered"),
  RELEASING("releasing", "this replica decides nothing any more", "its key is still in etcd"),

  SESSION_OPENING(
      Process.ENDPOINTS,
      "session.opening",
      "an agent said who it is",
      "its session is not in the log"),
  SESSION_OPENED(
      Process.ENDPOINTS,
      "session.opened",
      "the Node's record, which is the session, is in the log",
      "the node has no key in etcd, and the agent was told nothing"),
  SESSION_LEASED(
      Process.ENDPOINTS,
      "session.leased",
      "the node's key with session and replica is in etcd",
      "nobody keeps its lease"),
  STREAM_CAUGHT_UP(
      Process.ENDPOINTS,
      "stream.caught-up",
      "the replica has read all that was in the log when the agent came",
      "nothing of it is sent"),
  STREAM_PART_SENT(
      Process.ENDPOINTS,
      "stream.part-sent",
      "a part of a frame is sent",
      "its end, without which nothing of it counts"),
  STREAM_FIRST_SENT(
      Process.ENDPOINTS,
      "stream.first-sent",
      "the first frame of a stream is sent",
      "the agent has not acknowledged it"),
  ACK_TAKEN(
      Process.ENDPOINTS,
      "ack.taken",
      "an agent's acknowledgement is here",
      "no other replica knows of it"),
  ACKS_PUBLISHED(
      Process.ENDPOINTS,
      "acks.published",
      "acknowledgements are in the topic of all replicas",
      "this replica has not read them back"),
  REPORT_TAKEN(
      Process.ENDPOINTS,
      "report.taken",
      "reports of readiness were taken from a stream",
      "their owner was not asked"),
  REPORT_DECIDED(
      Process.ENDPOINTS,
      "report.decided",
      "the owner has them in the log",
      "the replica that asked does not know"),
  SOURCE_TAKEN(
      Process.ENDPOINTS,
      "source.taken",
      "all Pods of a source were taken from a stream",
      "their owners were not asked"),
  SOURCE_DECIDED(
      Process.ENDPOINTS,
      "source.decided",
      "the source's Pods in one namespace are in the log as it said",
      "those in other namespaces, and the agent's answer"),
  NODE_LOSING(
      Process.ENDPOINTS,
      "node.losing",
      "a node's key was missing in etcd for too long",
      "the loss is not in the log"),
  NODE_LOST(
      Process.ENDPOINTS,
      "node.lost",
      "the loss is in the log",
      "the node's Pods are ready on record"),
  PODS_LOST(
      Process.ENDPOINTS,
      "pods.lost",
      "a lost node's Pods in one namespace are unready on record",
      "those in other namespaces"),
  PODS_COLLECTING(
      Process.ENDPOINTS,
      "pods.collecting",
      "Pods were found that nobody reports any more",
      "none of them is deleted"),
  PODS_COLLECTED(
      Process.ENDPOINTS,
      "pods.collected",
      "those in one namespace are deleted",
      "those in other namespaces, and nobody has counted them"),
  SLICE_ASKED(
      Process.ENDPOINTS,
      "slice.asked",
      "somebody applied or deleted an EndpointSlice",
      "it is not decided"),
  SLICE_DECIDED(Process.ENDPOINTS, "slice.decided", "that is in the log", "nobody was answered"),
  DRAIN_MARKED(
      Process.ENDPOINTS,
      "drain.marked",
      "a Pod's mark, by which it gets no new connections, is in the log",
      "no node is waited for"),
  WAIT_ANSWERING(
      Process.ENDPOINTS,
      "wait.answering",
      "a drain, or a wait for nodes, is over",
      "the caller does not know"),
  MOVE_ASKED(
      Process.ENDPOINTS,
      "move.asked",
      "an agent was asked to go to another replica",
      "it has not left"),
  SNAPSHOT_WRITTEN(
      Process.ENDPOINTS,
      "snapshot.written",
      "a snapshot of the image is whole and on disk",
      "the one before has its name"),
  SNAPSHOT_RENAMED(
      Process.ENDPOINTS,
      "snapshot.renamed",
      "it has that name",
      "the change of names is not forced to disk"),

  DISK_READ(
      Process.AGENT,
      "disk.read",
      "the image of an earlier run was read from disk",
      "the kernel was not compared with it, nobody was connected to"),
  DISK_PROGRAMMED(
      Process.AGENT,
      "disk.programmed",
      "the kernel equals what was on disk",
      "nobody was connected to"),
  HELLO_SENT(
      Process.AGENT,
      "hello.sent",
      "a replica was connected to and told who this is",
      "no session is known here"),
  STATE_TAKEN(
      Process.AGENT,
      "state.taken",
      "a whole state has come, to its end",
      "neither disk nor kernel have it"),
  CHANGE_TAKEN(
      Process.AGENT,
      "change.taken",
      "a difference has come, to its end",
      "neither disk nor kernel have it"),
  DISK_IMAGE(
      Process.AGENT,
      "disk.image",
      "a whole image is on disk, under another name",
      "the one before counts"),
  DISK_RENAMED(
      Process.AGENT,
      "disk.renamed",
      "it has the name by which it counts",
      "it has no journal, and that of the one before is there"),
  DISK_JOURNAL(
      Process.AGENT, "disk.journal", "a change stands in the journal", "it is not forced to disk"),
  DISK_WRITTEN(Process.AGENT, "disk.written", "the disk has all that came", "the kernel has not"),
  KERNEL_TRANSACTION(
      Process.AGENT,
      "kernel.transaction",
      "one transaction of a change is in the kernel",
      "the others, also those of the other family"),
  KERNEL_WRITTEN(
      Process.AGENT,
      "kernel.written",
      "the kernel has all that came",
      "that is not acknowledged, flows to endpoints that are gone go on"),
  ACK_SENT(
      Process.AGENT,
      "ack.sent",
      "an acknowledgement was handed to the connection",
      "whether it arrives is not known"),
  BOOKMARK_TAKEN(
      Process.AGENT,
      "bookmark.taken",
      "a position without a change has come",
      "disk and kernel have an older one"),
  REPORT_SENT(
      Process.AGENT,
      "report.sent",
      "reports of readiness were handed to the connection",
      "the stream does not show them"),
  SOURCE_SENT(
      Process.AGENT,
      "source.sent",
      "all Pods of a source were handed to the connection",
      "there is no answer"),
  FLOWS_DUE(
      Process.AGENT,
      "flows.due",
      "the kernel has rules over UDP without endpoints that are gone",
      "flows to these go on"),
  FLOWS_CLEANED(
      Process.AGENT,
      "flows.cleaned",
      "one pass has ended such flows",
      "flows of packets that were under way then"),
  MOVE_BEGUN(
      Process.AGENT,
      "move.begun",
      "the other replica was connected to and told who this is",
      "the stream to the one before goes on");

  /** Which process comes there. */
  public enum Process {
    /** Whoever owns partitions: allocator-service, endpoints-service. */
    OWNER,
    ENDPOINTS,
    AGENT
  }

  private final Process process;
  private final String text;
  private final String done;
  private final String open;

  FaultPoint(String text, String done, String open) {
    this(Process.OWNER, text, done, open);
  }

  FaultPoint(Process process, String text, String done, String open) {
    this.process = process;
    this.text = text;
    this.done = done;
    this.open = open;
  }

  public Process process() {
    return process;
  }

  /** Those of a process, in the order of its path. */
  public static List<FaultPoint> of(Process process) {
    return Arrays.stream(values()).filter(point -> point.process == process).toList();
  }

  /** What has happened when it is reached. */
  public String done() {
    return done;
  }

  /** What has not happened yet. */
  public String open() {
    return open;
  }

  public static Optional<FaultPoint> parse(String text) {
    return Arrays.stream(values()).filter(point -> point.text.equals(text)).findFirst();
  }

  /** The name in files and documents, such as {@code commit.claimed}. */
  @Override
  public String toString() {
    return text;
  }
}
