package io.fairlead.dns.wire;

/** How a query came; decides how long its answer may be. */
public enum Transport {
  UDP,
  TCP
}
