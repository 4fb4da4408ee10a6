package io.fairlead.dns.wire;

import java.util.List;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;

/**
 * A query that waits for another server.
 *
 * @param ours records of our own that come before what the other server says: a chain of CNAMEs;
 *     may be empty
 * @param target the name to ask for
 */
@SuppressWarnings("ArrayRecordComponent") // octets on their way to a socket, never compared
public record Pending(
    Message query, byte[] octets, Transport transport, List<Record> ours, Name target) {
  public Pending {
    ours = List.copyOf(ours);
  }
}
