package io.fairlead.agent.stream;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.fairlead.api.EntryCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.v1.Begin;
import io.fairlead.v1.Chunk;
import io.fairlead.v1.End;
import io.fairlead.v1.Question;
import io.fairlead.v1.ReplicaMessage;
import io.fairlead.v1.Welcome;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Puts one stream's messages together to whole frames, and refuses what must not be applied: a
 * frame on a base the image does not have, another log, a step back. One for each stream; owned by
 * the loop. Holds at most one unfinished frame, which dies with the stream.
 */
final class Frames {
  static final int OLDEST_PROTOCOL = 1;
  static final int NEWEST_PROTOCOL = 4;

  /** Whether the position of another log may be taken. */
  enum OtherLog {
    REFUSED,
    ADOPTED
  }

  /** What a message led to. */
  sealed interface Step {}

  /** Nothing yet. */
  enum Pending implements Step {
    PENDING
  }

  /**
   * The replica would have the agent go to one of these, the best first.
   *
   * @param to names of replicas, and where other replicas reach them
   */
  record Asked(List<Target> to) implements Step {
    Asked {
      to = List.copyOf(to);
    }
  }

  record Target(String replica, String address) {}

  /** The replica asks something of this node, or goes on with that. */
  record Asks(Question question) implements Step {}

  /**
   * Others are sent everything before this node.
   *
   * @param nodes how many wait, this one too
   */
  record Queued(int nodes) implements Step {}

  record Welcomed(String replica, long session, int protocol) implements Step {}

  /**
   * A whole frame.
   *
   * @param reset what it does not set is gone
   * @param set entries with their serialized form, as it came
   * @param position where the image stands after it, all components
   * @param accepted when the first of its changes was; empty where that is not known
   */
  record Frame(
      long number,
      boolean reset,
      Map<EntryKey, Received> set,
      List<EntryKey> removed,
      Position position,
      Optional<Instant> accepted)
      implements Step {}

  /** Nothing of this node changed up to there; all components. */
  record Moved(Position position) implements Step {}

  /**
   * The stream cannot be used any more.
   *
   * @param remedy what the next stream must do
   */
  record Broken(String words, Remedy remedy) implements Step {}

  enum Remedy {
    ASK_AGAIN,
    /** Without a position, so that everything is sent. */
    ASK_FOR_ALL
  }

  record Received(Entry entry, ByteString bytes) {}

  private final OtherLog otherLog;

  /** No frame may go back behind it: what disk and kernel hold. */
  private final List<Position> floors;

  private Optional<Position> position;
  private Optional<LogIdentity> log = Optional.empty();
  private Optional<Building> building = Optional.empty();

  /** The last one that came whole; 0 = none yet. */
  private long lastFrame;

  private static final class Building {
    final long number;
    final boolean reset;
    final Map<EntryKey, Received> set = new LinkedHashMap<>();
    final List<EntryKey> removed = new ArrayList<>();

    Building(long number, boolean reset) {
      this.number = number;
      this.reset = reset;
    }
  }

  /**
   * @param asked what Hello named: the image's position
   * @param floors no frame may go back behind these
   */
  Frames(Optional<Position> asked, List<Position> floors, OtherLog otherLog) {
    this.position = asked;
    this.floors = List.copyOf(floors);
    this.otherLog = otherLog;
  }

  Step next(ReplicaMessage message) {
    return switch (message.getMessageCase()) {
      case WELCOME -> welcome(message.getWelcome());
      case BEGIN -> begin(message.getBegin());
      case CHUNK -> chunk(message.getChunk());
      case END -> end(message.getEnd());
      case BOOKMARK -> bookmark(message.getBookmark());
      case FRAME -> whole(message.getFrame());
      case SOURCE_RESULT -> Pending.PENDING;
      case MOVE ->
          new Asked(
              message.getMove().getToList().stream()
                  .map(to -> new Target(to.getReplica(), to.getAddress()))
                  .toList());
      case QUESTION -> new Asks(message.getQuestion());
      case WAITING -> new Queued(message.getWaiting().getNodes());
      case MESSAGE_NOT_SET -> broken("a message this agent does not know; it may be too old");
    };
  }

  private Step welcome(Welcome welcome) {
    if (log.isPresent()) {
      return broken("a second Welcome");
    }
    if (welcome.getProtocol() < OLDEST_PROTOCOL || welcome.getProtocol() > NEWEST_PROTOCOL) {
      return broken(
          "protocol %d, this agent speaks %d to %d"
              .formatted(welcome.getProtocol(), OLDEST_PROTOCOL, NEWEST_PROTOCOL));
    }
    log = LogIdentity.parse(welcome.getLog());
    if (log.isEmpty()) {
      return broken("Welcome names no log: \"" + welcome.getLog() + "\"");
    }
    if (otherLog == OtherLog.REFUSED) {
      for (var floor : floors) {
        if (!floor.log().equals(log.get())) {
          return broken(foreign(log.get(), floor.log()));
        }
      }
    }
    return new Welcomed(welcome.getReplica(), welcome.getSession(), welcome.getProtocol());
  }

