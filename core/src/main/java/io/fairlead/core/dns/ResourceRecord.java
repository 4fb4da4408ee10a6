package io.fairlead.core.dns;

import java.time.Duration;

/** A record as it is answered. The owner is absolute and in lower case. */
public record ResourceRecord(String owner, Duration ttl, RecordData data) {}
