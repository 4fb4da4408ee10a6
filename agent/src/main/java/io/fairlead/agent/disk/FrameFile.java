package io.fairlead.agent.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Frames of length, CRC32C and payload, one after another. A frame counts when it is whole; what
 * follows a torn one does not.
 */
final class FrameFile {
  /** Length and checksum, four bytes each. */
  static final int HEAD = 8;

  /** A longer frame is taken for damage. */
  static final int LONGEST = 256 << 20;

  private FrameFile() {}

  /** Writes one frame at the channel's position; not forced. Its length in the file. */
  static long write(FileChannel channel, byte[] payload) throws IOException {
    var crc = new CRC32C();
    crc.update(payload);
    var frame = ByteBuffer.allocate(HEAD + payload.length);
    frame.putInt(payload.length).putInt((int) crc.getValue()).put(payload).flip();
    while (frame.hasRemaining()) {
      channel.write(frame);
    }
    return HEAD + (long) payload.length;
  }

  /** Reads frames in order. */
  static final class Reader {
    private final ByteBuffer content;

    private Reader(ByteBuffer content) {
      this.content = content;
    }

    /** The next whole frame; empty at the end, or where the rest is torn. */
    Optional<byte[]> next() {
      if (content.remaining() < HEAD) {
        return Optional.empty();
      }
      content.mark();
      int length = content.getInt();
      int checksum = content.getInt();
      if (length < 0 || length > LONGEST || length > content.remaining()) {
        content.reset();
        return Optional.empty();
      }
      var payload = new byte[length];
      content.get(payload);
      var crc = new CRC32C();
      crc.update(payload);
      if ((int) crc.getValue() != checksum) {
        content.reset();
        return Optional.empty();
      }
      return Optional.of(payload);
    }

    /** Where the whole frames end. */
    long position() {
      return content.position();
    }

    boolean atEnd() {
      return !content.hasRemaining();
    }
  }

  /** Reads a whole file; empty where there is none. */
  static Optional<Reader> read(Path file) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    return Optional.of(new Reader(ByteBuffer.wrap(Files.readAllBytes(file))));
  }

  /** Makes the names in a directory durable: renames and new files are not until then. */
  static void forceDirectory(Path directory) throws IOException {
    try (var channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}
