package io.fairlead.cli;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.manifest.ManifestObject.OfEndpointSlice;
import io.fairlead.api.manifest.ManifestObject.OfNamespace;
import io.fairlead.api.manifest.ManifestObject.OfPod;
import io.fairlead.api.manifest.ManifestObject.OfService;
import io.fairlead.api.manifest.ManifestObject.OfServiceCidr;
import io.fairlead.api.manifest.Manifests;
import io.fairlead.api.manifest.Note;
import io.fairlead.v1.ObjectMeta;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What {@code -f} names: files, directories ({@code .yaml}, {@code .yml}, {@code .json}; by name)
 * and standard input.
 */
final class ManifestFiles {
  private static final int MAX_BYTES = 16 << 20;

  private ManifestFiles() {}

  /**
   * All objects, in order, each with its namespace filled in. Warnings go to standard error. Where
   * anything is wrong in any of them, nothing is returned: half of a set of manifests is no state
   * that somebody asked for.
   *
   * @param names {@code -} = standard input
   * @param namespace that was given; an object that names another one is refused
   */
  static List<Manifests.Item> read(
      List<String> names, Console console, Optional<String> namespace, String orElse) {
    var items = new ArrayList<Manifests.Item>();
    var faults = new ArrayList<String>();
    var warnings = new ArrayList<Note>();
    for (var name : names) {
      for (var read : sources(name, console)) {
        warnings.addAll(read.warnings());
        faults.addAll(words(read.faults()));
        for (var item : read.items()) {
          foreign(item, namespace).ifPresent(faults::add);
          items.add(inNamespace(item, orElse));
        }
      }
    }
    if (!warnings.isEmpty()) {
      console.err().println(warning(warnings));
    }
    if (!faults.isEmpty()) {
      faults.forEach(console.err()::println);
      throw new CliException("error: nothing was sent, the manifests have faults");
    }
    if (items.isEmpty()) {
      throw new CliException("error: no objects in " + String.join(", ", names));
    }
    return List.copyOf(items);
  }

  /** Those of one object together, as a server would say them, each with its place. */
  private static List<String> words(List<Note> faults) {
    var bySubject = new LinkedHashMap<Note.Subject, List<String>>();
    var words = new ArrayList<String>();
    for (var fault : faults) {
      if (fault.subject().isPresent()) {
        bySubject
            .computeIfAbsent(fault.subject().get(), _ -> new ArrayList<>())
            .add(fault.words() + " (" + fault.place() + ")");
      } else {
        words.add("error: " + fault);
      }
    }
    bySubject.forEach(
        (subject, lines) -> words.add(ErrorReport.invalid(subject.kind(), subject.name(), lines)));
    return words;
  }

  /** One line, however many there are: fields by the objects they are in. */
  private static String warning(List<Note> warnings) {
    var fields = new LinkedHashMap<String, List<String>>();
    for (var warning : warnings) {
      fields
          .computeIfAbsent(
              warning.subject().map(Note.Subject::title).orElse(warning.source()),
              _ -> new ArrayList<>())
          .add(warning.field());
    }
    var objects = new LinkedHashMap<List<String>, List<String>>();
    fields.forEach(
        (object, names) -> objects.computeIfAbsent(names, _ -> new ArrayList<>()).add(object));
    return objects.entrySet().stream()
        .map(e -> String.join(", ", e.getKey()) + " of " + String.join(", ", e.getValue()))
        .collect(
            Collectors.joining(
                "; ", "Warning: fields that have no meaning here are ignored: ", ""));
  }

  private static List<Manifests.Read> sources(String name, Console console) {
    try {
      if (name.equals("-")) {
        return List.of(Manifests.read("stdin", text(console.in().readNBytes(MAX_BYTES))));
      }
      var path = Path.of(name);
      if (!Files.isDirectory(path)) {
        return List.of(file(path));
      }
      var reads = new ArrayList<Manifests.Read>();
      try (Stream<Path> entries = Files.list(path)) {
        for (var entry : entries.filter(ManifestFiles::isManifest).sorted().toList()) {
          reads.add(file(entry));
        }
      }
      return reads;
    } catch (CharacterCodingException _) {
      throw new CliException("error: " + name + " is not text in UTF-8");
    } catch (IOException e) {
      throw new CliException("error: cannot read " + name + ": " + e.getMessage());
    }
  }

  private static boolean isManifest(Path path) {
    return path.getFileName().toString().matches(".*\\.(yaml|yml|json)")
        && Files.isRegularFile(path);
  }

  private static Manifests.Read file(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new CliException("error: the path \"" + path + "\" does not exist");
    }
    if (Files.size(path) > MAX_BYTES) {
      throw new CliException("error: " + path + " is larger than " + MAX_BYTES + " bytes");
    }
    return Manifests.read(path.toString(), text(Files.readAllBytes(path)));
  }

  private static String text(byte[] bytes) throws CharacterCodingException {
    return StandardCharsets.UTF_8.newDecoder().decode(java.nio.ByteBuffer.wrap(bytes)).toString();
  }

  static ObjectMeta meta(Manifests.Item item) {
    return switch (item.object()) {
      case OfService(var service) -> service.getMetadata();
      case OfPod(var pod) -> pod.getMetadata();
      case OfNamespace(var namespace) -> namespace.getMetadata();
      case OfServiceCidr(var cidr) -> cidr.getMetadata();
      case OfEndpointSlice(var slice) -> slice.getMetadata();
    };
  }

  static Resource<?> resource(Manifests.Item item) {
    return switch (item.object()) {
      case OfService _ -> new ServiceResource();
      case OfPod _ -> new PodResource();
      case OfNamespace _ -> new NamespaceResource();
      case OfServiceCidr _ -> new ServiceCidrResource();
      case OfEndpointSlice _ -> new EndpointSliceResource();
    };
  }

  private static Optional<String> foreign(Manifests.Item item, Optional<String> namespace) {
    return Optional.of(meta(item).getNamespace())
        .filter(own -> !own.isEmpty())
        .filter(own -> namespace.filter(given -> !given.equals(own)).isPresent())
        .map(own ->
            "error: %s:%d: the namespace from the provided object \"%s\" does not match the namespace \"%s\""
                .formatted(item.source(), item.line(), own, namespace.orElseThrow()));
  }

  private static Manifests.Item inNamespace(Manifests.Item item, String orElse) {
    var object =
        switch (item.object()) {
          case OfService(var service) when service.getMetadata().getNamespace().isEmpty() -> {
            var filled = service.toBuilder();
            filled.getMetadataBuilder().setNamespace(orElse);
            yield new OfService(filled.build());
          }
          case OfPod(var pod) when pod.getMetadata().getNamespace().isEmpty() -> {
            var filled = pod.toBuilder();
            filled.getMetadataBuilder().setNamespace(orElse);
            yield new OfPod(filled.build());
          }
          case OfEndpointSlice(var slice) when slice.getMetadata().getNamespace().isEmpty() -> {
            var filled = slice.toBuilder();
            filled.getMetadataBuilder().setNamespace(orElse);
            yield new OfEndpointSlice(filled.build());
          }
          case OfService _, OfPod _, OfNamespace _, OfServiceCidr _, OfEndpointSlice _ ->
              item.object();
        };
    return new Manifests.Item(object, item.source(), item.line());
  }
}
