package io.fairlead.core.model;

import java.util.regex.Pattern;

/** The syntax of label keys and values, as the Kubernetes documentation defines it. */
public final class LabelSyntax {
  private static final int NAME_LENGTH = 63;
  private static final int PREFIX_LENGTH = 253;

  private static final Pattern QUALIFIED =
      Pattern.compile("[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?");
  private static final Pattern PREFIX =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");

  private static final String QUALIFIED_RULE =
      "must consist of letters, digits, '-', '_' and '.', and begin and end with a letter or digit";

  private LabelSyntax() {}

  /** Why {@code key} is no label key ({@code [prefix/]name}), or "". */
  public static String keyFault(String key) {
    int slash = key.indexOf('/');
    var name = key.substring(slash + 1);
    if (slash >= 0) {
      var prefix = key.substring(0, slash);
      if (prefix.length() > PREFIX_LENGTH || !PREFIX.matcher(prefix).matches()) {
        return "the prefix before '/' must be a DNS name of at most "
            + PREFIX_LENGTH
            + " characters";
      }
    }
    if (name.isEmpty() || name.length() > NAME_LENGTH) {
      return "the name must have 1 to " + NAME_LENGTH + " characters";
    }
    return QUALIFIED.matcher(name).matches() ? "" : "the name " + QUALIFIED_RULE;
  }

  /** Why {@code value} is no label value, or "". */
  public static String valueFault(String value) {
    if (value.length() > NAME_LENGTH) {
      return "must have at most " + NAME_LENGTH + " characters, has " + value.length();
    }
    return value.isEmpty() || QUALIFIED.matcher(value).matches() ? "" : QUALIFIED_RULE;
  }
}
