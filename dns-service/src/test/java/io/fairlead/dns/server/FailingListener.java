package io.fairlead.dns.server;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;

/** A real listener whose first accepts fail as they do without a file descriptor left. */
final class FailingListener extends ServerSocketChannel {
  private final ServerSocketChannel listener;
  private int failures;

  FailingListener(ServerSocketChannel listener, int failures) {
    super(listener.provider());
    this.listener = listener;
    this.failures = failures;
  }

  @Override
  public SocketChannel accept() throws IOException {
    if (failures > 0) {
      failures--;
      throw new SocketException("Too many open files");
    }
    return listener.accept();
  }

  @Override
  public ServerSocketChannel bind(SocketAddress local, int backlog) throws IOException {
    return listener.bind(local, backlog);
  }

  @Override
  public <T> ServerSocketChannel setOption(SocketOption<T> name, T value) throws IOException {
    return listener.setOption(name, value);
  }

  @Override
  public <T> T getOption(SocketOption<T> name) throws IOException {
    return listener.getOption(name);
  }

  @Override
  public Set<SocketOption<?>> supportedOptions() {
    return listener.supportedOptions();
  }

  @Override
  public ServerSocket socket() {
    return listener.socket();
  }

  @Override
  public SocketAddress getLocalAddress() throws IOException {
    return listener.getLocalAddress();
  }

  @Override
  protected void implCloseSelectableChannel() throws IOException {
    listener.close();
  }

  @Override
  protected void implConfigureBlocking(boolean block) throws IOException {
    listener.configureBlocking(block);
  }
}
