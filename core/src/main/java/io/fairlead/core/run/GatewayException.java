package io.fairlead.core.run;

/**
 * Trouble outside: Kafka, etcd, a peer. Says whether the effect may have happened; only idempotent
 * calls may be retried after UNKNOWN.
 */
public final class GatewayException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Whether the effect that was asked for happened. */
  public enum Outcome {
    /** It did not happen and will not. */
    KNOWN_FAILED,
    /** It may have happened or may still happen. */
    UNKNOWN
  }

  private final Outcome outcome;

  public GatewayException(Outcome outcome, String what, Throwable cause) {
    super(what, cause);
    this.outcome = outcome;
  }

  public GatewayException(Outcome outcome, String what) {
    super(what);
    this.outcome = outcome;
  }

  public Outcome outcome() {
    return outcome;
  }
}
