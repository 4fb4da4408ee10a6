package io.fairlead.agent.ruleset;

import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Topic;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How the acknowledged position stands in the kernel's own table, map {@code log_position} (mark :
 * mark, unsigned 32 bits both; "position" alone is a word of nft's language). Anybody can read it:
 * {@code nft -j list map ip fairlead log_position}.
 *
 * <table>
 *   <caption>Keys</caption>
 *   <tr><td>0</td><td>format of the table, see {@link Layout#format}</td></tr>
 *   <tr><td>1</td><td>length in bytes of the log identity's text, {@code <services topic id>.<pods topic id>} in UTF-8</td></tr>
 *   <tr><td>2..255</td><td>that text, four bytes to a value, big endian, zeros behind its end</td></tr>
 *   <tr><td>256</td><td>the next id for an endpoint of a frontend with affinity</td></tr>
 *   <tr><td>257</td><td>where the table's chains are hooked in, see {@link Layout#hooks}</td></tr>
 *   <tr><td>65536 + 2p, 65537 + 2p</td><td>next offset of partition p, low and high half; p = 0 is the partition of services,
 *       p = k + 1 is partition k of Pods. Halves that are zero are left out</td></tr>
 * </table>
 */
public final class PositionCodec {
  /** Key of the table's format. */
  public static final long FORMAT = 0;

  /** Key of the next endpoint id. */
  public static final long NEXT_ID = 256;

  /** Key of where chains are hooked in. */
  public static final long HOOKS = 257;

  private static final long LENGTH = 1;
  private static final long TEXT = 2;
  private static final int TEXT_WORDS = 254;
  private static final long OFFSETS = 0x1_0000;

  private PositionCodec() {}

  /** The words that hold that position; format and next id not among them. */
  public static SortedMap<Long, Long> encode(Position position) {
    var words = new TreeMap<Long, Long>();
    var text = position.log().toString().getBytes(StandardCharsets.UTF_8);
    if (text.length > 4 * TEXT_WORDS) {
      throw new IllegalArgumentException(
          "a log identity of "
              + text.length
              + " bytes; at most "
              + 4 * TEXT_WORDS
              + " are possible");
    }
    words.put(LENGTH, (long) text.length);
    var padded = ByteBuffer.allocate(4 * TEXT_WORDS).put(text).rewind();
    for (int i = 0; i < (text.length + 3) / 4; i++) {
      words.put(TEXT + i, Integer.toUnsignedLong(padded.getInt()));
    }
    position
        .next()
        .forEach((partition, offset) -> {
          long low = OFFSETS + 2 * ordinal(partition);
          put(words, low, offset & 0xffff_ffffL);
          put(words, low + 1, offset >>> 32);
        });
    return words;
  }

  /**
   * The position in those words, or empty where none was written, or not all of it. Other keys do
   * not matter.
   */
  public static Optional<Position> decode(Map<Long, Long> words) {
    var length = words.get(LENGTH);
    if (length == null || length > 4 * TEXT_WORDS) {
      return Optional.empty();
    }
    var text = ByteBuffer.allocate(4 * TEXT_WORDS);
    for (int i = 0; i < (length + 3) / 4; i++) {
      var word = words.get(TEXT + i);
      if (word == null) {
        return Optional.empty();
      }
      text.putInt(word.intValue());
    }
    var next = new TreeMap<LogPartition, Long>();
    words.forEach((key, word) -> {
      if (key >= OFFSETS) {
        long half = key - OFFSETS;
        next.merge(partition(half / 2), half % 2 == 0 ? word : word << 32, (a, b) -> a | b);
      }
    });
    return LogIdentity.parse(new String(text.array(), 0, length.intValue(), StandardCharsets.UTF_8))
        .map(log -> new Position(log, next));
  }

  /** Whether a key belongs to the position itself. */
  public static boolean isPosition(long key) {
    return key == LENGTH || (key >= TEXT && key < TEXT + TEXT_WORDS) || key >= OFFSETS;
  }

  private static void put(Map<Long, Long> words, long key, long word) {
    if (word != 0) {
      words.put(key, word);
    }
  }

  private static long ordinal(LogPartition partition) {
    return switch (partition.topic()) {
      case SERVICES -> 0;
      case PODS -> partition.index() + 1L;
    };
  }

  private static LogPartition partition(long ordinal) {
    return ordinal == 0 ? LogPartition.SERVICES : new LogPartition(Topic.PODS, (int) (ordinal - 1));
  }
}
