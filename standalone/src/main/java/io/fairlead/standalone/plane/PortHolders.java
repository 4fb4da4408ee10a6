package io.fairlead.standalone.plane;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** Who listens on a TCP port of this machine, as /proc says. Stateless. */
final class PortHolders {
  private static final Path PROC = Path.of("/proc");
  private static final String LISTENING = "0A"; // TCP_LISTEN of the kernel's tcp_states.h
  private static final int LONGEST_COMMAND = 120;

  private PortHolders() {}

  static boolean isFree(String host, int port) {
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(true); // as servers do: what lingers in TIME_WAIT is no obstacle
      socket.bind(new InetSocketAddress(InetAddress.ofLiteral(host), port));
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  /**
   * Pid and command of each process that listens on the port, on whatever address. Empty where that
   * cannot be seen: another user's process, no Linux.
   */
  static List<String> of(int port) {
    var inodes = new HashSet<String>();
    Stream.of("tcp", "tcp6").forEach(table -> inodes.addAll(listening(table, port)));
    if (inodes.isEmpty()) {
      return List.of();
    }
    return ProcessHandle.allProcesses()
        .map(ProcessHandle::pid)
        .filter(pid -> holds(pid, inodes))
        .sorted()
        .map(pid -> "pid " + pid + ", " + command(pid))
        .toList();
  }

  /**
   * Inodes of the sockets; the table's columns are in proc_net_tcp of the kernel's documentation.
   */
  private static Set<String> listening(String table, int port) {
    var inodes = new HashSet<String>();
    var suffix = String.format(Locale.ROOT, ":%04X", port);
    try {
      for (var line : Files.readAllLines(PROC.resolve("net").resolve(table))) {
        var fields = line.strip().split("\\s+", -1);
        if (fields.length > 9 && fields[1].endsWith(suffix) && fields[3].equals(LISTENING)) {
          inodes.add("socket:[" + fields[9] + "]");
        }
      }
    } catch (IOException _) {
      // no such family, or no Linux
    }
    return inodes;
  }

  private static boolean holds(long pid, Set<String> inodes) {
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(PROC.resolve(Long.toString(pid)).resolve("fd"))) {
      for (var file : files) {
        try {
          if (inodes.contains(Files.readSymbolicLink(file).toString())) {
            return true;
          }
        } catch (IOException _) {
          // closed meanwhile
        }
      }
    } catch (IOException | java.nio.file.DirectoryIteratorException _) {
      // ended meanwhile, or another user's
    }
    return false;
  }

  /** As it was started, shortened; a class path of a Java program says nothing to people. */
  static String command(long pid) {
    try {
      var words = new ArrayList<>(words(pid));
      for (int i = 0; i + 1 < words.size(); i++) {
        if (words.get(i).equals("-cp") || words.get(i).equals("-classpath")) {
          words.set(i + 1, "...");
        }
      }
      var text = String.join(" ", words);
      if (text.isBlank()) {
        text = Files.readString(PROC.resolve(Long.toString(pid)).resolve("comm")).strip();
      }
      return text.length() > LONGEST_COMMAND ? text.substring(0, LONGEST_COMMAND) + "..." : text;
    } catch (IOException _) {
      return "which just ended";
    }
  }

  private static List<String> words(long pid) throws IOException {
    var bytes = Files.readAllBytes(PROC.resolve(Long.toString(pid)).resolve("cmdline"));
    return List.of(new String(bytes, StandardCharsets.UTF_8).split("\0", -1));
  }
}
