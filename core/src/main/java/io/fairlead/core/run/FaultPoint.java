package io.fairlead.core.run;

import java.util.Arrays;
import java.util.Optional;

/**
 * A place in the production path where a process may die: between two effects that others see. Each
 * says what has happened when it is reached, and what has not. {@code docs/allocation.md} has the
 * same list, with who repairs what is left.
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
  RELEASING("releasing", "this replica decides nothing any more", "its key is still in etcd");

  private final String text;
  private final String done;
  private final String open;

  FaultPoint(String text, String done, String open) {
    this.text = text;
    this.done = done;
    this.open = open;
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
