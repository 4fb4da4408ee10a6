package io.fairlead.testbed.history;

import io.fairlead.testbed.history.Operation.Seen;
import java.util.Optional;

/**
 * A record of a Service that some request asked for.
 *
 * @param offset in the partition of Services
 * @param id of the request; empty: the control plane's own
 * @param name of the Service, without its namespace
 * @param stored empty: the Service was deleted
 */
public record LoggedWrite(
    long offset, Optional<String> id, String name, String uid, Optional<Seen> stored) {}
