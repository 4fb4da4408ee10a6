package io.fairlead.agent.disk;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.fairlead.agent.v1.FileHeader;
import io.fairlead.agent.v1.ImageFrame;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import io.fairlead.v1.Entry;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's image on disk: a snapshot and a journal of changes since, so that a change costs its
 * own size. Durable when a call returns. Owned by one thread; one process at a time, by a lock
 * file.
 *
 * <p>Files of one generation belong together: {@code snapshot} (replaced by rename) and {@code
 * journal-<generation>}. A torn end of the journal is cut: it was never acknowledged. A damaged
 * snapshot is set aside as {@code snapshot.damaged} and the agent starts anew from its stream; the
 * kernel's rules are not touched by that.
 */
public final class ImageStore implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ImageStore.class);
  private static final int VERSION = 1;

  /** Frames of a snapshot are about that long. */
  private static final int SNAPSHOT_FRAME = 1 << 20;

  /** Below that a journal is not worth compacting. */
  private static final long SMALL_JOURNAL = 1 << 20;

  private final Path directory;
  private final FileChannel lockChannel;
  private final FaultPoints points;
  private final Map<String, ByteString> entries = new HashMap<>();
  private Optional<Position> position = Optional.empty();
  private long generation;
  private long snapshotBytes;
  private long journalBytes;
  private FileChannel journal;

  private ImageStore(Path directory, FileChannel lockChannel, FaultPoints points)
      throws IOException {
    this.directory = directory;
    this.lockChannel = lockChannel;
    this.points = points;
    recover();
    this.journal =
        FileChannel.open(
            journalFile(generation), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (journalBytes == 0) {
        startJournal();
      } else {
        journal.truncate(journalBytes);
        journal.position(journalBytes);
      }
    } catch (IOException e) { // it is tried again for as long as the disk is full
      journal.close();
      throw e;
    }
  }

  /**
   * Opens or makes the store.
   *
   * @throws GatewayException the directory cannot be used; says why
   */
  public static ImageStore open(Path directory) {
    return open(directory, FaultPoints.NONE);
  }

  /** Likewise; the points are told of each step on disk. */
  public static ImageStore open(Path directory, FaultPoints points) {
    try {
      Files.createDirectories(directory);
      var lockChannel =
          FileChannel.open(
              directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        requireLock(lockChannel, directory);
        return new ImageStore(directory, lockChannel, points);
      } catch (IOException | RuntimeException e) {
        lockChannel.close();
        throw e;
      }
    } catch (IOException e) {
      throw failed("cannot open the image in " + directory, e);
    }
  }

  private static void requireLock(FileChannel channel, Path directory) throws IOException {
    Optional<FileLock> lock;
    try {
      lock = Optional.ofNullable(channel.tryLock());
    } catch (OverlappingFileLockException _) {
      lock = Optional.empty();
    }
    if (lock.isEmpty()) {
      throw new IOException("another agent uses " + directory);
    }
  }

  /** Where the image on disk stands; empty where there is none. */
  public Optional<Position> position() {
    return position;
  }

  /** Serialized entries of the image on disk, in no particular order. */
  public Collection<ByteString> entries() {
    return List.copyOf(entries.values());
  }

  /**
   * A change of the image.
   *
   * @param set serialized {@link Entry} messages
   */
  public record Change(Base base, List<ByteString> set, List<String> removed, Position position) {
    public Change {
      set = List.copyOf(set);
      removed = List.copyOf(removed);
    }
  }

  /** What a change builds on. */
  public enum Base {
    /** Nothing: what it does not set is gone. */
    NOTHING,
    /** The image so far. */
    CURRENT
  }

  /**
   * Puts a change on disk. Costs its size; now and then that of the image.
   *
   * @throws GatewayException UNKNOWN: it may be on disk or not; the store must be opened again
   */
  public void append(Change change) {
    var frame =
        ImageFrame.newBuilder()
            .setReset(change.base() == Base.NOTHING)
            .addAllSet(change.set())
            .addAllRemoved(change.removed())
            .setPosition(proto(change.position()))
            .build();
    try {
      apply(frame);
      if (change.base() == Base.NOTHING) {
        compact(); // a journal that begins with a reset needs nothing from before
      } else {
        journalBytes += FrameFile.write(journal, frame.toByteArray());
        points.reached(FaultPoint.DISK_JOURNAL);
        journal.force(false);
        if (journalBytes > Math.max(SMALL_JOURNAL, 2 * snapshotBytes)) {
          compact();
        }
      }
    } catch (IOException e) {
      throw failed("cannot write the image in " + directory, e);
    }
  }

  private void recover() throws IOException {
    var snapshot = FrameFile.read(snapshotFile());
    if (snapshot.isPresent()) {
      try {
        readSnapshot(snapshot.get());
      } catch (DamagedException e) {
        LOG.atError()
            .addKeyValue("event", "agent.image-damaged")
            .addKeyValue("file", snapshotFile())
            .addKeyValue("why", e.getMessage())
            .log("Image on disk set aside, starting anew");
        Files.move(
            snapshotFile(),
            directory.resolve("snapshot.damaged"),
            StandardCopyOption.REPLACE_EXISTING);
        entries.clear();
        position = Optional.empty();
        generation = 0;
        Files.deleteIfExists(journalFile(generation));
      }
    }
    var rest = FrameFile.read(journalFile(generation));
    if (rest.isPresent()) {
      readJournal(rest.get());
    }
    removeOtherJournals();
  }

  /** Why a file cannot be used. */
  private static final class DamagedException extends Exception {
    private static final long serialVersionUID = 1;

    DamagedException(String message) {
      super(message);
    }
  }

  private void readSnapshot(FrameFile.Reader reader) throws DamagedException {
    generation = header(reader).getGeneration();
    while (position.isEmpty()) {
      var payload = reader.next().orElseThrow(() -> new DamagedException("it has no end"));
      apply(frame(payload));
    }
    snapshotBytes = reader.position();
  }

  private void readJournal(FrameFile.Reader reader) throws IOException {
    try {
      if (header(reader).getGeneration() != generation) {
        return;
      }
      journalBytes = reader.position();
      for (var payload = reader.next(); payload.isPresent(); payload = reader.next()) {
        apply(frame(payload.get()));
        journalBytes = reader.position();
      }
    } catch (DamagedException e) {
      LOG.atWarn().addKeyValue("why", e.getMessage()).log("Rest of the journal left out");
    }
    if (!reader.atEnd()) {
      LOG.atInfo()
          .addKeyValue("event", "agent.journal-cut")
          .addKeyValue("at", journalBytes)
          .log("Torn end of the journal cut");
    }
  }

  private static FileHeader header(FrameFile.Reader reader) throws DamagedException {
    try {
      var header =
          FileHeader.parseFrom(
              reader.next().orElseThrow(() -> new DamagedException("it has no beginning")));
      if (header.getVersion() != VERSION) {
        throw new DamagedException(
            "it has format " + header.getVersion() + ", this agent reads " + VERSION);
      }
      return header;
    } catch (InvalidProtocolBufferException e) {
      throw new DamagedException("its first frame cannot be read: " + e.getMessage());
    }
  }

  private static ImageFrame frame(byte[] payload) throws DamagedException {
    try {
      var frame = ImageFrame.parseFrom(payload);
      for (var entry : frame.getSetList()) {
        if (Entry.parseFrom(entry).getKey().isEmpty()) {
          throw new DamagedException("an entry has no key");
        }
      }
      if (frame.hasPosition() && position(frame.getPosition()).isEmpty()) {
        throw new DamagedException("no position: " + frame.getPosition());
      }
      return frame;
    } catch (InvalidProtocolBufferException e) {
      throw new DamagedException("a frame cannot be read: " + e.getMessage());
    }
  }

  private void apply(ImageFrame frame) {
    if (frame.getReset()) {
      entries.clear();
    }
    frame.getRemovedList().forEach(entries::remove);
    for (var entry : frame.getSetList()) {
      entries.put(keyOf(entry), entry);
    }
    if (frame.hasPosition()) {
      position = position(frame.getPosition());
    }
  }

  private static String keyOf(ByteString entry) {
    try {
      return Entry.parseFrom(entry).getKey();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException("not an entry", e);
    }
  }

  private void compact() throws IOException {
    var next = generation + 1;
    var temporary = directory.resolve("snapshot.new");
    long bytes = 0;
    try (var channel =
        FileChannel.open(
            temporary,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      bytes += FrameFile.write(channel, header(next));
      var frame = ImageFrame.newBuilder();
      int size = 0;
      for (var entry : entries.values()) {
        frame.addSet(entry);
        size += entry.size();
        if (size >= SNAPSHOT_FRAME) {
          bytes += FrameFile.write(channel, frame.build().toByteArray());
          frame = ImageFrame.newBuilder();
          size = 0;
        }
      }
      var end = position.orElseThrow();
      bytes += FrameFile.write(channel, frame.setPosition(proto(end)).build().toByteArray());
      channel.force(true);
    }
    points.reached(FaultPoint.DISK_IMAGE);
    Files.move(temporary, snapshotFile(), StandardCopyOption.ATOMIC_MOVE);
    points.reached(FaultPoint.DISK_RENAMED);
    // From here on the old journal does not count: its generation is another.
    generation = next;
    snapshotBytes = bytes;
    journal.close();
    journal =
        FileChannel.open(
            journalFile(generation),
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE);
    startJournal();
    removeOtherJournals();
  }

  private void startJournal() throws IOException {
    journal.truncate(0);
    journalBytes = FrameFile.write(journal, header(generation));
    journal.force(true);
    FrameFile.forceDirectory(directory);
  }

  private void removeOtherJournals() throws IOException {
    try (var files = Files.newDirectoryStream(directory, "journal-*")) {
      for (var file : files) {
        if (!file.equals(journalFile(generation))) {
          Files.delete(file);
        }
      }
    }
  }

  private static byte[] header(long generation) {
    return FileHeader.newBuilder()
        .setVersion(VERSION)
        .setGeneration(generation)
        .build()
        .toByteArray();
  }

  private Path snapshotFile() {
    return directory.resolve("snapshot");
  }

  private Path journalFile(long number) {
    return directory.resolve("journal-" + number);
  }

  private static io.fairlead.v1.Position proto(Position position) {
    return io.fairlead.v1.Position.newBuilder()
        .setLog(position.log().toString())
        .setOffsets(position.offsets())
        .build();
  }

  private static Optional<Position> position(io.fairlead.v1.Position proto) {
    return LogIdentity.parse(proto.getLog())
        .flatMap(log -> Position.parse(log, proto.getOffsets()));
  }

  private static GatewayException failed(String what, IOException cause) {
    return new GatewayException(Outcome.UNKNOWN, what + ": " + cause.getMessage(), cause);
  }

  @Override
  public void close() {
    try (var _ = lockChannel) { // also where the journal cannot be closed: another must open it
      journal.close();
    } catch (IOException e) {
      throw failed("cannot close the image in " + directory, e);
    }
  }
}
