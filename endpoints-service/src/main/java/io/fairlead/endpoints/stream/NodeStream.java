package io.fairlead.endpoints.stream;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.model.Acknowledgement.Manifests;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.Time;
import io.fairlead.v1.Ack;
import io.fairlead.v1.Answer;
import io.fairlead.v1.Begin;
import io.fairlead.v1.End;
import io.fairlead.v1.Frame;
import io.fairlead.v1.Move;
import io.fairlead.v1.Question;
import io.fairlead.v1.RefusedRule;
import io.fairlead.v1.ReplicaMessage;
import io.fairlead.v1.SourceResult;
import io.fairlead.v1.Waiting;
import io.fairlead.v1.Welcome;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One node's stream, downwards: waits for the barrier, then sends what the agent lacks, as fast as
 * the agent takes it, always the latest state. Its own virtual thread is the only writer of the
 * call; all else hands in and signals. Soft: an agent whose stream breaks opens another. What it
 * holds is bounded: a number in the content's journal, the frames that wait for an answer, results
 * of its sources.
 */
final class NodeStream implements NodeLeases.Holder {
  static final int OLDEST_PROTOCOL = 1;
  static final int NEWEST_PROTOCOL = 4;

  private static final Logger log = LoggerFactory.getLogger(NodeStream.class);
  private static final int MAX_RESULTS = 1000;

  /** Questions that an agent has at once; it refuses more. */
  private static final int MAX_QUESTIONS = 4;

  private static final Duration IDLE = Duration.ofSeconds(60);

  /** Who takes nothing of what is sent for that long keeps an old state in memory. */
  private static final Duration STALLED = Duration.ofSeconds(60);

  /**
   * A frame that the agent has not answered.
   *
   * @param offsets the position's, in text form
   */
  private record Sent(long frame, Position position, String offsets) {}

  /**
   * Who it is for: what its Hello and the opening of its session said.
   *
   * @param protocol the one that both speak
   */
  record Agent(String node, long session, Optional<Position> position, int protocol) {
    /** Whether positions need not name their log, nor deltas the whole position before them. */
    boolean takesBrief() {
      return protocol >= 2;
    }

    /** Whether it understands that it has to wait, or should go. */
    boolean understands3() {
      return protocol >= 3;
    }

    /** Whether it answers questions. */
    boolean answers() {
      return protocol >= 4;
    }
  }

  /**
   * What the agent said of its kernel last.
   *
   * @param position empty = nothing yet
   * @param error why it did not move; "" = it did
   * @param refused rules the kernel refuses
   * @param manifests what is refused of its manifests
   */
  record Acknowledged(
      Optional<Position> position, String error, List<RefusedRule> refused, Manifests manifests) {
    Acknowledged {
      refused = List.copyOf(refused);
    }
  }

  private static final Acknowledged NOTHING_YET =
      new Acknowledged(Optional.empty(), "", List.of(), Manifests.ALL_TAKEN);

  private final Agent agent;
  private final String replica;
  private final ServerCallStreamObserver<ReplicaMessage> out;
  private final Contents contents;
  private final EndOffsets endOffsets;
  private final ResetTurns turns;
  private final StreamSettings settings;
  private final StreamStats stats;
  private final FaultPoints points;
  private final Time time;
  private final Semaphore wake = new Semaphore(0);
  private final Runnable signal = this::wake;
  private final Queue<SourceResult> results = new ConcurrentLinkedQueue<>();

  /** To be sent: a word of each question that is open, or that the agent is to forget. */
  private final Queue<Question> words = new ConcurrentLinkedQueue<>();

  /** Guarded by the lock. */
  private final Map<Long, NodeQuestion> questions = new HashMap<>();

  private long lastQuestion;
  private volatile Optional<StatusRuntimeException> closing = Optional.empty();
  private volatile boolean gone;
  private volatile Optional<Move> move = Optional.empty();

  /** Guards what both sides write: the frames below, and why the stream ends. */
  private final ReentrantLock lock = new ReentrantLock();

  private final Deque<Sent> unanswered = new ArrayDeque<>();
  private volatile Acknowledged acknowledged = NOTHING_YET;

  // Of the writing thread alone.
  private long frames;
  private long number;
  private Position sent;
  private OptionalLong bookmarkNanos = OptionalLong.empty();

