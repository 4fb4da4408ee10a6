package io.fairlead.standalone.plane;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Who listens on a port of this machine, as /proc says. Stateless. */
final class PortHolders {
  private static final Path PROC = Path.of("/proc");

  private PortHolders() {}

  /** What a port is of, with the state in which the kernel's tcp_states.h says a listener is. */
  enum Transport {
    TCP("0A"), // TCP_LISTEN
    UDP("07"); // TCP_CLOSE: not connected

    private final String listening;

    Transport(String listening) {
      this.listening = listening;
    }

    private List<String> tables() {
      var name = name().toLowerCase(Locale.ROOT);
      return List.of(name, name + "6");
    }
  }

  static boolean isFree(Transport transport, String host, int port) {
    var address = new InetSocketAddress(InetAddress.ofLiteral(host), port);
    try {
      switch (transport) {
        case TCP -> {
          try (var socket = new ServerSocket()) {
            socket.setReuseAddress(true); // as servers do: what lingers in TIME_WAIT is no obstacle
            socket.bind(address);
          }
        }
        case UDP -> new DatagramSocket(address).close();
      }
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  /**
   * Pid and program of each process that listens on the port, on whatever address. Empty where that
   * cannot be seen: another user's process, no Linux.
   */
  static List<String> of(Transport transport, int port) {
    var inodes = new HashSet<String>();
    for (var table : transport.tables()) {
      inodes.addAll(listening(table, transport, port));
    }
    if (inodes.isEmpty()) {
      return List.of();
    }
    return ProcessHandle.allProcesses()
        .map(ProcessHandle::pid)
        .filter(pid -> holds(pid, inodes))
        .sorted()
        .map(pid -> "pid " + pid + ", " + program(pid))
        .toList();
  }

  /**
   * Inodes of the sockets; the table's columns are in proc_net_tcp of the kernel's documentation.
   */
  private static Set<String> listening(String table, Transport transport, int port) {
    var inodes = new HashSet<String>();
    var suffix = String.format(Locale.ROOT, ":%04X", port);
    try {
      for (var line : Files.readAllLines(PROC.resolve("net").resolve(table))) {
        var fields = line.strip().split("\\s+", -1);
        if (fields.length > 9
            && fields[1].endsWith(suffix)
            && fields[3].equals(transport.listening)) {
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

  /**
   * The program's name. Not its arguments: there may be secrets among another user's, and this is
   * printed and logged.
   */
  private static String program(long pid) {
    try {
      var name = Files.readString(PROC.resolve(Long.toString(pid)).resolve("comm")).strip();
      // the process may give itself any name, also one that a terminal obeys
      return name.replaceAll("\\P{Print}", "?");
    } catch (IOException _) {
      return "which just ended";
    }
  }
}
