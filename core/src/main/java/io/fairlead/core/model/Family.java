package io.fairlead.core.model;

/** An address family; the text forms are those of Kubernetes' {@code spec.ipFamilies}. */
public enum Family {
  IPV4("IPv4", 32),
  IPV6("IPv6", 128);

  private final String text;
  private final int bits;

  Family(String text, int bits) {
    this.text = text;
    this.bits = bits;
  }

  /** {@code IPv4} or {@code IPv6}. */
  public String text() {
    return text;
  }

  /** Length of an address in bits. */
  public int bits() {
    return bits;
  }

  @Override
  public String toString() {
    return text;
  }
}
