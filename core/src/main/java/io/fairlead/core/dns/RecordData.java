package io.fairlead.core.dns;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;

/** Data of one record. Names are absolute, with a final dot. */
public sealed interface RecordData {
  DnsType type();

  /** A or AAAA. */
  record Host(Address address) implements RecordData {
    @Override
    public DnsType type() {
      return address.family() == Family.IPV4 ? DnsType.A : DnsType.AAAA;
    }
  }

  /**
   * SRV (RFC 2782); priority is 0, the weight is shared among the records of a set when it is
   * answered.
   */
  record Srv(int port, String target) implements RecordData {
    @Override
    public DnsType type() {
      return DnsType.SRV;
    }
  }

  record Ptr(String target) implements RecordData {
    @Override
    public DnsType type() {
      return DnsType.PTR;
    }
  }

  record Txt(String text) implements RecordData {
    @Override
    public DnsType type() {
      return DnsType.TXT;
    }
  }

  record Cname(String target) implements RecordData {
    @Override
    public DnsType type() {
      return DnsType.CNAME;
    }
  }

  record Ns(String target) implements RecordData {
    @Override
    public DnsType type() {
      return DnsType.NS;
    }
  }

  /** Start of authority; times in seconds. */
  record Soa(String server, String mailbox, long serial, long minimum) implements RecordData {
    public static final long REFRESH = 7200;
    public static final long RETRY = 1800;
    public static final long EXPIRE = 86400;

    @Override
    public DnsType type() {
      return DnsType.SOA;
    }
  }
}
