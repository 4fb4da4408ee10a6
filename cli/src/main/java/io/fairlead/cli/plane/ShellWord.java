package io.fairlead.cli.plane;

import java.util.regex.Pattern;

/** Words of command lines that people copy into a shell. */
public final class ShellWord {
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_@%+=:,./-]+");

  private ShellWord() {}

  /** As it is where a POSIX shell takes it for one word, else quoted. */
  public static String of(String word) {
    return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
