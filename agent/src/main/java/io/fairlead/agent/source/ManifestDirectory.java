package io.fairlead.agent.source;

import io.fairlead.api.manifest.ManifestObject;
import io.fairlead.api.manifest.Manifests;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ObjectName;
import io.fairlead.v1.Pod;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The static Pods of this node: manifests in a directory, watched, and read again now and then
 * since watches may miss something. A file that cannot be read, or is still written, leaves what it
 * said last in place. A thread of its own. Derived: the files are the truth.
 */
final class ManifestDirectory implements PodSource.Watch {
  private static final Logger LOG = LoggerFactory.getLogger(ManifestDirectory.class);
  private static final Duration RESCAN = Duration.ofSeconds(5);

  /** Writers get that long without a further event before their file is read. */
  private static final Duration QUIET = Duration.ofMillis(50);

  /** A file that did not change for that long is whole. */
  private static final Duration SETTLES = Duration.ofMillis(300);

  /** So often the first state waits for files that still change. */
  private static final int HOLD = 20;

  private static final long MAX_FILE = 4 << 20;

  /**
   * What was read of a file.
   *
   * @param faults what was wrong with it; "" = nothing
   * @param order grows with what was found wrong
   */
  private record Known(String text, Optional<List<Pod>> lastGood, String faults, long order) {}

  /** What tells that a file may have changed. */
  private record Stamp(long size, FileTime modified) {}

  /** Whether files are still written. */
  enum Rest {
    QUIET,
    UNSETTLED
  }

  private final Path directory;
  private final String node;
  private final List<Address> addresses;
  private final Consumer<PodSource.Pods> listener;
  private final Thread thread;
  private final Map<String, Known> files = new TreeMap<>();
  private Map<String, Stamp> stamps = Map.of();
  private long found;
  private int held;
  private Optional<PodSource.Pods> told = Optional.empty();
  private String trouble = "";

  ManifestDirectory(
      Path directory, String node, List<Address> addresses, Consumer<PodSource.Pods> listener) {
    this.directory = directory;
    this.node = node;
    this.addresses = oneOfEachFamily(addresses);
    this.listener = listener;
    this.thread = Thread.ofVirtual().name("manifests-" + node).unstarted(this::run);
  }

  private static List<Address> oneOfEachFamily(List<Address> addresses) {
    var kept = new LinkedHashMap<Family, Address>();
    addresses.forEach(address -> kept.putIfAbsent(address.family(), address));
    return List.copyOf(kept.values());
  }

  /**
   * Begins to watch. A directory that is not there is waited for.
   *
   * @param addresses of the node: those of Pods that do not say their own
   * @param listener called from a thread of this object with each state that differs, first as soon
   *     as the directory was read once
   */
  static ManifestDirectory watch(
      Path directory, String node, List<Address> addresses, Consumer<PodSource.Pods> listener) {
    var source = new ManifestDirectory(directory, node, addresses, listener);
    source.thread.start();
    return source;
  }