  NodeStream(
      Agent agent,
      String replica,
      ServerCallStreamObserver<ReplicaMessage> out,
      Contents contents,
      EndOffsets endOffsets,
      ResetTurns turns,
      StreamSettings settings,
      StreamStats stats,
      FaultPoints points,
      Time time) {
    this.agent = agent;
    this.replica = replica;
    this.out = out;
    this.contents = contents;
    this.endOffsets = endOffsets;
    this.turns = turns;
    this.settings = settings;
    this.stats = stats;
    this.points = points;
    this.time = time;
    this.sent = contents.current().position();
  }

  @Override
  public String node() {
    return agent.node();
  }

  @Override
  public long session() {
    return agent.session();
  }

  Acknowledged acknowledged() {
    return acknowledged;
  }

  // --- from other threads

  /** Look again: there may be something to send, or the agent takes more. */
  void wake() {
    wake.release();
  }

  /** Ends the stream; the first reason counts. */
  @Override
  public void close(StatusRuntimeException why) {
    lock.lock();
    try {
      if (closing.isEmpty()) {
        closing = Optional.of(why);
      }
    } finally {
      lock.unlock();
    }
    wake();
  }

  /** The agent went away. */
  void gone() {
    gone = true;
    wake();
  }

  @Override
  public boolean isOver() {
    return gone || closing.isPresent();
  }

  /** Whether the agent went, or its connection did, without a word. */
  @Override
  public boolean wasLeft() {
    return gone && closing.isEmpty();
  }

  /** Why this side ends the stream, where it does. */
  Optional<StatusRuntimeException> closing() {
    return closing;
  }

  /** Whether the agent understands that it should go, and has all it needs to go with it. */
  boolean canMove() {
    return agent.understands3() && acknowledged.position().isPresent() && !isOver();
  }

  /** Asks the agent to go to another replica. */
  void move(Move where) {
    move = Optional.of(where);
    wake();
  }

  void result(SourceResult result) {
    results.add(result);
    if (results.size() > MAX_RESULTS) {
      close(Errors.limitReached("results of sources that the agent does not take, " + MAX_RESULTS));
    }
    wake();
  }

  /**
   * Asks the agent something; the caller closes it.
   *
   * @param question without an id
   * @throws StatusRuntimeException AGENT_TOO_OLD; LIMIT_REACHED where it has many questions
   */
  NodeQuestion ask(Question.Builder question) {
    if (!agent.answers()) {
      throw Errors.agentTooOld(node(), agent.protocol());
    }
    NodeQuestion open;
    lock.lock();
    try {
      if (questions.size() >= MAX_QUESTIONS) {
        throw Errors.limitReached("questions to one node, " + MAX_QUESTIONS);
      }
      open = new NodeQuestion(this, ++lastQuestion);
      questions.put(open.id(), open);
    } finally {
      lock.unlock();
    }
    if (isOver()) {
      open.gone();
    }
    say(question.setId(open.id()).build());
    return open;
  }

  /** Hands a word on. */
  void say(Question word) {
    words.add(word);
    wake();
  }

