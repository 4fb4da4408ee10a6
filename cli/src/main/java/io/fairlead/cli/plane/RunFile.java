package io.fairlead.cli.plane;

import io.fairlead.runtime.HostPort;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a running plane tells the commands of this machine. Soft: written when the plane is ready,
 * removed when it ends; a crash leaves it, so look at {@link #isLive}. No secrets.
 *
 * @param id of the instance: {@link PlaneFiles#instanceId}
 * @param process the plane
 * @param dns where DNS is answered, as seen from this machine
 * @param nodes in the order of their names; empty = without nodes
 * @param fabricNamespace where the nodes' network is; with nodes
 * @param dnsPodAddress where Pods reach the DNS server itself; with nodes
 */
public record RunFile(
    String id,
    Path dataDirectory,
    ProcessId process,
    List<HostPort> allocator,
    List<HostPort> endpoints,
    List<HostPort> podRuntime,
    List<HostPort> dns,
    List<Node> nodes,
    Optional<String> fabricNamespace,
    Optional<String> dnsPodAddress) {
  private static final String SUFFIX = ".properties";

  public RunFile {
    allocator = List.copyOf(allocator);
    endpoints = List.copyOf(endpoints);
    podRuntime = List.copyOf(podRuntime);
    dns = List.copyOf(dns);
    nodes = List.copyOf(nodes);
  }

  /**
   * One node.
   *
   * @param namespace as {@code ip netns} lists it
   * @param address on the nodes' network
   */
  public record Node(String name, String namespace, String address) {}

  /** Which plane is meant. */
  public sealed interface Found {
    record One(RunFile plane) implements Found {}

    record Nothing() implements Found {}

    /** None is the default one's; at least two, or one that must be named to be meant. */
    record Several(List<RunFile> planes) implements Found {
      public Several {
        planes = List.copyOf(planes);
      }

      /** For people: which there are, and how to choose. */
      public String words() {
        var begin =
            planes.size() > 1
                ? "error: several planes %s; choose one:"
                    .formatted(anyLive() ? "run here" : "crashed here and left something behind")
                : "error: the plane that %s has another data directory; if it is meant, name it:"
                    .formatted(anyLive() ? "runs here" : "crashed here and left something behind");
        return planes.stream()
            .map(plane ->
                "\n  --data-dir %s (%s)"
                    .formatted(
                        ShellWord.of(plane.dataDirectory().toString()),
                        plane.isLive() ? "pid " + plane.pid() : "crashed"))
            .collect(Collectors.joining("", begin, ""));
      }

      private boolean anyLive() {
        return planes.stream().anyMatch(RunFile::isLive);
      }
    }
  }

  public long pid() {
    return process.pid();
  }

  /** Whether the plane that wrote it is still there. */
  public boolean isLive() {
    return process.isAlive();
  }

  /**
   * The live plane that a command means: that of the given data directory (or of {@link
   * PlaneFiles#DATA_DIR}) and no other; else that of the default directory; else the only one.
   *
   * @param dataDirectory as the command line says
   */
  public static Found find(Map<String, String> environment, Optional<Path> dataDirectory) {
    return find(PlaneFiles.of(environment), dataDirectory);
  }

  static Found find(PlaneFiles files, Optional<Path> dataDirectory) {
    return choose(files, dataDirectory, all(files).stream().filter(RunFile::isLive).toList());
  }

  /** As {@link #find} among these. */
  public static Found choose(
      PlaneFiles files, Optional<Path> dataDirectory, List<RunFile> candidates) {
    var given = dataDirectory.or(files::givenDataDirectory);
    var id = PlaneFiles.instanceId(given.orElseGet(files::dataDirectory));
    var named = candidates.stream().filter(plane -> plane.id().equals(id)).findFirst();
    if (named.isPresent()) {
      return new Found.One(named.get());
    }
    if (given.isPresent() || candidates.isEmpty()) {
      return new Found.Nothing();
    }
    return candidates.size() == 1
        ? new Found.One(candidates.getFirst())
        : new Found.Several(candidates);
  }

  /**
   * As {@link #choose}, for what cannot be taken back: the only one is not meant by that alone,
   * since somebody else may use it.
   */
  public static Found chooseNamed(
      PlaneFiles files, Optional<Path> dataDirectory, List<RunFile> candidates) {
    var id = PlaneFiles.instanceId(dataDirectory.orElseGet(files::dataDirectory));
    return choose(files, dataDirectory, candidates) instanceof Found.One(var plane)
            && !plane.id().equals(id)
        ? new Found.Several(List.of(plane))
        : choose(files, dataDirectory, candidates);
  }

  /**
   * What this user's and root's planes have written, also those that crashed; by data directory.
   */
  public static List<RunFile> all(PlaneFiles files) {
    var found = new LinkedHashMap<String, RunFile>();
    for (var directory : files.runDirectories()) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
        for (var file : entries) {
          if (files.isBelieved(file)) {
            read(file).ifPresent(plane -> found.putIfAbsent(plane.id(), plane));
          }
        }
      } catch (NoSuchFileException | NotDirectoryException _) {
        // nobody has run one
      } catch (IOException _) {
        // another user's: none of ours are there
      }
    }
    return found.values().stream()
        .sorted(java.util.Comparator.comparing(RunFile::dataDirectory))
        .toList();
  }

  /** Where the file of an instance is. */
  public static Path file(PlaneFiles files, String id) {
    return files.runDirectory().resolve(id + SUFFIX);
  }

  /**
   * As a whole or not at all; readable for everyone, whatever the umask.
   *
   * @throws IOException it cannot be written
   */
  public void write(Path file) throws IOException {
    var directory = file.toAbsolutePath().getParent();
    Files.createDirectories(directory);
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    var text = new StringWriter();
    properties().store(text, null);
    var next =
        Files.createTempFile(
            directory,
            id,
            ".tmp",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try {
      Files.writeString(next, text.toString());
      Files.setPosixFilePermissions(next, PosixFilePermissions.fromString("rw-r--r--"));
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(next);
    }
  }

  /** Empty where there is none or it is not one of these. */
  public static Optional<RunFile> read(Path file) {
    try {
      var properties = new Properties();
      // no link: who could put one there could name any file
      try (var in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
        properties.load(new InputStreamReader(in, StandardCharsets.UTF_8));
      }
      return of(properties);
    } catch (IOException | IllegalArgumentException _) {
      return Optional.empty();
    }
  }

  private Properties properties() {
    var properties = new Properties();
    properties.setProperty("id", id);
    properties.setProperty("data-dir", dataDirectory.toString());
    properties.setProperty("pid", Long.toString(process.pid()));
    properties.setProperty("started", process.started());
    properties.setProperty("allocator", join(allocator));
    properties.setProperty("endpoints", join(endpoints));
    properties.setProperty("pod-runtime", join(podRuntime));
    properties.setProperty("dns", join(dns));
    properties.setProperty(
        "nodes",
        nodes.stream()
            .map(node -> node.name() + "=" + node.namespace() + "=" + node.address())
            .collect(Collectors.joining(",")));
    fabricNamespace.ifPresent(name -> properties.setProperty("fabric-namespace", name));
    dnsPodAddress.ifPresent(address -> properties.setProperty("dns-pod-address", address));
    return properties;
  }

  private static Optional<RunFile> of(Properties properties) {
    var nodes = new ArrayList<Node>();
    for (var text : words(properties.getProperty("nodes", ""))) {
      var parts = text.split("=", -1);
      if (parts.length != 3) {
        return Optional.empty();
      }
      nodes.add(new Node(parts[0], parts[1], parts[2]));
    }
    for (var key : List.of("id", "data-dir", "pid", "started")) {
      if (properties.getProperty(key) == null) {
        return Optional.empty();
      }
    }
    return Optional.of(
        new RunFile(
            properties.getProperty("id"),
            Path.of(properties.getProperty("data-dir")),
            new ProcessId(
                Long.parseLong(properties.getProperty("pid")), properties.getProperty("started")),
            addresses(properties, "allocator"),
            addresses(properties, "endpoints"),
            addresses(properties, "pod-runtime"),
            addresses(properties, "dns"),
            nodes,
            Optional.ofNullable(properties.getProperty("fabric-namespace")),
            Optional.ofNullable(properties.getProperty("dns-pod-address"))));
  }

  private static String join(List<HostPort> addresses) {
    return addresses.stream().map(HostPort::toString).collect(Collectors.joining(","));
  }

  private static List<HostPort> addresses(Properties properties, String key) {
    return words(properties.getProperty(key, "")).stream().map(HostPort::of).toList();
  }

  private static List<String> words(String text) {
    return Stream.of(text.split(",", -1)).filter(word -> !word.isEmpty()).toList();
  }
}
