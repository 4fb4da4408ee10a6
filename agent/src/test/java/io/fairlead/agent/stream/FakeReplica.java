package io.fairlead.agent.stream;

import com.google.protobuf.ByteString;
import io.fairlead.api.EntryCodec;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Timestamps;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.Ack;
import io.fairlead.v1.AgentMessage;
import io.fairlead.v1.Answer;
import io.fairlead.v1.Begin;
import io.fairlead.v1.Chunk;
import io.fairlead.v1.End;
import io.fairlead.v1.Frame;
import io.fairlead.v1.Hello;
import io.fairlead.v1.Move;
import io.fairlead.v1.NamespacedReadiness;
import io.fairlead.v1.NodeAgentsGrpc.NodeAgentsImplBase;
import io.fairlead.v1.Question;
import io.fairlead.v1.ReplicaMessage;
import io.fairlead.v1.SourceResult;
import io.fairlead.v1.SourceState;
import io.fairlead.v1.Welcome;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** The other end of the agents' streams, over TCP: says what a test makes it say. */
public final class FakeReplica implements AutoCloseable {
  public static final LogIdentity LOG = new LogIdentity("servicesTopic", "podsTopic");

  /** One call. */
  public static final class Stream implements StreamObserver<AgentMessage> {
    private final ServerCallStreamObserver<ReplicaMessage> out;
    private final Consumer<Stream> greeted;
    public final List<Ack> acks = new CopyOnWriteArrayList<>();
    public final List<NamespacedReadiness> readiness = new CopyOnWriteArrayList<>();
    public final List<SourceState> sources = new CopyOnWriteArrayList<>();
    public final List<Answer> answers = new CopyOnWriteArrayList<>();
    public volatile Optional<Hello> hello = Optional.empty();
    public volatile boolean over;

    /** It said that it goes. */
    public volatile boolean leftWithAWord;

    private Stream(ServerCallStreamObserver<ReplicaMessage> out, Consumer<Stream> greeted) {
      this.out = out;
      this.greeted = greeted;
      // The agent may leave at any word of ours: what is said after it is lost, not an error here.
      out.setOnCancelHandler(() -> over = true);
    }

    @Override
    public void onNext(AgentMessage message) {
      switch (message.getMessageCase()) {
        case HELLO -> {
          hello = Optional.of(message.getHello());
          greeted.accept(this);
        }
        case ACK -> acks.add(message.getAck());
        case READINESS -> readiness.addAll(message.getReadiness().getReportsList());
        case SOURCE_STATE -> sources.add(message.getSourceState());
        case ANSWER -> answers.add(message.getAnswer());
        case MESSAGE_NOT_SET -> throw new AssertionError("an empty message");
      }
    }

    @Override
    public void onError(Throwable t) {
      over = true;
    }

    @Override
    public void onCompleted() {
      leftWithAWord = true;
      if (!over) {
        over = true;
        out.onCompleted();
      }
    }

    public Stream welcome(long session) {
      return welcome(session, LOG);
    }

    public Stream welcome(long session, LogIdentity log) {
      return welcome(session, log, 1);
    }

    public Stream welcome(long session, LogIdentity log, int protocol) {
      send(
          ReplicaMessage.newBuilder()
              .setWelcome(
                  Welcome.newBuilder()
                      .setReplica("replica")
                      .setSession(session)
                      .setProtocol(protocol)
                      .setLog(log.toString())));
      return this;
    }

    public Stream welcome(long session, String replica) {
      return send(
          ReplicaMessage.newBuilder()
              .setWelcome(
                  Welcome.newBuilder()
                      .setReplica(replica)
                      .setSession(session)
                      .setProtocol(1)
                      .setLog(LOG.toString())));
    }

    public Stream move(String replica, String address) {
      return send(
          ReplicaMessage.newBuilder()
              .setMove(
                  Move.newBuilder()
                      .addTo(Move.Replica.newBuilder().setReplica(replica).setAddress(address))));
    }

    public Stream ask(Question.Builder question) {
      return send(ReplicaMessage.newBuilder().setQuestion(question));
    }

    public Stream waiting(int nodes) {
      return send(
          ReplicaMessage.newBuilder()
              .setWaiting(io.fairlead.v1.Waiting.newBuilder().setNodes(nodes)));
    }

