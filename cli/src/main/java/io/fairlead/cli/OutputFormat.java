package io.fairlead.cli;

import java.util.Locale;

/** Values of {@code -o}; without it, a table. */
enum OutputFormat {
  TABLE,
  WIDE,
  YAML,
  JSON,
  NAME;

  /** As it is typed. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
