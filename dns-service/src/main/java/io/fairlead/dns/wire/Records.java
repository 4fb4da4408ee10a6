package io.fairlead.dns.wire;

import io.fairlead.core.dns.DnsType;
import io.fairlead.core.dns.RecordData;
import io.fairlead.core.dns.ResourceRecord;
import io.fairlead.core.model.Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/** Records of a zone as records of a message. */
final class Records {
  private Records() {}

  static DnsType type(int type) {
    return switch (type) {
      case Type.A -> DnsType.A;
      case Type.AAAA -> DnsType.AAAA;
      case Type.SRV -> DnsType.SRV;
      case Type.PTR -> DnsType.PTR;
      case Type.TXT -> DnsType.TXT;
      // ANY gets one set of records or none (RFC 8482); the only one that other names depend on
      case Type.CNAME, Type.ANY -> DnsType.CNAME;
      case Type.NS -> DnsType.NS;
      case Type.SOA -> DnsType.SOA;
      default -> DnsType.OTHER;
    };
  }

  /**
   * @param owner as it is to appear on the wire: in the question's case where it is the question's
   *     name
   */
  static List<Record> all(Name owner, List<ResourceRecord> records) {
    long srvs = records.stream().filter(r -> r.data() instanceof RecordData.Srv).count();
    int weight = (int) Math.max(1, 100 / Math.max(1, srvs)); // as CoreDNS spreads them
    return records.stream()
        .map(r -> of(sameName(owner, r.owner()) ? owner : name(r.owner()), r, weight))
        .toList();
  }

  static Record of(ResourceRecord record) {
    return of(name(record.owner()), record, 100);
  }

  private static Record of(Name owner, ResourceRecord record, int weight) {
    long ttl = record.ttl().toSeconds();
    return switch (record.data()) {
      case RecordData.Host(var address) -> host(owner, ttl, address);
      case RecordData.Srv(int port, String target) ->
          new SRVRecord(owner, DClass.IN, ttl, 0, weight, port, name(target));
      case RecordData.Ptr(String target) -> new PTRRecord(owner, DClass.IN, ttl, name(target));
      case RecordData.Txt(String text) -> new TXTRecord(owner, DClass.IN, ttl, text);
      case RecordData.Cname(String target) -> new CNAMERecord(owner, DClass.IN, ttl, name(target));
      case RecordData.Ns(String target) -> new NSRecord(owner, DClass.IN, ttl, name(target));
      case RecordData.Soa soa ->
          new SOARecord(
              owner,
              DClass.IN,
              ttl,
              name(soa.server()),
              name(soa.mailbox()),
              soa.serial(),
              RecordData.Soa.REFRESH,
              RecordData.Soa.RETRY,
              RecordData.Soa.EXPIRE,
              soa.minimum());
    };
  }

  private static Record host(Name owner, long ttl, Address address) {
    try {
      var inet = InetAddress.getByAddress(address.bytes());
      return switch (address.family()) {
        case IPV4 -> new ARecord(owner, DClass.IN, ttl, inet);
        case IPV6 -> new AAAARecord(owner, DClass.IN, ttl, address.bytes());
      };
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address has 4 or 16 bytes", e);
    }
  }

  private static boolean sameName(Name name, String text) {
    return name.equals(name(text));
  }

  static Name name(String text) {
    try {
      return Name.fromString(text);
    } catch (TextParseException e) {
      throw new IllegalStateException("not a name that a zone may hold: " + text, e);
    }
  }
}