  /** Nobody waits for that answer any more. */
  void answered(NodeQuestion question) {
    lock.lock();
    try {
      questions.remove(question.id());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Lets the agent forget a question. It is told nothing where the question is not sent yet: so
   * that what waits for an agent that takes nothing does not grow.
   */
  void drop(long question) {
    boolean waited = words.removeIf(word -> word.getId() == question && !word.hasNext());
    words.removeIf(word -> word.getId() == question);
    if (!waited) {
      say(
          Question.newBuilder()
              .setId(question)
              .setDropped(Question.Dropped.getDefaultInstance())
              .build());
    }
  }

  /** The agent answers; what nobody waits for is dropped. */
  void answer(Answer part) {
    lock.lock();
    try {
      Optional.ofNullable(questions.get(part.getQuestion())).ifPresent(open -> open.came(part));
    } finally {
      lock.unlock();
    }
  }

  private void answerNothing() {
    lock.lock();
    try {
      questions.values().forEach(NodeQuestion::gone);
    } finally {
      lock.unlock();
    }
  }

  /** What the agent acknowledges. A position it cannot have is refused by closing the stream. */
  void acknowledge(Ack ack) {
    var before = acknowledged;
    var position = before.position();
    if (ack.hasPosition()) {
      position = position(ack);
      if (position.isEmpty()) {
        close(
            io.grpc.Status.INVALID_ARGUMENT
                .withDescription("ack.position: not a position: " + ack.getPosition().getOffsets())
                .asRuntimeException());
        return;
      }
    }
    acknowledged =
        new Acknowledged(
            position,
            ack.getError(),
            ack.getRefusedList(),
            new Manifests(ack.getRefusedManifests(), ack.getManifestError()));
    if (!ack.getError().isEmpty() && !ack.getError().equals(before.error())) {
      stats.errors.increment();
      log.atWarn()
          .addKeyValue("node", agent.node())
          .addKeyValue("error", ack.getError())
          .log("Node could not apply");
    }
    var covered = position;
    boolean waited;
    lock.lock();
    try {
      waited = unanswered.size() >= settings.unacknowledged();
      unanswered.removeIf(frame ->
          frame.frame() <= ack.getFrame()
              || covered.filter(p -> p.covers(frame.position())).isPresent());
    } finally {
      lock.unlock();
    }
    if (waited) {
      wake();
    }
  }

  /** Nearly always that of the frame it answers, which is known, and the same object for all. */
  private Optional<Position> position(Ack ack) {
    var text = ack.getPosition();
    lock.lock();
    try {
      for (var frame : unanswered) {
        if (frame.frame() == ack.getFrame()
            && text.getLog().isEmpty()
            && text.getOffsets().equals(frame.offsets())) {
          return Optional.of(frame.position());
        }
      }
    } finally {
      lock.unlock();
    }
    return PositionCodec.model(text, contents.current().position().log());
  }

  // --- the writing thread

  /** Serves until the agent goes or the stream is closed. Called once, on a thread of its own. */
  void run() {
    contents.listen(signal);
    try {
      send(
          ReplicaMessage.newBuilder()
              .setWelcome(
                  Welcome.newBuilder()
                      .setReplica(replica)
                      .setSession(agent.session())
                      .setProtocol(agent.protocol())
                      .setLog(sent.log().toString())));
      if (awaitBarrier()) {
        points.reached(FaultPoint.STREAM_CAUGHT_UP);
        first();
        points.reached(FaultPoint.STREAM_FIRST_SENT);
        while (await(this::hasWork)) {
          step();
        }
      }
    } catch (StatusRuntimeException e) { // of the call: the agent is gone
      gone = true;
    } catch (RuntimeException e) {
      close(Errors.of(e));
    } catch (InterruptedException _) {
      close(Errors.shuttingDown());
      Thread.currentThread().interrupt();
    } finally {
      contents.unlisten(signal);
      answerNothing();
      end();
    }
  }

  private void end() {
    if (gone) {
      return;
    }
    try {
      out.onError(closing.orElseGet(Errors::shuttingDown));
    } catch (RuntimeException e) {
      log.atDebug().setCause(e).addKeyValue("node", agent.node()).log("Stream was over already");
    }
  }

  /**
   * Nothing is sent before this replica knows everything that was in the log when the agent came,
   * and everything the agent knows: so no agent goes back, whichever replica it comes to.
   */
  private boolean awaitBarrier() throws InterruptedException {
    var ends = endOffsets.now();
    long deadlineNanos = time.nanoTime() + settings.barrierTimeout().toNanos();
    Supplier<Boolean> reached =
        () -> {
          var here = contents.current().position();
          return here.coversOffsets(ends)
              && here.coversOffsets(agent.position().map(Position::next).orElse(new TreeMap<>()));
        };
    while (!reached.get()) {
      long leftNanos = deadlineNanos - time.nanoTime();
      if (leftNanos <= 0) {
        close(
            Errors.notSynced(
                "this replica is at "
                    + contents.current().position().offsets()
                    + ", the agent at "
                    + agent.position().map(Position::offsets).orElse("the start")
                    + ", the log at "
                    + ends));
      }
      if (isOver()) {
        return false;
      }
      wake.tryAcquire(leftNanos, TimeUnit.NANOSECONDS);
      wake.drainPermits();
    }
    return !isOver();
  }

  /** The difference to what the agent has, or everything. */
  private void first() throws InterruptedException {
    var content = contents.current();
    var back =
        agent
            .position()
            .map(had -> content.back(had, agent.node()))
            .orElseGet(() -> new Content.Back.Everything(Content.Why.NO_POSITION));
    switch (back) {
      case Content.Back.Difference(var lacking) -> {
        stats.first(lacking.items().isEmpty() ? FirstFrame.NOTHING : FirstFrame.DIFFERENCE);
        sent = agent.position().orElse(sent);
        delta(content, lacking, Optional.empty()); // of what it missed nobody waits any more
      }
      case Content.Back.Everything(var why) -> {
        stats.first(FirstFrame.everything(why));
        reset();
      }
    }
  }

  private boolean hasWork() {
    if (!results.isEmpty() || !words.isEmpty() || move.isPresent()) {
      return true;
    }
    var content = contents.current();
    return content.number() != number
        ? mayFrame()
        : !content.position().equals(sent) && bookmarkDueInNanos() <= 0;
  }

  private boolean mayFrame() {
    lock.lock();
    try {
      return unanswered.size() < settings.unacknowledged();
    } finally {
      lock.unlock();
    }
  }

  private long bookmarkDueInNanos() {
    return bookmarkNanos.isEmpty()
        ? 0
        : bookmarkNanos.getAsLong() + settings.bookmarkInterval().toNanos() - time.nanoTime();
  }

  private void step() throws InterruptedException {
    sendWords();
    var where = move;
    if (where.isPresent()) {
      move = Optional.empty();
      send(ReplicaMessage.newBuilder().setMove(where.get()));
      points.reached(FaultPoint.MOVE_ASKED);
    }
    var content = contents.current();
    if (content.number() != number && mayFrame()) {
      var lacking = content.since(number, agent.node());
      if (lacking.isEmpty()) {
        stats.overruns.increment();
        reset();
        content = contents.current();
      } else if (!lacking.get().items().isEmpty()) {
        delta(content, lacking.get(), content.accepted(number));
      } else {
        number = content.number(); // none of it concerned this node
      }
    }
    if (content.number() == number
        && !content.position().equals(sent)
        && bookmarkDueInNanos() <= 0) {
      bookmark(content);
    }
  }

  private void sendWords() {
    for (var result = results.poll(); result != null; result = results.poll()) {
      send(ReplicaMessage.newBuilder().setSourceResult(result));
    }
    for (var word = words.poll(); word != null; word = words.poll()) {
      send(ReplicaMessage.newBuilder().setQuestion(word));
    }
  }

  private void bookmark(Content content) {
    send(ReplicaMessage.newBuilder().setBookmark(moved(content)));
    sent = content.position();
    bookmarkNanos = OptionalLong.of(time.nanoTime());
    stats.bookmarks.increment();
  }

  /** Everything, when its turn has come: what there is then, not what there was before. */
  private void reset() throws InterruptedException {
    try (var turn = turns.queue(signal)) {
      if (awaitTurn(turn)) {
        stats.resets.increment();
        var content = contents.current();
        var items = content.whole(agent.node());
        frame(
            content,
            Optional.empty(),
            agent.takesBrief()
                ? PositionCodec.brief(content.position())
                : PositionCodec.proto(content.position()),
            Optional.empty(),
            Lacking.next(items, settings.chunkBytes()),
            items,
            () -> awaitRoom(turn));
      }
    }
  }

  private void delta(Content content, Lacking lacking, Optional<Instant> accepted)
      throws InterruptedException {
    stats.deltas.increment();
    var only = lacking.only(settings.chunkBytes());
    var rest =
        only.isPresent() ? Collections.<Content.Item>emptyIterator() : lacking.items().iterator();
    frame(
        content,
        Optional.of(sent),
        moved(content),
        accepted,
        only.orElseGet(() -> Lacking.next(rest, settings.chunkBytes())),
        rest,
        () -> await(() -> true));
  }

  /** False = the stream is over. */
  private boolean awaitTurn(ResetTurns.Turn turn) throws InterruptedException {
    long dueNanos = time.nanoTime();
    while (!isOver() && !turn.hasCome()) {
      if (out.isReady()) {
        sendWords();
        if (agent.understands3() && time.nanoTime() - dueNanos >= 0) {
          send(
              ReplicaMessage.newBuilder()
                  .setWaiting(Waiting.newBuilder().setNodes(turns.waiting())));
          dueNanos = time.nanoTime() + settings.waitingInterval().toNanos();
        }
      }
      wake.tryAcquire(settings.waitingInterval().toNanos(), TimeUnit.NANOSECONDS);
      wake.drainPermits();
    }
    return !isOver();
  }

  /**
   * Until the agent takes more. Who takes nothing, or little, does not keep its place: it is the
   * next one's, and this one queues again for the rest as soon as it takes something.
   */
  private boolean awaitRoom(ResetTurns.Turn turn) throws InterruptedException {
    long stalledNanos = time.nanoTime();
    while (!isOver()) {
      boolean ready = out.isReady();
      long leftNanos = turn.sinceNanos() + settings.resetTurn().toNanos() - time.nanoTime();
      if (turn.hasCome() && leftNanos <= 0 && turns.waiting() > 0) {
        stats.resetsInterrupted.increment();
        turn.leave();
      }
      if (ready) {
        turn.queue();
        if (!awaitTurn(turn)) {
          return false;
        }
        if (out.isReady()) {
          return true;
        }
        stalledNanos = time.nanoTime(); // it took something, and then waited for its turn
        continue;
      }
      if (time.nanoTime() - stalledNanos >= STALLED.toNanos()) {
        close(
            Errors.limitReached(
                "time in which the agent takes nothing of a frame, " + STALLED.toSeconds() + " s"));
        return false;
      }
      long waitNanos = turn.hasCome() && leftNanos > 0 ? leftNanos : STALLED.toNanos();
      wake.tryAcquire(Math.min(waitNanos, STALLED.toNanos()), TimeUnit.NANOSECONDS);
      wake.drainPermits();
    }
    return false;
  }

  /** Waits until the next message of a frame may be sent; false = the stream is over. */
  @FunctionalInterface
  private interface Room {
    boolean await() throws InterruptedException;
  }

  /** The components of the content's position that differ from what was sent before. */
  private io.fairlead.v1.Position moved(Content content) {
    return agent.takesBrief()
        ? content.movedFrom(sent)
        : PositionCodec.proto(content.position().since(sent));
  }

  /**
   * Sends a frame.
   *
   * @param accepted when the first change in it was; empty where it is no change
   * @param first what is in it, as far as one message carries it
   * @param rest what more is in it
   */
  private void frame(
      Content content,
      Optional<Position> base,
      io.fairlead.v1.Position end,
      Optional<Instant> accepted,
      Lacking.Part first,
      Iterator<Content.Item> rest,
      Room room)
      throws InterruptedException {
    long frame = ++frames;
    lock.lock();
    try {
      unanswered.add(new Sent(frame, content.position(), content.offsets()));
    } finally {
      lock.unlock();
    }
    var begin = Begin.newBuilder().setFrame(frame);
    base.ifPresent(position -> {
      if (agent.takesBrief() && frame > 1) {
        begin.setBaseFrame(frame - 1);
      } else {
        begin.setBase(PositionCodec.proto(position));
      }
    });
    var finish = End.newBuilder().setFrame(frame).setPosition(end);
    accepted.map(Timestamps::proto).ifPresent(finish::setAccepted);
    if (agent.takesBrief() && !rest.hasNext()) {
      if (!room.await()) {
        return;
      }
      count(first);
      send(
          ReplicaMessage.newBuilder()
              .setFrame(Frame.newBuilder().setBegin(begin).setChunk(first.chunk()).setEnd(finish)));
    } else {
      send(ReplicaMessage.newBuilder().setBegin(begin));
      for (var part = first; !part.isEmpty(); part = Lacking.next(rest, settings.chunkBytes())) {
        if (!room.await()) {
          return; // the agent never sees the end of the frame, so nothing of it counts
        }
        count(part);
        send(ReplicaMessage.newBuilder().setChunk(part.chunk()));
        points.reached(FaultPoint.STREAM_PART_SENT);
      }
      send(ReplicaMessage.newBuilder().setEnd(finish));
    }
    number = content.number();
    sent = content.position();
    bookmarkNanos = OptionalLong.of(time.nanoTime());
  }

  private void count(Lacking.Part part) {
    stats.chunks.increment();
    stats.sentBytes.add(part.bytes());
  }

  private void send(ReplicaMessage.Builder message) {
    out.onNext(message.build());
  }

  /** Waits until the agent takes more and there is something to do; false = the stream is over. */
  private boolean await(Supplier<Boolean> work) throws InterruptedException {
    while (!isOver()) {
      if (out.isReady() && work.get()) {
        return true;
      }
      long idleNanos = IDLE.toNanos();
      long dueNanos = bookmarkDueInNanos();
      wake.tryAcquire(
          dueNanos > 0 ? Math.min(dueNanos, idleNanos) : idleNanos, TimeUnit.NANOSECONDS);
      wake.drainPermits();
    }
    return false;
  }
}
