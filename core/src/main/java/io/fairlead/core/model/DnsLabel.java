package io.fairlead.core.model;

import java.util.regex.Pattern;

/** A label of RFC 1123: the syntax of names of Services and namespaces. */
public final class DnsLabel {
  public static final int LENGTH = 63;
  public static final String RULE =
      "must consist of lower case letters, digits and '-', and begin and end with a letter or digit";

  private static final Pattern SYNTAX = Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?");

  private DnsLabel() {}

  /** What is wrong with it, in words that may follow it; empty where it is one. */
  public static String fault(String value) {
    if (value.length() > LENGTH) {
      return "must have at most " + LENGTH + " characters, has " + value.length();
    }
    return SYNTAX.matcher(value).matches() ? "" : RULE;
  }
}
