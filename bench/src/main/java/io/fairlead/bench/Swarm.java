package io.fairlead.bench;

import io.fairlead.api.PositionCodec;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.runtime.GrpcChannels;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.Ack;
import io.fairlead.v1.AgentMessage;
import io.fairlead.v1.Begin;
import io.fairlead.v1.End;
import io.fairlead.v1.Hello;
import io.fairlead.v1.Node;
import io.fairlead.v1.NodeAgentsGrpc;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.ReplicaMessage;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * Agents without a kernel: each has a connection and a stream of its own, greets with a position,
 * and acknowledges each frame with where it stands, as real ones do.
 */
final class Swarm implements AutoCloseable {
  /** How many may be opening their stream at a time. */
  private static final int OPENING = 64;

  private static final int MIN_WINDOW = 1;

  private final HostPort replica;
  private final LogPartition watched;
  private final List<Agent> agents = new ArrayList<>();
  private final Semaphore opening = new Semaphore(OPENING);
  private final LongAdder received = new LongAdder();
  private final LongAdder sent = new LongAdder();
  private final LongAdder frames = new LongAdder();
  private volatile Optional<Throwable> broken = Optional.empty();

  /**
   * Nobody yet.
   *
   * @param watched of which partition arrivals are noted
   */
  Swarm(HostPort replica, LogPartition watched) {
    this.replica = replica;
    this.watched = watched;
  }

  /**
   * Opens streams of {@code node-FROM} to {@code node-(TO - 1)}; returns when all were welcomed.
   *
   * @param position what they claim to have; empty = nothing
   */
  void open(int from, int to, Optional<Position> position) throws InterruptedException {
    for (int i = from; i < to; i++) {
      if (!opening.tryAcquire(1, TimeUnit.MINUTES)) {
        throw new IllegalStateException("a stream is not welcomed", broken.orElse(null));
      }
      agents.add(new Agent("node-" + i, position));
    }
    if (!opening.tryAcquire(OPENING, 2, TimeUnit.MINUTES)) {
      throw new IllegalStateException("not all streams are welcomed", broken.orElse(null));
    }
    opening.release(OPENING);
  }

  List<Agent> agents() {
    return agents;
  }

  /** Bytes of messages that came, and that went; without those of the protocols below. */
  long receivedBytes() {
    return received.sum();
  }

  long sentBytes() {
    return sent.sum();
  }

  long frames() {
    return frames.sum();
  }

  /** The first stream that ended, where one did. */
  Optional<Throwable> broken() {
    return broken;
  }

  /** One stream. Its callbacks are gRPC's, one at a time. */
  final class Agent implements ClientResponseObserver<AgentMessage, ReplicaMessage> {
    private final ManagedChannel channel;
    private ClientCallStreamObserver<AgentMessage> out = new Nowhere();
    private final Map<LogPartition, Long> next = new TreeMap<>();
    private Optional<Position> position;
    private Optional<LogIdentity> log = Optional.empty();
    private long frameBytes;
    private volatile long session;
    private volatile boolean stopped;
    private volatile long offset;
    private volatile long frameNanos;
    private volatile long wholeBytes;

    private Agent(String name, Optional<Position> position) {
      this.position = position;
      position.ifPresent(has -> next.putAll(has.next()));
      this.offset = position.map(has -> has.of(watched)).orElse(0L);
      this.channel = GrpcChannels.of(List.of(replica), GrpcChannels.Spread.FIRST);
      NodeAgentsGrpc.newStub(channel).withExecutor(Runnable::run).sync(this);
      var hello =
          Hello.newBuilder()
              .setProtocol(2)
              .setInstance(name)
              .setNode(
                  Node.newBuilder()
                      .setMetadata(ObjectMeta.newBuilder().setName(name))
                      .addAddresses("192.0.2.1")
                      .setAgentVersion("bench"));
      position.ifPresent(has -> hello.setPosition(PositionCodec.proto(has)));
      send(AgentMessage.newBuilder().setHello(hello).build());
    }

