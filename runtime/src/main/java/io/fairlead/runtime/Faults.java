package io.fairlead.runtime;

import io.fairlead.core.run.FaultHandler;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a process does about broken invariants. */
public final class Faults {
  private static final Logger LOG = LoggerFactory.getLogger("fairlead.fault");

  /** As sysexits' EX_SOFTWARE. */
  public static final int EXIT_CODE = 70;

  private Faults() {}

  /**
   * Logs and ends the process at once: for deciders, who must not go on with a state they cannot
   * trust.
   */
  public static FaultHandler halting() {
    return (what, cause) -> {
      LOG.atError()
          .setCause(cause)
          .addKeyValue("event", "fault")
          .addKeyValue("what", what)
          .log("Fault, halting");
      Runtime.getRuntime().halt(EXIT_CODE);
    };
  }

  /**
   * Logs and turns the process not ready, for good: for those who serve their last good state, dns
   * and agent.
   */
  public static FaultHandler unready(Health health) {
    var first = new AtomicReference<Optional<String>>(Optional.empty());
    health.ready("faults", first::get);
    return (what, cause) -> {
      LOG.atError()
          .setCause(cause)
          .addKeyValue("event", "fault")
          .addKeyValue("what", what)
          .log("Fault, serving the last good state");
      first.updateAndGet(known -> known.isPresent() ? known : Optional.of(what));
    };
  }
}
