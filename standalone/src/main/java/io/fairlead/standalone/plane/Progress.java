package io.fairlead.standalone.plane;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far a plane is, from it to whoever started it: a file with one line for each step. Soft;
 * begun anew with each start. Any thread.
 */
public final class Progress {
  /** The plane as a whole; its READY ends the start, its FAILED says why there is none. */
  public static final String PLANE = "plane";

  private static final Logger LOG = LoggerFactory.getLogger(Progress.class);

  private final Path file;

  private Progress(Path file) {
    this.file = file;
  }

  /** How far a part is. */
  public enum State {
    WAITING,
    STARTING,
    READY,
    /** It ended by itself, and is started again. */
    RESTARTING,
    FAILED,
    STOPPING,
    STOPPED
  }

  /**
   * One step.
   *
   * @param text for people, may have several lines
   */
  public record Step(String part, State state, String text) {
    private String line() {
      return part + "\t" + state + "\t" + text.replace("\\", "\\\\").replace("\n", "\\n") + "\n";
    }

    /** The inverse of what is written; empty for anything else. */
    static Optional<Step> parse(String line) {
      var fields = line.split("\t", 3);
      if (fields.length < 3) {
        return Optional.empty();
      }
      for (var state : State.values()) {
        if (state.name().equals(fields[1])) {
          return Optional.of(new Step(fields[0], state, unescaped(fields[2])));
        }
      }
      return Optional.empty();
    }

    private static String unescaped(String text) {
      var result = new StringBuilder();
      for (int i = 0; i < text.length(); i++) {
        char c = text.charAt(i);
        if (c == '\\' && i + 1 < text.length()) {
          char next = text.charAt(++i);
          result.append(next == 'n' ? '\n' : next);
        } else {
          result.append(c);
        }
      }
      return result.toString();
    }
  }

  /** Empties the file. */
  public static Progress begin(Path file) {
    try {
      Files.writeString(file, "");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
    return new Progress(file);
  }

  /** Where it cannot be written it is not: a full disk is no reason for a plane to end. */
  public void say(String part, State state, String text) {
    try {
      // One write for each line, so that lines of several threads do not mix.
      Files.writeString(file, new Step(part, state, text).line(), StandardOpenOption.APPEND);
    } catch (IOException e) {
      LOG.atWarn()
          .addKeyValue("event", "progress.lost")
          .addKeyValue("cause", e)
          .addKeyValue("part", part)
          .addKeyValue("state", state)
          .log("Progress cannot be written");
    }
  }

  /** Reads the steps as they come. One thread. */
  public static final class Reader {
    private final Path file;
    private long read;

    public Reader(Path file) {
      this.file = file;
    }

    /** What was said since the last time; the file that is not there yet says nothing. */
    public List<Step> next() {
      try (var channel = Files.newByteChannel(file, StandardOpenOption.READ)) {
        long size = channel.size();
        if (size <= read) {
          return List.of();
        }
        channel.position(read);
        var buffer = java.nio.ByteBuffer.allocate(Math.toIntExact(size - read));
        while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
          // until all of it is there
        }
        var text = new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8);
        int end = text.lastIndexOf('\n') + 1;
        read += text.substring(0, end).getBytes(StandardCharsets.UTF_8).length;
        var steps = new ArrayList<Step>();
        text.substring(0, end).lines().forEach(line -> Step.parse(line).ifPresent(steps::add));
        return List.copyOf(steps);
      } catch (IOException _) {
        return List.of();
      }
    }
  }
}
