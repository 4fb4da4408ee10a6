package io.fairlead.devkit.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/** TCP ports of this machine, in the namespace of the calling thread. */
public final class Ports {
  // Below the range from which Linux takes ports of outgoing connections (32768 up): those would
  // come and take one back.
  private static final int FIRST = 15_000;
  private static final int LAST = 32_000;

  /** Whoever asked for one may not listen yet: nobody else of this process is given it. */
  private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

  private Ports() {}

  /**
   * A port nobody listens on at the moment, and that this process was not given before; another
   * process may take it before the caller does.
   */
  public static int free(String host) {
    return free(host, 1).getFirst();
  }

  /** That many different free ports. */
  public static List<Integer> free(String host, int count) {
    var address = resolve("host", host);
    var ports = new LinkedHashSet<Integer>();
    for (var tries = 0; tries < 20_000 && ports.size() < count; tries++) {
      var port = ThreadLocalRandom.current().nextInt(FIRST, LAST);
      if (!GIVEN.contains(port) && isFree(address, port) && GIVEN.add(port)) {
        ports.add(port);
      }
    }
    if (ports.size() < count) {
      throw new LaunchException(
          "%s has no %d free ports from %d to %d".formatted(host, count, FIRST, LAST));
    }
    return List.copyOf(ports);
  }

  /**
   * Refuses a port that cannot be listened on now.
   *
   * @param option what the user calls this port, for the message
   * @throws LaunchException when somebody listens there already, or the host is no address of this
   *     machine
   */
  public static void requireFree(String option, String host, int port) {
    var address = resolve(option, host);
    try {
      bind(address, port);
    } catch (IOException e) {
      throw new LaunchException(
          "%s: cannot listen on %s:%d: %s; choose another port, or stop who listens there"
              .formatted(option, host, port, e.getMessage()),
          e);
    }
  }

  private static boolean isFree(InetAddress address, int port) {
    try {
      bind(address, port);
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private static void bind(InetAddress address, int port) throws IOException {
    try (var socket = new ServerSocket()) {
      socket.setReuseAddress(
          true); // a server that restarts does the same; connections in TIME_WAIT are no obstacle
      socket.bind(new InetSocketAddress(address, port));
    }
  }

  private static InetAddress resolve(String option, String host) {
    try {
      return InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new LaunchException("%s: host '%s' is unknown".formatted(option, host), e);
    }
  }
}
