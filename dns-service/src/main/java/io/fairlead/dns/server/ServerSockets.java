package io.fairlead.dns.server;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;

/**
 * Opens the sockets on which DNS is answered. A server may have them elsewhere than where it asks
 * others from, for example in another network namespace. Both are blocking and bound when they are
 * returned; the caller closes them.
 */
public interface ServerSockets {
  /** Connections that the kernel completes before they are accepted. */
  int BACKLOG = 1024;

  /**
   * @throws IOException the address cannot be bound
   */
  DatagramChannel udp(InetSocketAddress address) throws IOException;

  /**
   * @throws IOException the address cannot be bound
   */
  ServerSocketChannel tcp(InetSocketAddress address) throws IOException;

  /** Where this process is. */
  static ServerSockets plain() {
    return new ServerSockets() {
      @Override
      public DatagramChannel udp(InetSocketAddress address) throws IOException {
        var channel = DatagramChannel.open();
        try {
          return channel.bind(address);
        } catch (IOException | RuntimeException e) {
          channel.close();
          throw e;
        }
      }

      @Override
      public ServerSocketChannel tcp(InetSocketAddress address) throws IOException {
        var channel = ServerSocketChannel.open();
        try {
          channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
          return channel.bind(address, BACKLOG);
        } catch (IOException | RuntimeException e) {
          channel.close();
          throw e;
        }
      }
    };
  }
}
