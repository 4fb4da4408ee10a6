package io.fairlead.decider.grpc;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import io.fairlead.api.Errors;
import io.fairlead.core.decide.Violation.Reason;
import io.fairlead.core.record.Envelope.RequestStamp;
import io.fairlead.decider.Request;
import io.grpc.MethodDescriptor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Makes requests of the API known by their ids, so that they can be sent again safely. */
public final class RequestStamps {
  /** Proves that the caller may, and says nothing of what it wants: no hash of it is in the log. */
  private static final List<String> SECRETS = List.of("token", "token_hash");

  private static final Pattern FORM = Pattern.compile("[!-~]{1,128}");

  private RequestStamps() {}

  /**
   * A request under its id.
   *
   * @param message with a field {@code request_id}; all its others must be the same when the id is,
   *     but for a {@code token} and its hash
   * @throws io.grpc.StatusRuntimeException INVALID_ARGUMENT: there is no id, or it is malformed
   */
  public static <C> Request<C> request(
      Caller caller, MethodDescriptor<?, ?> method, Message message, C command) {
    var field = field(message, "request_id");
    var id = (String) message.getField(field);
    checkId(id);
    var hashed = message.toBuilder().clearField(field);
    for (var secret : SECRETS) {
      var found = message.getDescriptorForType().findFieldByName(secret);
      if (found != null) {
        hashed.clearField(found);
      }
    }
    var hash = HexFormat.of().formatHex(digest(method.getFullMethodName(), hashed.build()));
    return new Request<>(
        caller.actor(),
        Optional.of(new RequestStamp(id, hash)),
        command,
        caller.traceparent(),
        Optional.empty());
  }

  /** A field that messages of one purpose have alike. */
  static FieldDescriptor field(Message message, String name) {
    var field = message.getDescriptorForType().findFieldByName(name);
    if (field == null) {
      throw new IllegalArgumentException(
          message.getDescriptorForType().getFullName() + " has no field " + name);
    }
    return field;
  }

  /**
   * For what consists of several requests.
   *
   * @throws io.grpc.StatusRuntimeException INVALID_ARGUMENT: there is no id, or it is malformed
   */
  public static void checkId(String id) {
    if (id.isEmpty()) {
      throw Errors.invalid(
          "requestId",
          Reason.REQUIRED,
          "changes need an id, chosen by the client, e.g. a random UUID: the same id again is the same request");
    }
    if (!FORM.matcher(id).matches()) {
      throw Errors.invalid(
          "requestId",
          Reason.INVALID,
          "must be 1 to 128 printable ASCII characters without blanks");
    }
  }

  /** SHA-256 of a purpose and a message. */
  static byte[] digest(String purpose, MessageLite message) {
    var octets = new byte[message.getSerializedSize()];
    var out = CodedOutputStream.newInstance(octets);
    out.useDeterministicSerialization(); // maps in one order: else a repeated request may look new
    try {
      message.writeTo(out);
      var digest = MessageDigest.getInstance("SHA-256");
      digest.update(purpose.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
      return digest.digest(octets);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // an array does not fail
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
