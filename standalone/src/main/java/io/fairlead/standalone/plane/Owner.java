package io.fairlead.standalone.plane;

import io.fairlead.cli.plane.ProcessId;
import io.fairlead.standalone.plane.PlaneConfig.PortsChoice;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;

/**
 * Who has a data directory, and what for; a file in it. A crash leaves it, so look at the process.
 */
public record Owner(ProcessId process, int nodes, PortsChoice ports) {
  private static final String FILE = "plane.properties";

  static Path file(Path dataDirectory) {
    return dataDirectory.resolve(FILE);
  }

  void write(Path dataDirectory) throws IOException {
    var properties = new Properties();
    properties.setProperty("pid", Long.toString(process.pid()));
    properties.setProperty("started", process.started());
    properties.setProperty("nodes", Integer.toString(nodes));
    properties.setProperty("ports", ports.name());
    var text = new StringWriter();
    properties.store(text, null);
    Files.writeString(file(dataDirectory), text.toString());
  }

  /** What the directory says, whether that process lives or not; another user's says nothing. */
  public static Optional<Owner> of(Path dataDirectory) {
    return of(dataDirectory, DataDirectory.caller());
  }

  /**
   * @param user whose word is believed: whoever is named may be killed
   */
  static Optional<Owner> of(Path dataDirectory, long user) {
    if (!DataDirectory.isOwn(dataDirectory, user)
        || !DataDirectory.isOwn(file(dataDirectory), user)) {
      return Optional.empty();
    }
    try {
      var properties = new Properties();
      properties.load(new StringReader(Files.readString(file(dataDirectory))));
      return Optional.of(
          new Owner(
              new ProcessId(
                  Long.parseLong(properties.getProperty("pid", "")),
                  properties.getProperty("started", "")),
              Integer.parseInt(properties.getProperty("nodes", "")),
              PortsChoice.valueOf(properties.getProperty("ports", ""))));
    } catch (IOException | IllegalArgumentException _) {
      return Optional.empty(); // not there, not ours to read, or half written by a crash
    }
  }

  /** Of a plane that lives. */
  public static Optional<Owner> live(Path dataDirectory) {
    return of(dataDirectory).filter(owner -> owner.process().isAlive());
  }
}
