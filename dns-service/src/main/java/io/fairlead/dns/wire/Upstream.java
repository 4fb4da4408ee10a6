package io.fairlead.dns.wire;

import java.util.Optional;

/** Other servers. Blocks; bounded in time. */
@FunctionalInterface
public interface Upstream {
  /**
   * @param query a complete message
   * @return the answer to it, its id that of the query; empty where no server answered in time
   */
  Optional<byte[]> ask(byte[] query, Transport transport);
}
