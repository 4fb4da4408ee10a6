package io.fairlead.eventlog.snapshot;

import com.google.protobuf.UnsafeByteOperations;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Digest;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.eventlog.codec.EventCodec;
import io.fairlead.eventlog.codec.UnreadableRecordException;
import io.fairlead.eventlog.file.RawEntry;
import io.fairlead.eventlog.load.EntryMark;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;

/**
 * The octets of a snapshot: magic, header, objects and entries in any number, their numbers, CRC32C
 * of all before it. Numbers are big-endian; a text is its length in octets as int, then UTF-8.
 * Stateless.
 */
final class SnapshotFile {
  static final int VERSION = 1;

  private static final byte[] MAGIC = "FLEADIMG".getBytes(StandardCharsets.US_ASCII);
  private static final int BUFFER = 1 << 16;
  private static final byte END = 0;
  private static final byte OBJECT = 1;
  private static final byte ENTRY = 2;

  private SnapshotFile() {}

  /**
   * Does not close the stream.
   *
   * @param entries of the log that are kept beside the image
   * @param goOn asked now and then; false ends it
   * @return whether it is whole
   */
  static boolean write(
      OutputStream stream,
      SnapshotHeader header,
      ClusterImage image,
      Iterable<RawEntry> entries,
      BooleanSupplier goOn)
      throws IOException {
    var checked = new CheckedOutputStream(stream, new CRC32C());
    var out = new DataOutputStream(new BufferedOutputStream(checked, BUFFER));
    out.write(MAGIC);
    out.writeInt(VERSION);
    write(out, header);
    var objects = new ObjectWriter(out, goOn);
    if (!image.forEach(objects::write)) {
      return false;
    }
    long written = 0;
    for (var entry : entries) {
      if (entry.offset() >= header.position().of(entry.partition())) {
        continue; // it will be read from the log
      }
      out.writeByte(ENTRY);
      write(out, entry.partition().toString());
      out.writeLong(entry.offset());
      out.writeLong(entry.appended().toEpochMilli());
      write(out, entry.key());
      write(out, entry.record().map(record -> record.toByteArray()).orElse(new byte[0]));
      written++;
    }
    out.writeByte(END);
    out.writeLong(objects.written);
    out.writeLong(written);
    out.flush();
    out.writeInt((int) checked.getChecksum().getValue());
    out.flush();
    return true;
  }

  private static final class ObjectWriter {
    private final DataOutputStream out;
    private final BooleanSupplier goOn;
    private long written;

    ObjectWriter(DataOutputStream out, BooleanSupplier goOn) {
      this.out = out;
      this.goOn = goOn;
    }

    boolean write(Versioned<? extends DomainObject> versioned) throws IOException {
      out.writeByte(OBJECT);
      out.writeLong(versioned.offset());
      SnapshotFile.write(out, EventCodec.object(versioned.object()));
      written++;
      return written % 256 != 0 || goOn.getAsBoolean();
    }
  }

  private static void write(DataOutputStream out, SnapshotHeader header) throws IOException {
    write(out, header.codec());
    write(out, header.position().log().toString());
    write(out, header.position().offsets());
    out.writeLong(header.confirmed().toEpochMilli());
    out.writeInt(header.podsPartitions());
    out.writeInt(header.summaries().size());
    for (var summary : header.summaries().entrySet()) {
      write(out, summary.getKey().toString());
      write(out, summary.getValue().digest().toString());
      out.writeLong(summary.getValue().objects());
    }
    out.writeInt(header.lastEntries().size());
    for (var last : header.lastEntries().entrySet()) {
      write(out, last.getKey().toString());
      out.writeLong(last.getValue().offset());
      out.writeLong(last.getValue().timestamp().toEpochMilli());
    }
  }

  private static void write(DataOutputStream out, String text) throws IOException {
    write(out, text.getBytes(StandardCharsets.UTF_8));
  }

  private static void write(DataOutputStream out, byte[] octets) throws IOException {
    out.writeInt(octets.length);
    out.write(octets);
  }

  /** Reads a whole file. Its checksum is looked at first, so nothing of a torn one is told. */
  static final class Reader {
    private final ByteBuffer in;
    private final SnapshotHeader header;

