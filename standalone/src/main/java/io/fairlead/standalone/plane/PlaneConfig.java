package io.fairlead.standalone.plane;

import io.fairlead.cli.plane.PlaneFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a plane is asked to be.
 *
 * @param dataDirectory real path, there already
 * @param nodes how many, 0 to {@value #MAX_NODES}
 */
public record PlaneConfig(Path dataDirectory, int nodes, PortsChoice ports) {
  public static final int DEFAULT_NODES = 3;

  /** As many as there are letters to name them. */
  public static final int MAX_NODES = 26;

  public PlaneConfig {
    requireNodes(nodes);
  }

  /** Refuses more nodes than there are names. */
  public static void requireNodes(int number) {
    if (number < 0 || number > MAX_NODES) {
      throw new IllegalArgumentException(
          "--nodes: " + number + " is not within 0.." + MAX_NODES + ", one for each letter");
    }
  }

  /** Where a plane listens. */
  public enum PortsChoice {
    /** The ports that everybody expects; one plane for each machine. */
    DEFAULT,
    /** Any that are free at the start: several planes on one machine. */
    FREE;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Tells the instance apart from all others of this machine, in names of namespaces too. */
  public String id() {
    return PlaneFiles.instanceId(dataDirectory);
  }

  /** {@code node-a}, {@code node-b}... */
  public List<String> nodeNames() {
    var names = new ArrayList<String>();
    for (int i = 0; i < nodes; i++) {
      names.add("node-" + (char) ('a' + i));
    }
    return List.copyOf(names);
  }

  /** Where the services keep what they read of the log between starts; may be deleted. */
  Path snapshots() {
    return dataDirectory.resolve("snapshots");
  }

  /** Where the processes' logs are. */
  public Path logs() {
    return dataDirectory.resolve("logs");
  }

  /** What the plane itself prints. */
  public Path planeLog() {
    return logs().resolve("plane.log");
  }

  /** What the node's agent prints. */
  Path agentLog(String node) {
    return logs().resolve("agent-" + node + ".log");
  }

  /** The directory whose manifests the node's agent takes for static Pods. */
  public Path manifests(String node) {
    return dataDirectory.resolve("manifests").resolve(node);
  }
}
