package io.fairlead.devkit.echo;

import io.fairlead.devkit.process.LaunchException;
import io.fairlead.devkit.process.Options;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

/**
 * An {@link EchoServer} in a JVM of its own: {@code --pod NAME --node NAME [--host ADDRESS] --port
 * P [--port Q ...]}. Prints one line {@code ready ADDRESS:PORT ...} when it listens. Exit status 2
 * for wrong options, 1 when it cannot listen.
 */
public final class EchoServerMain {
  private EchoServerMain() {}

  static void main(String[] args) throws InterruptedException {
    EchoServer server;
    try {
      server = start(List.of(args));
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.exit(2);
      return;
    } catch (LaunchException e) {
      System.err.println(e.getMessage());
      System.exit(1);
      return;
    }
    var ready = new StringBuilder("ready");
    server.addresses().forEach(address -> ready.append(' ').append(text(address)));
    System.out.println(ready);
    System.out.flush();
    new CountDownLatch(1).await(); // until it is killed: it holds nothing that needs a farewell
  }

  static EchoServer start(List<String> args) {
    var options = Options.parse(args, Set.of("pod", "node", "host", "port"));
    var identity = new EchoServer.Identity(options.required("pod"), options.required("node"));
    var ports = options.all("port").stream().map(text -> Options.port("port", text)).toList();
    if (ports.isEmpty()) {
      throw new IllegalArgumentException("option --port is missing");
    }
    return EchoServer.start(identity, options.one("host").orElse("0.0.0.0"), ports);
  }

  private static String text(InetSocketAddress address) {
    return address.getAddress().getHostAddress() + ":" + address.getPort();
  }
}
