package io.fairlead.eventlog.file;

import com.google.protobuf.InvalidProtocolBufferException;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.log.v1.FileEntry;
import io.fairlead.log.v1.FileFrame;
import io.fairlead.log.v1.FileHeader;
import io.fairlead.log.v1.FileTrailer;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;

/**
 * Reads a file. That it is whole is known only once its last entry was read: what was read before
 * must not be relied on until then. Does not close its stream, which should be buffered. Used by
 * one thread.
 */
public final class LogFileReader {
  private final InputStream in;
  private final MessageDigest digest = Frames.sha256();
  private final LogFileHeader header;
  private Position read;
  private long entries;
  private Optional<Instant> completeSince = Optional.empty();

  /**
   * Reads the header.
   *
   * @throws LogFileException it is no such file, or one of a version that this one does not know
   */
  public LogFileReader(InputStream in) throws IOException {
    this.in = in;
    var magic = in.readNBytes(Frames.magic().length);
    if (!Arrays.equals(magic, Frames.magic())) {
      throw new LogFileException("not a file that fairlead log export wrote");
    }
    digest.update(magic);
    var first = frame();
    if (first.getContentCase() != FileFrame.ContentCase.HEADER) {
      throw new LogFileException("damaged: it does not begin with a header");
    }
    header = header(first.getHeader());
    digest.update(Frames.bytes(first));
    read = header.since();
  }

  public LogFileHeader header() {
    return header;
  }

  /**
   * The next entry; empty at the end, when the whole file has proved right.
   *
   * @throws LogFileException it was cut off, or is not as it was written
   */
  public Optional<RawEntry> next() throws IOException {
    if (completeSince.isPresent()) {
      return Optional.empty();
    }
    var frame = frame();
    return switch (frame.getContentCase()) {
      case ENTRY -> {
        digest.update(Frames.bytes(frame));
        yield Optional.of(entry(frame.getEntry()));
      }
      case TRAILER -> {
        completeSince = Optional.of(verified(frame.getTrailer()));
        yield Optional.empty();
      }
      case HEADER, CONTENT_NOT_SET -> throw new LogFileException("damaged: an unexpected frame");
    };
  }

  /**
   * After the last entry: every entry that the log took since then is in the file.
   *
   * @throws IllegalStateException there may be more entries
   */
  public Instant completeSince() {
    return completeSince.orElseThrow(
        () -> new IllegalStateException("the end of the file was not read"));
  }

  private FileFrame frame() throws IOException {
    int size = size();
    var bytes = in.readNBytes(size);
    if (bytes.length < size) {
      throw cutOff();
    }
    FileFrame frame;
    try {
      frame = FileFrame.parseFrom(bytes);
    } catch (InvalidProtocolBufferException _) {
      throw new LogFileException("damaged: what follows entry " + entries + " cannot be read");
    }
    // the checksum is over the bytes as they are written: others for the same message are foreign
    if (!Arrays.equals(frame.toByteArray(), bytes)) {
      throw new LogFileException("damaged: what follows entry " + entries + " is not as written");
    }
    return frame;
  }

  /** A varint. */
  private int size() throws IOException {
    int size = 0;
    for (int shift = 0; shift <= 28; shift += 7) {
      int octet = in.read();
      if (octet < 0) {
        throw cutOff();
      }
      size |= (octet & 0x7f) << shift;
      if (octet < 0x80) {
        if (size < 0 || size > Frames.MAX_BYTES) {
          break;
        }
        return size;
      }
    }
    throw new LogFileException("damaged: a frame longer than any entry of a log");
  }

  private LogFileException cutOff() {
    return new LogFileException("cut off after " + entries + " entries");
  }

  private static LogFileHeader header(FileHeader header) throws LogFileException {
    if (header.getVersion() != Frames.VERSION) {
      throw new LogFileException(
          "of version %d of the format; this version of fairlead reads %d"
              .formatted(header.getVersion(), Frames.VERSION));
    }
    return new LogFileHeader(
        position(header, header.getRetained()),
        position(header, header.getSince()),
        position(header, header.getUntil()),
        Frames.model(header.getExported()));
  }

  private static Position position(FileHeader header, String offsets) throws LogFileException {
    return LogIdentity.parse(header.getLog())
        .flatMap(log -> Position.parse(log, offsets))
        .orElseThrow(() -> new LogFileException("damaged: a header without its positions"));
  }

  private RawEntry entry(FileEntry entry) throws LogFileException {
    var partition =
        LogPartition.parse(entry.getPartition())
            .filter(
                p -> entry.getOffset() >= read.of(p) && entry.getOffset() < header.until().of(p))
            .orElseThrow(() ->
                new LogFileException(
                    "damaged: %s:%d does not belong after entry %d"
                        .formatted(entry.getPartition(), entry.getOffset(), entries)));
    read = read.with(partition, entry.getOffset() + 1);
    entries++;
    return new RawEntry(
        partition,
        entry.getOffset(),
        Frames.model(entry.getAppended()),
        entry.getKey().toStringUtf8(),
        entry.hasRecord() ? Optional.of(entry.getRecord()) : Optional.empty());
  }

  private Instant verified(FileTrailer trailer) throws IOException {
    digest.update(trailer.toBuilder().clearSha256().build().toByteArray());
    if (trailer.getEntries() != entries
        || !Arrays.equals(trailer.getSha256().toByteArray(), digest.digest())) {
      throw new LogFileException("damaged: its checksum is of other content");
    }
    if (in.read() >= 0) {
      throw new LogFileException("damaged: something follows its end");
    }
    return Frames.model(trailer.getCompleteSince());
  }
}
