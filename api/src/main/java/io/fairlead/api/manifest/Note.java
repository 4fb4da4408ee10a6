package io.fairlead.api.manifest;

/**
 * Something about a place in a manifest.
 *
 * @param source file name, or what else people know it by
 * @param line from 1
 * @param field path of the field, e.g. {@code spec.ports[0].port}; "" = the whole object
 */
public record Note(String source, int line, String field, String message) {
  /** {@code web.yaml:12: spec.ports[0].port: must be a number}. */
  @Override
  public String toString() {
    return source + ":" + line + ": " + (field.isEmpty() ? "" : field + ": ") + message;
  }
}