  private void run() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        try (var watch = FileSystems.getDefault().newWatchService()) {
          watchWith(watch);
        } catch (IOException | RuntimeException e) { // nothing it meets may end the thread
          complain(e);
          TimeUnit.NANOSECONDS.sleep(RESCAN.toNanos());
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private void watchWith(WatchService watch) throws IOException, InterruptedException {
    var key =
        directory.register(
            watch,
            StandardWatchEventKinds.ENTRY_CREATE,
            StandardWatchEventKinds.ENTRY_MODIFY,
            StandardWatchEventKinds.ENTRY_DELETE);
    while (key.isValid()) {
      if (scan() == Rest.UNSETTLED) {
        TimeUnit.NANOSECONDS.sleep(SETTLES.toNanos());
        continue;
      }
      var event = watch.poll(RESCAN.toNanos(), TimeUnit.NANOSECONDS);
      while (event != null) {
        event.pollEvents();
        event.reset();
        event = watch.poll(QUIET.toNanos(), TimeUnit.NANOSECONDS);
      }
    }
  }

  private void complain(Exception e) {
    if (!trouble.equals(e.toString())) {
      trouble = e.toString();
      LOG.atWarn()
          .addKeyValue("directory", directory)
          .addKeyValue("why", e.toString())
          .log("Manifests cannot be read, the last ones stay");
    }
  }

  /**
   * Reads what changed; tells the listener where the result differs. A file that changed since the
   * last call is left for the next one, as its writer may be at it: the beginning of a manifest can
   * be a manifest, too. Until then what it said last stays.
   */
  Rest scan() throws IOException {
    var present = new HashSet<String>();
    var fresh = new HashSet<String>();
    var now = new HashMap<String, Stamp>();
    var rest = Rest.QUIET;
    try (var listing = Files.newDirectoryStream(directory, ManifestDirectory::isManifest)) {
      for (var file : listing) {
        var name = file.getFileName().toString();
        try {
          var stamp = new Stamp(Files.size(file), Files.getLastModifiedTime(file));
          now.put(name, stamp);
          if (!stamp.equals(stamps.get(name))) {
            rest = Rest.UNSETTLED;
            present.add(name);
            if (!files.containsKey(name)) {
              fresh.add(name);
            }
            continue;
          }
          if (stamp.size() > MAX_FILE) {
            throw new IOException("longer than " + MAX_FILE + " bytes");
          }
          var text = Files.readString(file, StandardCharsets.UTF_8);
          present.add(name);
          read(name, text);
        } catch (IOException | RuntimeException e) { // one file must not hide the others
          if (Files.exists(file)) { // else it went meanwhile
            present.add(name);
            unreadable(name, List.of(e.toString()), "");
          }
        }
      }
    } catch (java.nio.file.DirectoryIteratorException e) {
      throw e.getCause();
    }
    trouble = "";
    stamps = Map.copyOf(now);
    files.keySet().retainAll(present);
    if (told.isEmpty() && !fresh.isEmpty() && ++held < HOLD) {
      return rest;
    }
    var twice = new ArrayList<String>();
    var state = state(fresh, twice);
    if (!told.equals(Optional.of(state))) {
      listener.accept(state);
      told = Optional.of(state);
      if (!twice.isEmpty()) {
        LOG.atWarn()
            .addKeyValue("pods", String.join("; ", twice))
            .log("Pods stand in an earlier file too, which counts");
      }
    }
    return rest;
  }

  private static boolean isManifest(Path file) {
    var name = file.getFileName().toString();
    return !name.startsWith(".")
        && (name.endsWith(".yaml") || name.endsWith(".yml") || name.endsWith(".json"))
        && Files.isRegularFile(file);
  }

  private void read(String name, String text) {
    var before = Optional.ofNullable(files.get(name));
    if (before.filter(known -> known.text().equals(text)).isPresent()) {
      return;
    }
    var read = Manifests.read(name, text);
    var faults = new ArrayList<String>();
    read.faults().forEach(fault -> faults.add(fault.toString()));
    var pods = new ArrayList<Pod>();
    for (var item : read.items()) {
      switch (item.object()) {
        case ManifestObject.OfPod(var pod) -> {
          var fault = fault(pod);
          if (fault.isPresent()) {
            faults.add(name + ":" + item.line() + ": " + fault.get());
          } else {
            pods.add(placed(pod));
          }
        }
        case ManifestObject.OfService _,
            ManifestObject.OfNamespace _,
            ManifestObject.OfServiceCidr _,
            ManifestObject.OfEndpointSlice _ ->
            faults.add(
                name
                    + ":"
                    + item.line()
                    + ": "
                    + item.object().title()
                    + ": only Pods come from a node's manifests");
      }
    }
    if (!faults.isEmpty()) {
      unreadable(name, faults, text);
      return;
    }
    files.put(name, new Known(text, Optional.of(List.copyOf(pods)), "", 0));
    read.warnings()
        .forEach(warning ->
            LOG.atWarn()
                .addKeyValue("what", warning.toString())
                .log("Manifest has no effect there"));
    LOG.atInfo()
        .addKeyValue("event", "manifest.read")
        .addKeyValue("file", name)
        .addKeyValue("pods", pods.size())
        .log("Manifest read");
  }

  private void unreadable(String name, List<String> faults, String text) {
    var before = Optional.ofNullable(files.get(name));
    var words = String.join("; ", faults);
    var same = before.filter(known -> known.faults().equals(words));
    long order = same.map(Known::order).orElseGet(() -> ++found);
    files.put(name, new Known(text, before.flatMap(Known::lastGood), words, order));
    if (same.isPresent()) {
      return; // the same once
    }
    LOG.atWarn()
        .addKeyValue("event", "manifest.faulty")
        .addKeyValue("file", name)
        .addKeyValue("faults", words)
        .log("Manifest is faulty, what it said before stays");
  }

  private Optional<String> fault(Pod pod) {
    var wanted = pod.getSpec().getNodeName();
    if (pod.getMetadata().getName().isEmpty()) {
      return Optional.of("metadata.name: is required");
    }
    return wanted.isEmpty() || wanted.equals(node)
        ? Optional.empty()
        : Optional.of("spec.nodeName: \"" + wanted + "\" is not this node, " + node);
  }

  /** With what only the node knows: where it is, its address, and an id that outlives restarts. */
  private Pod placed(Pod pod) {
    var placed = pod.toBuilder().setSource(StaticManifests.nameOn(node));
    placed.getSpecBuilder().setNodeName(node);
    var meta = placed.getMetadataBuilder();
    if (meta.getNamespace().isEmpty()) {
      meta.setNamespace(ObjectName.DEFAULT_NAMESPACE);
    }
    if (meta.getUid().isEmpty()) {
      meta.setUid(uid(meta.getNamespace(), meta.getName()).toString());
    }
    var status = placed.getStatusBuilder();
    if (status.getPodIp().isEmpty() && status.getPodIpsCount() == 0) {
      addresses.stream().findFirst().ifPresent(first -> status.setPodIp(first.toString()));
      addresses.forEach(address -> status.addPodIps(address.toString()));
    }
    return placed.build();
  }

  private UUID uid(String namespace, String name) {
    return UUID.nameUUIDFromBytes(
        ("fairlead manifest " + node + "/" + namespace + "/" + name)
            .getBytes(StandardCharsets.UTF_8));
  }

  private PodSource.Pods state(Set<String> fresh, List<String> twice) {
    var pods = new LinkedHashMap<ObjectName, Pod>();
    var unknown = new HashSet<>(fresh);
    files.forEach((file, known) -> {
      if (known.lastGood().isEmpty()) {
        unknown.add(file);
      }
      for (var pod : known.lastGood().orElse(List.of())) {
        var name = new ObjectName(pod.getMetadata().getNamespace(), pod.getMetadata().getName());
        if (pods.putIfAbsent(name, pod) != null) {
          twice.add(name + " in " + file);
        }
      }
    });
    var faults =
        files.entrySet().stream()
            .filter(e -> !e.getValue().faults().isEmpty())
            .sorted(Comparator.comparingLong(e -> e.getValue().order()))
            .map(e -> named(e.getKey(), e.getValue().faults()))
            .toList();
    return new PodSource.Pods(List.copyOf(pods.values()), unknown, faults);
  }

  /** Most faults begin with the file and the line. */
  private static String named(String file, String faults) {
    return faults.startsWith(file) ? faults : file + ": " + faults;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
