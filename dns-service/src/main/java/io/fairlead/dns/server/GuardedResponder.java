package io.fairlead.dns.server;

import io.fairlead.core.run.Time;
import io.fairlead.dns.wire.Pending;
import io.fairlead.dns.wire.Reply;
import io.fairlead.dns.wire.Responder;
import io.fairlead.dns.wire.Transport;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A responder whose faults stay with the query that met them: it is answered SERVFAIL, counted, and
 * logged now and then. Otherwise whoever knows such a name could end the service of all others.
 * Thread-safe.
 */
public final class GuardedResponder {
  private static final Logger LOG = LoggerFactory.getLogger(GuardedResponder.class);
  private static final Duration LOG_PERIOD = Duration.ofMinutes(1);

  private final Responder responder;
  private final QueryStats stats;
  private final LogLimit limit;

  public GuardedResponder(Responder responder, QueryStats stats, Time time) {
    this.responder = responder;
    this.stats = stats;
    this.limit = new LogLimit(time, LOG_PERIOD);
  }

  /** As {@link Responder#respond}. */
  Reply respond(byte[] octets, Transport transport) {
    try {
      return responder.respond(octets, transport);
    } catch (RuntimeException e) {
      note(e);
      return new Reply.Send(Responder.failure(octets));
    }
  }

  /** As {@link Responder#resolve}. */
  byte[] resolve(Pending pending) {
    try {
      return responder.resolve(pending);
    } catch (RuntimeException e) {
      note(e);
      return Responder.failure(pending.octets());
    }
  }

  private void note(RuntimeException fault) {
    stats.fault();
    limit
        .pass()
        .ifPresent(kept ->
            LOG.atError()
                .setCause(fault)
                .addKeyValue("event", "dns.query.fault")
                .addKeyValue("notLogged", kept)
                .log("A query met a fault and was answered SERVFAIL"));
  }
}
