package io.fairlead.cli;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.Reason;
import io.fairlead.runtime.HostPort;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** A server refused or did not answer; says so in kubectl's words. */
final class CallFailedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final transient List<HostPort> addresses;
  private final transient ErrorReport report;

  CallFailedException(List<HostPort> addresses, StatusRuntimeException cause) {
    super(cause);
    this.addresses = addresses;
    this.report = ErrorReport.of(cause);
  }

  Optional<Reason> reason() {
    return report.reason();
  }

  boolean isNotFound() {
    return report.code() == Code.NOT_FOUND;
  }

  /** Whether asking again later may help. */
  boolean isTransient() {
    return report.isTransient()
        || report.isLostConnection()
        || report.code() == Code.DEADLINE_EXCEEDED;
  }

  ErrorReport report() {
    return report;
  }

  String words() {
    return words("");
  }

  /**
   * @param about said before what the server said, where that does not name its object itself
   */
  String words(String about) {
    var where = addresses.stream().map(HostPort::toString).collect(Collectors.joining(","));
    if (report.code() == Code.DEADLINE_EXCEEDED) { // gRPC's words are about its own inside
      return "Error from server (Timeout): no answer from " + where + " in time";
    }
    if (report.isLostConnection()) {
      return "Unable to connect to the server at " + where + ": " + rootWords();
    }
    return report.words(about);
  }

  /** "Connection refused: ..." rather than "io exception", which is all that gRPC says itself. */
  private String rootWords() {
    var words = report.message();
    for (Throwable cause = getCause(); cause != null; cause = cause.getCause()) {
      if (cause instanceof IOException && cause.getMessage() != null) {
        words = cause.getMessage();
      }
    }
    return words;
  }
}
