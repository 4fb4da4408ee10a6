package io.fairlead.runtime;

import java.net.BindException;
import java.util.List;
import java.util.stream.Collectors;

/**
 * An address cannot be listened on. The message names the option, the address, and the usual cause.
 */
public final class ListenException extends RuntimeException {
  private static final long serialVersionUID = 1;

  ListenException(String option, HostPort listen, Throwable cause) {
    this(option, List.of(listen), cause);
  }

  /** Which of the addresses it was, only the cause may know. */
  ListenException(String option, List<HostPort> listen, Throwable cause) {
    super(
        "%s=%s: cannot listen on port %s%s"
            .formatted(
                option,
                listen.stream().map(HostPort::toString).collect(Collectors.joining(",")),
                listen.stream()
                    .map(a -> Integer.toString(a.port()))
                    .distinct()
                    .collect(Collectors.joining(" or ")),
                why(cause)),
        cause);
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
