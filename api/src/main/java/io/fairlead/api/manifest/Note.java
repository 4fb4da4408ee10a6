package io.fairlead.api.manifest;

import java.util.Locale;
import java.util.Optional;

/**
 * Something about a place in a manifest.
 *
 * @param source file name, or what else people know it by
 * @param line from 1
 * @param subject the object it is in; empty where it is about the text itself
 * @param field path of the field, e.g. {@code spec.ports[0].port}; "" = the whole object
 */
public record Note(
    String source, int line, Optional<Subject> subject, String field, String message) {
  /**
   * An object of a manifest, as its author called it.
   *
   * @param line where it begins; tells two of one name apart
   */
  public record Subject(String kind, String name, int line) {
    /** As {@code kubectl} names it: {@code pod/web-1}. */
    public String title() {
      return kind.toLowerCase(Locale.ROOT) + "/" + name;
    }
  }

  /** {@code spec.ports[0].port: Invalid value: ...}. */
  public String words() {
    return (field.isEmpty() ? "" : field + ": ") + message;
  }

  /** {@code web.yaml:12}. */
  public String place() {
    return source + ":" + line;
  }

  /** {@code web.yaml:12: spec.ports[0].port: Invalid value: ...}. */
  @Override
  public String toString() {
    return place() + ": " + words();
  }
}
