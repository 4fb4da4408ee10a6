package io.fairlead.decider;

/** What the time of a request goes into at its owner, in the order of a batch. */
public enum Phase {
  /** Waits until the batch before is answered; of each request, the others of each batch. */
  QUEUE,
  /** Is decided on the working image. */
  DECIDE,
  /** Waits for etcd to claim what the batch needs. */
  CLAIM,
  /** Waits for the proof that answers which write nothing are true. */
  CONFIRM,
  /** Waits for the log to take the records and commit them. */
  APPEND,
  /** Waits for the replica's own follower to deliver them. */
  DELIVER,
  /** Waits for etcd to free what the batch gave up. */
  FREE,
  /** Is answered. */
  ANSWER;

  /** As a label of metrics. */
  public String label() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
