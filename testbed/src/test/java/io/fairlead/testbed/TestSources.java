package io.fairlead.testbed;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The sources of all modules' tests, for pages that name tests. */
final class TestSources {
  static final Path HOME = Path.of("..");
  private static final Path TESTS = Path.of("src", "test", "java");

  private TestSources() {}

  /** Sorted. */
  static List<Path> modules() throws IOException {
    try (var files = Files.list(HOME)) {
      return files.filter(dir -> Files.exists(dir.resolve("pom.xml"))).sorted().toList();
    }
  }

  /** Of one module, by simple name of the class. */
  static Map<String, String> of(Path module) throws IOException {
    var sources = new TreeMap<String, String>();
    var directory = module.resolve(TESTS);
    if (Files.isDirectory(directory)) {
      for (var file : files(directory, ".java")) {
        var name = file.getFileName().toString();
        sources.put(name.substring(0, name.length() - ".java".length()), Files.readString(file));
      }
    }
    return sources;
  }

  /** Of all modules. */
  static Map<String, String> all() throws IOException {
    var sources = new TreeMap<String, String>();
    for (var module : modules()) {
      sources.putAll(of(module));
    }
    return sources;
  }

  static boolean hasMethod(String source, String method) {
    return source.contains("void " + method + "(");
  }

  static List<Path> files(Path directory, String ending) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }
}