    /** A delta of protocol 2 after another frame, in one message. */
    public Stream deltaAfter(
        long frame,
        long baseFrame,
        Position end,
        Collection<? extends Entry> set,
        Collection<? extends EntryKey> removed) {
      var chunk = Chunk.newBuilder();
      set.forEach(entry -> chunk.addSet(bytes(entry)));
      removed.forEach(key -> chunk.addRemoved(key.text()));
      return send(
          ReplicaMessage.newBuilder()
              .setFrame(
                  Frame.newBuilder()
                      .setBegin(Begin.newBuilder().setFrame(frame).setBaseFrame(baseFrame))
                      .setChunk(chunk)
                      .setEnd(
                          End.newBuilder().setFrame(frame).setPosition(PositionCodec.brief(end)))));
    }

    public Stream reset(long frame, Position end, Collection<? extends Entry> entries) {
      begin(frame, Optional.empty());
      chunk(entries, List.of());
      return end(frame, end);
    }

    public Stream delta(
        long frame,
        Position base,
        Position end,
        Collection<? extends Entry> set,
        Collection<? extends EntryKey> removed) {
      begin(frame, Optional.of(base));
      chunk(set, removed);
      return end(frame, end);
    }

    public Stream begin(long frame, Optional<Position> base) {
      var begin = Begin.newBuilder().setFrame(frame);
      base.ifPresent(position -> begin.setBase(PositionCodec.proto(position)));
      return send(ReplicaMessage.newBuilder().setBegin(begin));
    }

    public Stream chunk(Collection<? extends Entry> set, Collection<? extends EntryKey> removed) {
      var chunk = Chunk.newBuilder();
      set.forEach(entry -> chunk.addSet(bytes(entry)));
      removed.forEach(key -> chunk.addRemoved(key.text()));
      return send(ReplicaMessage.newBuilder().setChunk(chunk));
    }

    private static ByteString bytes(Entry entry) {
      return EntryCodec.proto(entry).toByteString();
    }

    public Stream end(long frame, Position position) {
      return send(
          ReplicaMessage.newBuilder()
              .setEnd(End.newBuilder().setFrame(frame).setPosition(PositionCodec.proto(position))));
    }

    /** With when the first of its changes was accepted. */
    public Stream end(long frame, Position position, Instant accepted) {
      return send(
          ReplicaMessage.newBuilder()
              .setEnd(
                  End.newBuilder()
                      .setFrame(frame)
                      .setPosition(PositionCodec.proto(position))
                      .setAccepted(Timestamps.proto(accepted))));
    }

    public Stream bookmark(Position position) {
      return send(ReplicaMessage.newBuilder().setBookmark(PositionCodec.proto(position)));
    }

    public Stream answer(SourceResult result) {
      return send(ReplicaMessage.newBuilder().setSourceResult(result));
    }

    public void fail(StatusRuntimeException e) {
      over = true;
      out.onError(e);
    }

    private Stream send(ReplicaMessage.Builder message) {
      out.onNext(message.build());
      return this;
    }

    /** Offsets of the last acknowledgement; "" where there is none. */
    public String acknowledged() {
      return acks.isEmpty() ? "" : acks.getLast().getPosition().getOffsets();
    }
  }

  /** Those that greeted, in that order: a call that was given up before its Hello is none. */
  public final List<Stream> streams = new CopyOnWriteArrayList<>();

  private final Server server;
  private final HostPort address;

  /** On the loopback. */
  public FakeReplica() {
    this("127.0.0.1");
  }

  public FakeReplica(String host) {
    try {
      server =
          NettyServerBuilder.forAddress(
                  new InetSocketAddress(InetAddress.ofLiteral(host), 0),
                  InsecureServerCredentials.create())
              .addService(
                  new NodeAgentsImplBase() {
                    @Override
                    public StreamObserver<AgentMessage> sync(StreamObserver<ReplicaMessage> out) {
                      return new Stream(
                          (ServerCallStreamObserver<ReplicaMessage>) out, streams::add);
                    }
                  })
              .build()
              .start();
      address = new HostPort(host, server.getPort());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  public HostPort address() {
    return address;
  }

  /** How many streams greeted. */
  public long greeted() {
    return streams.size();
  }

  public static Position at(String offsets) {
    return Position.parse(LOG, offsets).orElseThrow();
  }

  @Override
  public void close() {
    server.shutdownNow();
    try {
      server.awaitTermination();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
