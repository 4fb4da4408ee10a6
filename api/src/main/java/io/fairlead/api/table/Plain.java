package io.fairlead.api.table;

import java.util.regex.Pattern;

/** What others wrote (kernels, manifests, programs), as a terminal may be given it. */
public final class Plain {
  private static final Pattern CONTROL = Pattern.compile("\\p{Cc}"); // C0, DEL and C1

  private Plain() {}

  /** One line, with a blank for each character that a terminal would obey. */
  public static String line(String words) {
    return CONTROL.matcher(words).replaceAll(" ");
  }
}