    /**
     * @throws SnapshotException it is torn, or not a snapshot that this version reads
     */
    Reader(ByteBuffer file) throws SnapshotException {
      if (file.remaining() < MAGIC.length + 2 * Integer.BYTES) {
        throw new SnapshotException("cut off");
      }
      var magic = new byte[MAGIC.length];
      file.get(0, magic);
      if (!Arrays.equals(magic, MAGIC)) {
        throw new SnapshotException("not a snapshot");
      }
      int version = file.getInt(MAGIC.length);
      if (version != VERSION) {
        throw new SnapshotException(
            "of version %d of the format; this version of fairlead reads %d"
                .formatted(version, VERSION));
      }
      int end = file.limit() - Integer.BYTES;
      var checksum = new CRC32C();
      checksum.update(file.slice(0, end));
      if ((int) checksum.getValue() != file.getInt(end)) {
        throw new SnapshotException("damaged or cut off: its checksum is of other content");
      }
      this.in = file.slice(0, end).position(MAGIC.length + Integer.BYTES);
      try {
        this.header = readHeader(in);
      } catch (BufferUnderflowException | IllegalArgumentException e) {
        throw new SnapshotException("its header cannot be read: " + e.getMessage(), e);
      }
    }

    SnapshotHeader header() {
      return header;
    }

    private static SnapshotHeader readHeader(ByteBuffer in) throws SnapshotException {
      var codec = text(in);
      var log = LogIdentity.parse(text(in)).orElseThrow(() -> bad("the log's identity"));
      var position = Position.parse(log, text(in)).orElseThrow(() -> bad("its position"));
      var confirmed = Instant.ofEpochMilli(in.getLong());
      int podsPartitions = in.getInt();
      var summaries = new TreeMap<LogPartition, ClusterImage.Summary>();
      for (int i = in.getInt(); i > 0; i--) {
        var partition = LogPartition.parse(text(in)).orElseThrow(() -> bad("a partition"));
        var digest = Digest.parse(text(in)).orElseThrow(() -> bad("a digest"));
        summaries.put(partition, new ClusterImage.Summary(digest, in.getLong()));
      }
      var lastEntries = new TreeMap<LogPartition, EntryMark>();
      for (int i = in.getInt(); i > 0; i--) {
        var partition = LogPartition.parse(text(in)).orElseThrow(() -> bad("a partition"));
        lastEntries.put(partition, new EntryMark(in.getLong(), Instant.ofEpochMilli(in.getLong())));
      }
      return new SnapshotHeader(codec, position, confirmed, podsPartitions, summaries, lastEntries);
    }

    /**
     * Reads the rest, once.
     *
     * @throws SnapshotException something in it cannot be read
     */
    void read(Consumer<Versioned<DomainObject>> objects, Consumer<RawEntry> entries)
        throws SnapshotException {
      var decoder = new EventCodec.Decoder();
      long readObjects = 0;
      long readEntries = 0;
      try {
        while (true) {
          byte kind = in.get();
          switch (kind) {
            case OBJECT -> {
              long offset = in.getLong();
              objects.accept(Versioned.at(decoder.object(octets(in)), offset));
              readObjects++;
            }
            case ENTRY -> {
              entries.accept(entry());
              readEntries++;
            }
            case END -> {
              if (in.getLong() != readObjects || in.getLong() != readEntries || in.hasRemaining()) {
                throw bad("its end");
              }
              return;
            }
            default -> throw bad("a part of kind " + kind);
          }
        }
      } catch (BufferUnderflowException | IllegalArgumentException | UnreadableRecordException e) {
        throw new SnapshotException(
            "what follows object %d cannot be read: %s".formatted(readObjects, e.getMessage()), e);
      }
    }

    private RawEntry entry() throws SnapshotException {
      var partition = LogPartition.parse(text(in)).orElseThrow(() -> bad("a partition"));
      long offset = in.getLong();
      var appended = Instant.ofEpochMilli(in.getLong());
      var key = text(in);
      var record = octets(in);
      return new RawEntry(
          partition,
          offset,
          appended,
          key,
          record.length == 0
              ? Optional.empty()
              : Optional.of(UnsafeByteOperations.unsafeWrap(record)));
    }

    private static String text(ByteBuffer in) {
      return new String(octets(in), StandardCharsets.UTF_8);
    }

    private static byte[] octets(ByteBuffer in) {
      int length = in.getInt();
      if (length < 0 || length > in.remaining()) {
        throw new BufferUnderflowException();
      }
      var octets = new byte[length];
      in.get(octets);
      return octets;
    }

    private static SnapshotException bad(String what) {
      return new SnapshotException(what + " is not as it was written");
    }
  }
}
