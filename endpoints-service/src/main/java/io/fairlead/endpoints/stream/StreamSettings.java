package io.fairlead.endpoints.stream;

import java.time.Duration;

/**
 * Limits of the streams.
 *
 * @param journal how many changed keys are remembered for streams that are behind
 * @param chunkBytes about how much one message carries; far below gRPC's limit of 4 MB
 * @param unacknowledged frames that may wait for the agent's answer; later changes are conflated
 * @param bookmarkInterval shortest time between two bookmarks of a stream
 * @param barrierTimeout how long a stream may wait for this replica to know enough
 * @param leaseTtl of a node's key in etcd
 * @param leaseGrace how long a stream outlives its lease
 * @param callTimeout of a call to the owner of a partition: longer than it takes the next one to
 *     replace an owner that was killed (lease of 5 s), else the agent is sent away for nothing;
 *     shorter than agents wait for a Welcome (10 s)
 * @param retryPause between two attempts at etcd or an owner
 * @param resets how many nodes are sent everything at once
 * @param resetTurn how long a node that is sent everything keeps its place while others wait
 * @param waitingInterval time between two words to an agent that waits for that
 * @param leftKept how long etcd says that an agent left its stream
 */
public record StreamSettings(
    int journal,
    int chunkBytes,
    int unacknowledged,
    Duration bookmarkInterval,
    Duration barrierTimeout,
    Duration leaseTtl,
    Duration leaseGrace,
    Duration callTimeout,
    Duration retryPause,
    int resets,
    Duration resetTurn,
    Duration waitingInterval,
    Duration leftKept) {
  public static final StreamSettings DEFAULT =
      new StreamSettings(
          200_000,
          128 << 10,
          4,
          Duration.ofMillis(25),
          Duration.ofSeconds(30),
          Duration.ofSeconds(10),
          Duration.ofSeconds(20),
          Duration.ofSeconds(8),
          Duration.ofMillis(500),
          16,
          Duration.ofSeconds(5),
          Duration.ofSeconds(10),
          Duration.ofSeconds(40));

  public StreamSettings {
    if (journal < 1 || chunkBytes < 1 || unacknowledged < 1 || resets < 1) {
      throw new IllegalArgumentException("limits of streams must be positive");
    }
  }

  public StreamSettings withJournal(int keys) {
    return new StreamSettings(
        keys,
        chunkBytes,
        unacknowledged,
        bookmarkInterval,
        barrierTimeout,
        leaseTtl,
        leaseGrace,
        callTimeout,
        retryPause,
        resets,
        resetTurn,
        waitingInterval,
        leftKept);
  }

  public StreamSettings withChunkBytes(int bytes) {
    return new StreamSettings(
        journal,
        bytes,
        unacknowledged,
        bookmarkInterval,
        barrierTimeout,
        leaseTtl,
        leaseGrace,
        callTimeout,
        retryPause,
        resets,
        resetTurn,
        waitingInterval,
        leftKept);
  }

  public StreamSettings withBarrierTimeout(Duration timeout) {
    return new StreamSettings(
        journal,
        chunkBytes,
        unacknowledged,
        bookmarkInterval,
        timeout,
        leaseTtl,
        leaseGrace,
        callTimeout,
        retryPause,
        resets,
        resetTurn,
        waitingInterval,
        leftKept);
  }

  public StreamSettings withLease(Duration ttl, Duration grace) {
    return new StreamSettings(
        journal,
        chunkBytes,
        unacknowledged,
        bookmarkInterval,
        barrierTimeout,
        ttl,
        grace,
        callTimeout,
        retryPause,
        resets,
        resetTurn,
        waitingInterval,
        leftKept);
  }

  public StreamSettings withResets(int atOnce, Duration turn, Duration wordsEvery) {
    return new StreamSettings(
        journal,
        chunkBytes,
        unacknowledged,
        bookmarkInterval,
        barrierTimeout,
        leaseTtl,
        leaseGrace,
        callTimeout,
        retryPause,
        atOnce,
        turn,
        wordsEvery,
        leftKept);
  }

  public StreamSettings withLeftKept(Duration ttl) {
    return new StreamSettings(
        journal,
        chunkBytes,
        unacknowledged,
        bookmarkInterval,
        barrierTimeout,
        leaseTtl,
        leaseGrace,
        callTimeout,
        retryPause,
        resets,
        resetTurn,
        waitingInterval,
        ttl);
  }
}
