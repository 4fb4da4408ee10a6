package io.fairlead.runtime;

import java.net.BindException;

/**
 * An address cannot be listened on. The message names the option, the address, and the usual cause.
 */
public final class ListenException extends RuntimeException {
  private static final long serialVersionUID = 1;

  ListenException(String option, HostPort listen, Throwable cause) {
    super(option + "=" + listen + ": cannot listen on port " + listen.port() + why(cause), cause);
  }

  private static String why(Throwable cause) {
    for (Throwable t = cause; t != null; t = t.getCause()) {
      // Netty's native transport has a BindException of its own making, with the same words.
      var message = String.valueOf(t.getMessage());
      if (message.contains("Address already in use") || message.contains("EADDRINUSE")) {
        return ": another process listens there";
      }
      if (t instanceof BindException && message.contains("Permission denied")) {
        return ": ports below 1024 need CAP_NET_BIND_SERVICE";
      }
    }
    return ": " + cause.getMessage();
  }
}
