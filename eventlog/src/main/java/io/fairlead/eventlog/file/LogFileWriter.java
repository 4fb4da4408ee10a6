package io.fairlead.eventlog.file;

import com.google.protobuf.ByteString;
import io.fairlead.log.v1.FileEntry;
import io.fairlead.log.v1.FileFrame;
import io.fairlead.log.v1.FileHeader;
import io.fairlead.log.v1.FileTrailer;
import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.time.Instant;

/**
 * Writes a file: its header when it is made, then entries, each partition's in order, then {@link
 * #finish}; a file without that is refused by readers. Does not close its stream. Used by one
 * thread.
 */
public final class LogFileWriter {
  private final OutputStream out;
  private final MessageDigest digest = Frames.sha256();
  private long entries;

  public LogFileWriter(OutputStream out, LogFileHeader header) throws IOException {
    this.out = out;
    write(Frames.magic());
    write(
        FileFrame.newBuilder()
            .setHeader(
                FileHeader.newBuilder()
                    .setVersion(Frames.VERSION)
                    .setLog(header.until().log().toString())
                    .setRetained(header.retained().offsets())
                    .setSince(header.since().offsets())
                    .setUntil(header.until().offsets())
                    .setExported(Frames.proto(header.exported())))
            .build());
  }

  public void write(RawEntry entry) throws IOException {
    var message =
        FileEntry.newBuilder()
            .setPartition(entry.partition().toString())
            .setOffset(entry.offset())
            .setAppended(Frames.proto(entry.appended()))
            .setKey(ByteString.copyFromUtf8(entry.key()));
    entry.record().ifPresent(message::setRecord);
    write(FileFrame.newBuilder().setEntry(message).build());
    entries++;
  }

  /** How many were written. */
  public long entries() {
    return entries;
  }

  /**
   * The trailer.
   *
   * @param completeSince every entry that the log took since then is in the file, as far as it goes
   */
  public void finish(Instant completeSince) throws IOException {
    var trailer =
        FileTrailer.newBuilder().setEntries(entries).setCompleteSince(Frames.proto(completeSince));
    digest.update(trailer.build().toByteArray());
    trailer.setSha256(ByteString.copyFrom(digest.digest()));
    write(FileFrame.newBuilder().setTrailer(trailer).build());
    out.flush();
  }

  private void write(FileFrame frame) throws IOException {
    write(Frames.bytes(frame));
  }

  private void write(byte[] bytes) throws IOException {
    digest.update(bytes);
    out.write(bytes);
  }
}
