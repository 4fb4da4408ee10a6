package io.fairlead.endpoints.grpc;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import io.fairlead.api.Errors;
import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.Violation;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.decider.Request;
import io.fairlead.decider.grpc.Caller;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** Requests of the API as requests to a decider. */
final class Requests {
  static final int MAX_ID = 128;

  private Requests() {}

  /**
   * Under its id, so that it may be sent again.
   *
   * @param withoutId the message with its id cleared
   */
  static Request<PodCommand> of(
      Caller caller, String id, MessageLite withoutId, PodCommand command) {
    checkId(id);
    return new Request<>(
        caller.actor(),
        Optional.of(new RequestStamp(id, hash(withoutId))),
        command,
        caller.traceparent(),
        Optional.empty());
  }

  static void checkId(String id) {
    if (id.isEmpty() || id.length() > MAX_ID) {
      throw Errors.invalid(
          "request",
          List.of(
              id.isEmpty()
                  ? new Violation(
                      "requestId",
                      Violation.Reason.REQUIRED,
                      "an id is needed: the same one again is the same request")
                  : new Violation(
                      "requestId",
                      Violation.Reason.TOO_LONG,
                      "at most " + MAX_ID + " characters")));
    }
  }

  private static String hash(MessageLite message) {
    var bytes = new byte[message.getSerializedSize()];
    var out = CodedOutputStream.newInstance(bytes);
    out.useDeterministicSerialization(); // maps in one order, else a repeated request may look new
    try {
      message.writeTo(out);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
