package io.fairlead.endpoints;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.fairlead.api.EntryCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.v1.Ack;
import io.fairlead.v1.AgentMessage;
import io.fairlead.v1.Answer;
import io.fairlead.v1.Begin;
import io.fairlead.v1.Chunk;
import io.fairlead.v1.End;
import io.fairlead.v1.Hello;
import io.fairlead.v1.Move;
import io.fairlead.v1.Node;
import io.fairlead.v1.NodeAgentsGrpc;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Question;
import io.fairlead.v1.ReadinessReports;
import io.fairlead.v1.ReplicaMessage;
import io.fairlead.v1.SourceResult;
import io.fairlead.v1.SourceState;
import io.fairlead.v1.Welcome;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * An agent without a kernel: keeps what it is told as the protocol says, checks the rules of the
 * protocol, and acknowledges, unless told not to.
 */
final class TestAgent
    implements ClientResponseObserver<AgentMessage, ReplicaMessage>, AutoCloseable {
  /** A frame that came whole. */
  record Frame(boolean reset, int set, int removed, int chunks) {}

  /** Whether it answers. */
  enum Acks {
    AT_ONCE,
    NEVER,
    /** It takes two messages, and no more before {@link #takeAll}. */
    AT_ONCE_BUT_STUCK
  }

  private final String name;
  private final Acks acks;
  private volatile Map<EntryKey, Entry> entries;
  private volatile Optional<Position> position;
  private volatile Optional<Welcome> welcome = Optional.empty();
  private volatile Optional<Status> end = Optional.empty();
  private volatile Optional<Throwable> error = Optional.empty();
  final List<Frame> frames = new CopyOnWriteArrayList<>();
  final List<Position> bookmarks = new CopyOnWriteArrayList<>();
  final List<SourceResult> results = new CopyOnWriteArrayList<>();
  final List<Integer> waiting = new CopyOnWriteArrayList<>();
  final List<Move> moves = new CopyOnWriteArrayList<>();

  /** When the first change of a frame was accepted, of those that say so. */
  final List<Instant> accepted = new CopyOnWriteArrayList<>();

  final List<Question> questions = new CopyOnWriteArrayList<>();

  /** What it does about questions; nothing, unless a test says so. */
  volatile Consumer<Question> onQuestion = _ -> {};

  final List<String> faults = new CopyOnWriteArrayList<>();
  private StreamObserver<AgentMessage> up = new Nowhere();

  private Optional<ClientCallStreamObserver<AgentMessage>> call = Optional.empty();

  private final Semaphore messages = new Semaphore(0);

  // Of the frame that is coming in.
  private volatile Optional<Long> open = Optional.empty();
  private boolean reset;
  private List<ByteString> set = new ArrayList<>();
  private List<String> removed = new ArrayList<>();
  private int chunks;
  private long lastFrame;

  private TestAgent(
      String name, Acks acks, Map<EntryKey, Entry> entries, Optional<Position> position) {
    this.name = name;
    this.acks = acks;
    this.entries = entries;
    this.position = position;
  }

  /** One that knows nothing. */
  static TestAgent connect(String name, Channel channel) {
    return connect(name, channel, Acks.AT_ONCE, hello -> hello);
  }

  static TestAgent connect(
      String name, Channel channel, Acks acks, UnaryOperator<Hello.Builder> change) {
    return new TestAgent(name, acks, new HashMap<>(), Optional.empty()).open(channel, change);
  }

  /** The same agent on another stream, with what it knows. */
  TestAgent reconnect(Channel channel) {
    return new TestAgent(name, acks, entries, position).open(channel, hello -> hello);
  }

  private TestAgent open(Channel channel, UnaryOperator<Hello.Builder> change) {
    up = NodeAgentsGrpc.newStub(channel).withWaitForReady().sync(this);
    var hello =
        Hello.newBuilder()
            .setProtocol(4)
            .setNode(
                Node.newBuilder()
                    .setMetadata(ObjectMeta.newBuilder().setName(name))
                    .setZone("zone-" + name)
                    .addAddresses("192.0.2.1")
                    .setAgentVersion("test"));
    position.ifPresent(p -> hello.setPosition(PositionCodec.proto(p)));
    send(AgentMessage.newBuilder().setHello(change.apply(hello)));
    return this;
  }

  private synchronized void send(AgentMessage.Builder message) {
    try {
      up.onNext(message.build());
    } catch (IllegalStateException _) {
      // the stream is over
    }
  }

  void report(ReadinessReports.Builder reports) {
    send(AgentMessage.newBuilder().setReadiness(reports));
  }

  void source(SourceState.Builder state) {
    send(AgentMessage.newBuilder().setSourceState(state));
  }

  void answer(Answer.Builder answer) {
    send(AgentMessage.newBuilder().setAnswer(answer));
  }

  void acknowledge(Ack.Builder ack) {
    send(AgentMessage.newBuilder().setAck(ack));
  }

  Map<EntryKey, Entry> entries() {
    return entries;
  }

  Optional<Position> position() {
    return position;
  }

  Optional<Welcome> welcome() {
    return welcome;
  }

  Optional<Status> end() {
    return end;
  }

  /** Whether the beginning of a frame came, but not its end. */
  boolean isWithinAFrame() {
    return open.isPresent();
  }

  /** It is not stuck any more. */
  void takeAll() {
    call.orElseThrow().request(Integer.MAX_VALUE);
  }

  /** Waits until a message was taken in since this was called last. */
  boolean awaitMessage(Duration limit) throws InterruptedException {
    boolean came = messages.tryAcquire(limit.toNanos(), TimeUnit.NANOSECONDS);
    messages.drainPermits();
    return came;
  }

  Optional<Throwable> error() {
    return error;
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<AgentMessage> stream) {
    call = Optional.of(stream);
    if (acks == Acks.AT_ONCE_BUT_STUCK) {
      stream.disableAutoRequestWithInitial(2);
    }
  }

  @Override
  public void onNext(ReplicaMessage message) {
    take(message);
    messages.release();
  }

  private void take(ReplicaMessage message) {
    switch (message.getMessageCase()) {
      case WELCOME -> welcome = Optional.of(message.getWelcome());
      case FRAME -> {
        check(spoken() >= 2, "a frame in one message, a word of protocol 2");
        begin(message.getFrame().getBegin());
        chunk(message.getFrame().getChunk());
        end(message.getFrame().getEnd());
      }
      case BEGIN -> begin(message.getBegin());
      case CHUNK -> chunk(message.getChunk());
      case END -> end(message.getEnd());
      case BOOKMARK -> {
        check(open.isEmpty(), "a bookmark within a frame");
        var end = moved(message.getBookmark());
        bookmarks.add(model(message.getBookmark()));
        position = Optional.of(end);
        answer(0);
      }
      case SOURCE_RESULT -> results.add(message.getSourceResult());
      case MOVE -> {
        check(spoken() >= 3, "that it should go, a word of protocol 3");
        moves.add(message.getMove());
      }
      case WAITING -> {
        check(spoken() >= 3, "that it waits, a word of protocol 3");
        waiting.add(message.getWaiting().getNodes());
      }
      case QUESTION -> {
        check(spoken() >= 4, "a question, a word of protocol 4");
        questions.add(message.getQuestion());
        onQuestion.accept(message.getQuestion());
      }
      case MESSAGE_NOT_SET -> check(false, "an empty message");
    }
  }

  private void begin(Begin begin) {
    check(open.isEmpty(), "a frame within a frame");
    open = Optional.of(begin.getFrame());
    reset = !begin.hasBase() && begin.getBaseFrame() == 0;
    if (begin.hasBase()) {
      check(
          PositionCodec.model(begin.getBase()).equals(position),
          "base " + begin.getBase().getOffsets() + " on " + position);
    }
    if (begin.getBaseFrame() > 0) {
      check(begin.getBaseFrame() == lastFrame, begin.getBaseFrame() + " after " + lastFrame);
      check(spoken() >= 2, "a word of protocol 2");
    }
    set = new ArrayList<>();
    removed = new ArrayList<>();
    chunks = 0;
  }

  private void chunk(Chunk chunk) {
    check(open.isPresent(), "a chunk outside a frame");
    chunks++;
    set.addAll(chunk.getSetList());
    removed.addAll(chunk.getRemovedList());
  }

  private void end(End whole) {
    check(open.equals(Optional.of(whole.getFrame())), "the end of another frame");
    open = Optional.empty();
    apply();
    var end = moved(whole.getPosition());
    frames.add(new Frame(reset, set.size(), removed.size(), chunks));
    lastFrame = whole.getFrame();
    if (whole.hasAccepted()) {
      accepted.add(Timestamps.model(whole.getAccepted()));
    }
    position = Optional.of(end); // last: whoever waits for it finds the frame
    answer(whole.getFrame());
  }

  private void apply() {
    var next = reset ? new HashMap<EntryKey, Entry>() : new HashMap<>(entries);
    removed.forEach(key -> next.remove(EntryKey.parse(key).orElseThrow()));
    for (var bytes : set) {
      try {
        var entry = EntryCodec.model(io.fairlead.v1.Entry.parseFrom(bytes));
        next.put(entry.key(), entry);
      } catch (InvalidProtocolBufferException e) {
        faults.add(e.toString());
      }
    }
    entries = next;
  }

  private Position moved(io.fairlead.v1.Position text) {
    var to = model(text);
    var next = reset && open.isEmpty() && frames.isEmpty() ? to : position.orElse(to);
    for (var component : to.next().entrySet()) {
      check(
          component.getValue() >= next.of(component.getKey()),
          "back from " + next + " to " + to.offsets());
      next = next.with(component.getKey(), component.getValue());
    }
    return next;
  }

  private int spoken() {
    return welcome.orElseThrow().getProtocol();
  }

  private Position model(io.fairlead.v1.Position text) {
    check(text.getLog().isEmpty() == (spoken() >= 2), "the log, in protocol " + spoken());
    var log = LogIdentity.parse(welcome.orElseThrow().getLog()).orElseThrow();
    return PositionCodec.model(text, log).orElseThrow();
  }

  private void answer(long frame) {
    if (acks != Acks.NEVER) {
      acknowledge(
          Ack.newBuilder()
              .setPosition(
                  spoken() >= 2
                      ? PositionCodec.brief(position.orElseThrow())
                      : PositionCodec.proto(position.orElseThrow()))
              .setFrame(frame));
    }
  }

  private void check(boolean right, String otherwise) {
    if (!right) {
      faults.add(otherwise);
    }
  }

  @Override
  public void onError(Throwable t) {
    error = Optional.of(t);
    end = Optional.of(Status.fromThrowable(t));
  }

  @Override
  public void onCompleted() {
    end = Optional.of(Status.OK);
  }

  /** As by SIGTERM. */
  void leave() {
    up.onCompleted();
  }

  /** As by kill -9. */
  @Override
  public void close() {
    if (end.isEmpty()) {
      up.onError(Status.CANCELLED.asRuntimeException());
    }
  }

  private static final class Nowhere implements StreamObserver<AgentMessage> {
    @Override
    public void onNext(AgentMessage value) {}

    @Override
    public void onError(Throwable t) {}

    @Override
    public void onCompleted() {}
  }
}
