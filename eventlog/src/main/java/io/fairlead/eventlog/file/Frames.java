package io.fairlead.eventlog.file;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Timestamp;
import io.fairlead.log.v1.FileFrame;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.Instant;

/** What writer and reader share. */
final class Frames {
  static final int VERSION = 1;

  /** Well above what the log takes as one record. */
  static final int MAX_BYTES = 16 << 20;

  private static final String MAGIC = "FLEADLOG";

  private Frames() {}

  static byte[] magic() {
    return MAGIC.getBytes(StandardCharsets.US_ASCII);
  }

  /** With its length before it. */
  static byte[] bytes(FileFrame frame) {
    int size = frame.getSerializedSize();
    var bytes = new byte[CodedOutputStream.computeUInt32SizeNoTag(size) + size];
    var out = CodedOutputStream.newInstance(bytes);
    try {
      out.writeUInt32NoTag(size);
      frame.writeTo(out);
    } catch (IOException e) {
      throw new IllegalStateException("an array of the right size takes it", e);
    }
    out.checkNoSpaceLeft();
    return bytes;
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  static Timestamp proto(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  static Instant model(Timestamp timestamp) throws LogFileException {
    try {
      return Instant.ofEpochSecond(timestamp.getSeconds(), timestamp.getNanos());
    } catch (DateTimeException _) {
      throw new LogFileException("damaged: a time that is none");
    }
  }
}
