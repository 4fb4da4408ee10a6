package io.fairlead.core.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A fact: in which situation a compatible implementation does what. */
public record ConformanceRow(String id, String situation, String expected) {
  /** The rows of {@code conformance/<file>.tsv}, in its order. */
  public static List<ConformanceRow> of(String file) {
    var path = "/conformance/" + file + ".tsv";
    try (var in = ConformanceRow.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalArgumentException("no resource " + path);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .map(line -> line.split("\t", -1))
          .map(columns -> new ConformanceRow(columns[0], columns[1], columns[2]))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return id + ": " + situation + " -> " + expected;
  }
}
