package io.fairlead.standalone.pods.run;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.OptionalLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What one run of a container printed, in a file and one before it ({@code .1}); the oldest is
 * forgotten when both are full. Durable as far as the page cache goes: printing must not wait for
 * the disk. Any thread; the lock guards the file, its generation and the end.
 */
public final class RunLog implements AutoCloseable {
  /** As the kubelet's containerLogMaxSize. */
  static final long FILE_LIMIT = 10L << 20;

  private static final int BLOCK = 16 << 10;

  private final Path file;
  private final Path older;
  private final long limit;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private FileChannel channel;

  /** Counts the files; the older one is of the generation before. */
  private long generation;

  private boolean ended;

  private RunLog(Path file, long limit, FileChannel channel) {
    this.file = file;
    this.older = older(file);
    this.limit = limit;
    this.channel = channel;
    this.generation = Files.exists(older) ? 1 : 0;
  }

  private static Path older(Path file) {
    return file.resolveSibling(file.getFileName() + ".1");
  }

  /** Goes on with the file, or begins it. */
  static RunLog open(Path file, long limit) throws IOException {
    Files.createDirectories(file.getParent());
    return new RunLog(file, limit, append(file));
  }

  /** One that has ended; reading it finds nothing where there is no file. */
  static RunLog ended(Path file) throws IOException {
    var log = open(file, FILE_LIMIT);
    log.close();
    return log;
  }

  private static FileChannel append(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  /** Adds what was printed. */
  void append(byte[] bytes, int count) throws IOException {
    lock.lock();
    try {
      var buffer = ByteBuffer.wrap(bytes, 0, count);
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      if (channel.size() >= limit) {
        channel.close();
        Files.move(file, older, StandardCopyOption.REPLACE_EXISTING);
        channel = append(file);
        generation++;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Nothing more will be printed. */
  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      ended = true;
      channel.close();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * A reader.
   *
   * @param tail how many of the last lines; empty: all that is kept
   */
  public Reader read(OptionalLong tail) throws IOException {
    lock.lock();
    try {
      var start = new ArrayDeque<Part>();
      start.add(new Part(FileChannel.open(file, StandardOpenOption.READ), generation));
      if (generation > 0 && Files.exists(older)) {
        start.addFirst(new Part(FileChannel.open(older, StandardOpenOption.READ), generation - 1));
      }
      if (tail.isPresent()) {
        skipTo(start, tail.getAsLong());
      }
      return new Reader(start);
    } finally {
      lock.unlock();
    }
  }

  /** An open file and which one it is. */
  private record Part(FileChannel channel, long generation) {}

  /** Sets the parts to where the last lines begin. */
  private static void skipTo(ArrayDeque<Part> parts, long lines) throws IOException {
    long left = lines;
    boolean atEnd = true;
    for (var each = parts.descendingIterator(); each.hasNext(); ) {
      var channel = each.next().channel();
      if (left < 0) {
        channel.position(channel.size());
        continue;
      }
      var block = ByteBuffer.allocate(BLOCK);
      for (long to = channel.size(); to > 0 && left >= 0; ) {
        long from = Math.max(0, to - BLOCK);
        block.clear().limit((int) (to - from));
        while (block.hasRemaining() && channel.read(block, from + block.position()) >= 0) {
          // reads on
        }
        for (int i = (int) (to - from) - 1; i >= 0 && left >= 0; i--) {
          // the end of the last line begins no line after it
          if (block.get(i) == '\n' && !atEnd) {
            left--;
          }
          if (left == 0 && (block.get(i) == '\n' || atEnd)) {
            channel.position(from + i + 1);
            left = -1;
          }
          atEnd = false;
        }
        to = from;
      }
    }
  }

  /** Reads from a place on. For one thread. */
  public final class Reader implements AutoCloseable {
    private final ArrayDeque<Part> parts;

    private Reader(ArrayDeque<Part> parts) {
      this.parts = parts;
    }

    /** What a reader does where there is nothing more at the moment. */
    public enum AtEnd {
      STOP,
      /** Waits until something is printed, or the run ends. */
      WAIT
    }

    /**
     * The next bytes; empty at the end.
     *
     * @throws InterruptedException while waiting
     */
    public byte[] next(AtEnd atEnd) throws IOException, InterruptedException {
      var block = ByteBuffer.allocate(BLOCK);
      while (true) {
        lock.lockInterruptibly();
        try {
          while (true) {
            if (parts.getFirst().channel().read(block) > 0) {
              return java.util.Arrays.copyOf(block.array(), block.position());
            }
            if (!advance()) {
              break;
            }
          }
          if (ended || atEnd == AtEnd.STOP) {
            return new byte[0];
          }
          changed.await();
        } finally {
          lock.unlock();
        }
      }
    }

    /** To the next file; whether there is one. What was forgotten meanwhile is skipped. */
    private boolean advance() throws IOException {
      if (parts.size() > 1) {
        parts.removeFirst().channel().close();
        return true;
      }
      long next = parts.getFirst().generation() + 1;
      if (next > generation) {
        return false;
      }
      parts.removeFirst().channel().close();
      if (next < generation) {
        parts.add(new Part(FileChannel.open(older, StandardOpenOption.READ), generation - 1));
      }
      parts.add(new Part(FileChannel.open(file, StandardOpenOption.READ), generation));
      return true;
    }

    @Override
    public void close() throws IOException {
      for (var part : parts) {
        part.channel().close();
      }
    }
  }
}