  static String foreign(LogIdentity theirs, LogIdentity ours) {
    return "the control plane has log "
        + theirs
        + ", this node's rules are of log "
        + ours
        + "; --adopt-log takes the other one";
  }

  private Step whole(io.fairlead.v1.Frame frame) {
    if (!frame.hasBegin() || !frame.hasEnd()) { // which would be taken for a reset to nothing
      return broken("a frame without begin or end");
    }
    var begun = begin(frame.getBegin());
    if (begun != Pending.PENDING) {
      return begun;
    }
    var taken = chunk(frame.getChunk());
    return taken == Pending.PENDING ? end(frame.getEnd()) : taken;
  }

  private Step begin(Begin begin) {
    if (log.isEmpty()) {
      return broken("a frame before Welcome");
    }
    if (building.isPresent()) {
      return broken("a frame within frame " + building.get().number);
    }
    if (begin.hasBase()) {
      var base = PositionCodec.model(begin.getBase(), log.get());
      if (base.isEmpty() || !base.equals(position)) {
        return new Broken(
            "frame "
                + begin.getFrame()
                + " builds on "
                + begin.getBase().getOffsets()
                + ", the image is at "
                + position.map(Position::offsets).orElse("nothing"),
            Remedy.ASK_FOR_ALL);
      }
    }
    boolean builds = begin.getBaseFrame() > 0;
    if (builds && begin.getBaseFrame() != lastFrame) {
      return new Broken(
          "frame %d builds on frame %d, the last one here is %d"
              .formatted(begin.getFrame(), begin.getBaseFrame(), lastFrame),
          Remedy.ASK_FOR_ALL);
    }
    building = Optional.of(new Building(begin.getFrame(), !begin.hasBase() && !builds));
    return Pending.PENDING;
  }

  private Step chunk(Chunk chunk) {
    if (building.isEmpty()) {
      return broken("entries outside of a frame");
    }
    var frame = building.get();
    try {
      for (var bytes : chunk.getSetList()) {
        var entry = EntryCodec.model(io.fairlead.v1.Entry.parseFrom(bytes));
        frame.set.put(entry.key(), new Received(entry, bytes));
      }
    } catch (InvalidProtocolBufferException | RuntimeException e) { // whatever they may send
      return broken("an entry cannot be read, this agent may be too old: " + e.getMessage());
    }
    for (var text : chunk.getRemovedList()) {
      var key = EntryKey.parse(text);
      if (key.isEmpty()) {
        return broken("a key cannot be read, this agent may be too old: " + text);
      }
      frame.removed.add(key.get());
    }
    return Pending.PENDING;
  }

  private Step end(End end) {
    if (building.isEmpty() || building.get().number != end.getFrame()) {
      return broken("the end of frame " + end.getFrame() + ", which was not begun");
    }
    var frame = building.get();
    building = Optional.empty();
    var named = named(end.getPosition());
    if (named.isEmpty()) {
      return broken("not a position of this log: " + end.getPosition());
    }
    var next = frame.reset ? named.get() : merged(position.orElse(named.get()), named.get());
    var back = stepBack(next);
    if (back.isPresent()) {
      return broken(back.get());
    }
    position = Optional.of(next);
    lastFrame = frame.number;
    var accepted =
        end.hasAccepted()
            ? Optional.of(Timestamps.model(end.getAccepted()))
            : Optional.<Instant>empty();
    return new Frame(frame.number, frame.reset, frame.set, frame.removed, next, accepted);
  }

  private Step bookmark(io.fairlead.v1.Position proto) {
    var named = named(proto);
    if (named.isEmpty() || building.isPresent()) {
      return broken("a bookmark that cannot be used: " + proto);
    }
    if (position.filter(p -> p.log().equals(named.get().log())).isEmpty()) {
      return broken("a bookmark before the first frame");
    }
    var next = merged(position.get(), named.get());
    var back = stepBack(next);
    if (back.isPresent()) {
      return broken(back.get());
    }
    position = Optional.of(next);
    return new Moved(next);
  }

  private Optional<Position> named(io.fairlead.v1.Position proto) {
    return log.flatMap(
        agreed -> PositionCodec.model(proto, agreed).filter(p -> p.log().equals(agreed)));
  }

  private static Position merged(Position base, Position changed) {
    var next = new TreeMap<LogPartition, Long>(base.next());
    next.putAll(changed.next());
    return new Position(base.log(), next);
  }

  private Optional<String> stepBack(Position next) {
    var all = new ArrayList<>(floors);
    position.ifPresent(all::add);
    for (var floor : all) {
      if (floor.log().equals(next.log()) && !next.covers(floor)) {
        return Optional.of("it would go back from " + floor.offsets() + " to " + next.offsets());
      }
    }
    return Optional.empty();
  }

  private static Broken broken(String words) {
    return new Broken(words, Remedy.ASK_AGAIN);
  }
}
