package io.fairlead.core.dns;

/**
 * The record types a zone knows; any other type has no records, which is not the same as a name
 * that does not exist.
 */
public enum DnsType {
  A,
  AAAA,
  SRV,
  PTR,
  TXT,
  CNAME,
  NS,
  SOA,
  OTHER
}
