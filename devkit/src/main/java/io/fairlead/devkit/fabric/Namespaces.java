package io.fairlead.devkit.fabric;

import io.fairlead.devkit.posix.Libc;
import io.fairlead.devkit.posix.PosixException;
import io.fairlead.devkit.posix.Signal;
import io.fairlead.devkit.process.PublicFiles;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * The network namespaces of this machine, by the names that {@code ip netns} uses. Stateless, any
 * thread.
 */
final class Namespaces {
  private static final Path NAMES = Path.of("/run/netns");
  private static final Path CONFIGURATION = Path.of("/etc/netns");
  private static final long END_LIMIT_NANOS = 10_000_000_000L;

  private final Ip ip;

  Namespaces(Ip ip) {
    this.ip = ip;
  }

  /** Those whose name starts so, also such as an earlier crash left half made. */
  List<String> startingWith(String prefix) {
    return names(NAMES, prefix);
  }

  boolean exists(String name) {
    return Files.exists(NAMES.resolve(name));
  }

  private static List<String> names(Path directory, String prefix) {
    var names = new ArrayList<String>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, prefix + "*")) {
      entries.forEach(entry -> names.add(entry.getFileName().toString()));
    } catch (NoSuchFileException | NotDirectoryException _) {
      return List.of(); // nobody has made one since the machine started
    } catch (IOException e) {
      throw new FabricException("cannot read " + directory, e);
    }
    return names;
  }

  /**
   * Sets kernel parameters of a namespace. /proc/sys/net shows the namespace of the thread that
   * opens it, so this needs no process.
   *
   * @param parameters path below /proc/sys/net to value
   */
  static void setParameters(String namespace, Map<String, String> parameters) {
    var root = Path.of("/proc/sys/net");
    try {
      NetnsSockets.<Boolean, IOException>call(
          namespace,
          () -> {
            for (var parameter : parameters.entrySet()) {
              Files.writeString(root.resolve(parameter.getKey()), parameter.getValue());
            }
            return true;
          });
    } catch (IOException e) {
      throw new FabricException("cannot set kernel parameters of " + namespace, e);
    }
  }

  static void writeResolvConf(String namespace, ResolvConf content) {
    var directory = CONFIGURATION.resolve(namespace);
    try {
      PublicFiles.directory(directory); // processes that are not root read it
      PublicFiles.write(directory.resolve("resolv.conf"), content.text());
    } catch (IOException e) {
      throw new FabricException("cannot write " + directory + "/resolv.conf", e);
    }
  }

  /**
   * Ends every process in them, then removes them with their configuration; those that are not
   * there are no error.
   */
  void delete(List<String> namespaces) {
    endProcesses(Set.copyOf(namespaces));
    var present = namespaces.stream().filter(this::exists).toList();
    if (!present.isEmpty()) {
      ip.allOf(present.stream().map(name -> "netns del " + name).toList());
    }
    namespaces.forEach(Namespaces::deleteConfiguration);
  }

  /** Configuration whose namespace is gone already, left by a crash in between. */
  void deleteConfigurationStartingWith(String prefix) {
    names(CONFIGURATION, prefix).forEach(Namespaces::deleteConfiguration);
  }

  private static void deleteConfiguration(String namespace) {
    var directory = CONFIGURATION.resolve(namespace);
    try {
      Files.deleteIfExists(directory.resolve("resolv.conf"));
      Files.deleteIfExists(directory);
    } catch (IOException e) {
      throw new FabricException("cannot remove " + directory, e);
    }
  }

  private static void endProcesses(Set<String> namespaces) {
    var inodes = new HashSet<String>();
    for (var namespace : namespaces) {
      try {
        inodes.add("net:[" + Files.getAttribute(NAMES.resolve(namespace), "unix:ino") + "]");
      } catch (IOException _) {
        // not there: nothing can run in it
      }
    }
    var deadlineNanos = System.nanoTime() + END_LIMIT_NANOS;
    while (true) {
      var left = processesIn(inodes);
      if (left.isEmpty()) {
        return;
      }
      if (System.nanoTime() - deadlineNanos > 0) {
        throw new FabricException(
            "processes %s in %s did not end within 10 s of SIGKILL".formatted(left, namespaces));
      }
      left.forEach(Namespaces::kill); // again and again: one may just have forked
      LockSupport.parkNanos(5_000_000);
    }
  }

  private static void kill(long pid) {
    try {
      Libc.kill(pid, Signal.KILL);
    } catch (PosixException _) {
      // it ended by itself
    }
  }

  private static List<Long> processesIn(Set<String> inodes) {
    if (inodes.isEmpty()) {
      return List.of();
    }
    var own = ProcessHandle.current().pid();
    return ProcessHandle.allProcesses()
        .map(ProcessHandle::pid)
        .filter(pid -> pid != own && pid > 1)
        .filter(pid -> isIn(pid, inodes))
        .toList();
  }

  private static boolean isIn(long pid, Set<String> inodes) {
    try {
      var link = Files.readSymbolicLink(Path.of("/proc", Long.toString(pid), "ns", "net"));
      return inodes.contains(link.toString());
    } catch (IOException _) {
      return false; // ended, or already only waiting to be reaped
    }
  }
}