    private void send(AgentMessage message) {
      sent.add(message.getSerializedSize());
      out.onNext(message);
    }

    /** Offset in the watched partition up to which it has everything. */
    long offset() {
      return offset;
    }

    /** When its last frame was whole. */
    long frameNanos() {
      return frameNanos;
    }

    /** Of the frame that set everything; 0 = there was none yet. */
    long wholeBytes() {
      return wholeBytes;
    }

    long session() {
      return session;
    }

    /** Takes nothing any more, as a process that was stopped. */
    void stop() {
      stopped = true;
    }

    boolean isStopped() {
      return stopped;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<AgentMessage> call) {
      out = call;
      call.disableAutoRequestWithInitial(MIN_WINDOW);
    }

    @Override
    public void onNext(ReplicaMessage message) {
      int bytes = message.getSerializedSize();
      received.add(bytes);
      frameBytes += bytes;
      switch (message.getMessageCase()) {
        case WELCOME -> {
          session = message.getWelcome().getSession();
          log = LogIdentity.parse(message.getWelcome().getLog());
          opening.release();
        }
        case FRAME -> {
          frameBytes = bytes;
          begin(message.getFrame().getBegin());
          end(message.getFrame().getEnd());
        }
        case BEGIN -> {
          frameBytes = bytes;
          begin(message.getBegin());
        }
        case END -> end(message.getEnd());
        case BOOKMARK -> {
          moved(message.getBookmark());
          acknowledge(0);
        }
        case CHUNK, SOURCE_RESULT, WAITING, MOVE, QUESTION, MESSAGE_NOT_SET -> {}
      }
      if (!stopped) {
        out.request(1);
      }
    }

    private void begin(Begin begin) {
      if (!begin.hasBase() && begin.getBaseFrame() == 0) {
        next.clear();
      }
    }

    private void end(End end) {
      moved(end.getPosition());
      frameNanos = System.nanoTime();
      if (wholeBytes == 0) {
        wholeBytes = frameBytes;
      }
      frames.increment();
      acknowledge(end.getFrame());
    }

    private void moved(io.fairlead.v1.Position changed) {
      var to = PositionCodec.model(changed, log.orElseThrow()).orElseThrow();
      next.putAll(to.next());
      position = Optional.of(new Position(to.log(), new TreeMap<>(next)));
      offset = position.get().of(watched);
    }

    private void acknowledge(long frame) {
      var ack = Ack.newBuilder().setFrame(frame);
      position.ifPresent(has -> ack.setPosition(PositionCodec.brief(has)));
      send(AgentMessage.newBuilder().setAck(ack).build());
    }

    @Override
    public void onError(Throwable t) {
      if (broken.isEmpty()) { // of several at once any
        broken = Optional.of(t);
      }
    }

    @Override
    public void onCompleted() {
      onError(new IllegalStateException("the replica ended a stream"));
    }
  }

  /** What a stream writes to before its call exists. */
  private static final class Nowhere extends ClientCallStreamObserver<AgentMessage> {
    @Override
    public void cancel(String message, Throwable cause) {}

    @Override
    public boolean isReady() {
      return false;
    }

    @Override
    public void setOnReadyHandler(Runnable handler) {}

    @Override
    public void request(int count) {}

    @Override
    public void setMessageCompression(boolean enable) {}

    @Override
    public void disableAutoInboundFlowControl() {}

    @Override
    public void onNext(AgentMessage value) {
      throw new IllegalStateException("the call has not begun");
    }

    @Override
    public void onError(Throwable t) {}

    @Override
    public void onCompleted() {}
  }

  @Override
  public void close() {
    agents.forEach(agent -> agent.channel.shutdownNow());
    agents.forEach(agent -> GrpcChannels.close(agent.channel, Duration.ZERO));
  }
}
