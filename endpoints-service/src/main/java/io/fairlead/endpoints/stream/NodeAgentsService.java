package io.fairlead.endpoints.stream;

import io.fairlead.api.Errors;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.Time;
import io.fairlead.endpoints.acks.Acks;
import io.fairlead.v1.AgentMessage;
import io.fairlead.v1.Hello;
import io.fairlead.v1.NodeAgentsGrpc.NodeAgentsImplBase;
import io.fairlead.v1.OpenNodeRequest;
import io.fairlead.v1.ReplicaMessage;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Accepts the agents' streams. Callbacks of gRPC only hand on; each stream has two virtual threads:
 * one writes, one reports to the owners.
 */
public final class NodeAgentsService extends NodeAgentsImplBase {
  private static final Logger log = LoggerFactory.getLogger(NodeAgentsService.class);

  private final String replica;
  private final LogIdentity identity;
  private final Contents contents;
  private final EndOffsets endOffsets;
  private final ResetTurns turns;
  private final NodeStreams streams;
  private final Uplink uplink;
  private final Supplier<ClusterImage> image;
  private final Acks acks;
  private final NodeLeases leases;
  private final StreamSettings settings;
  private final StreamStats stats;
  private final FaultPoints points;
  private final Supplier<UUID> ids;
  private final Time time;

  /**
   * Opens nothing.
   *
   * @param image the newest that this replica has
   * @param acks told of all that agents acknowledge here
   * @param ids makes request ids
   */
  public NodeAgentsService(
      String replica,
      LogIdentity identity,
      Contents contents,
      EndOffsets endOffsets,
      ResetTurns turns,
      NodeStreams streams,
      Uplink uplink,
      Supplier<ClusterImage> image,
      Acks acks,
      NodeLeases leases,
      StreamSettings settings,
      StreamStats stats,
      FaultPoints points,
      Supplier<UUID> ids,
      Time time) {
    this.replica = replica;
    this.identity = identity;
    this.contents = contents;
    this.endOffsets = endOffsets;
    this.turns = turns;
    this.streams = streams;
    this.uplink = uplink;
    this.image = image;
    this.acks = acks;
    this.leases = leases;
    this.settings = settings;
    this.stats = stats;
    this.points = points;
    this.ids = ids;
    this.time = time;
  }

  @Override
  public StreamObserver<AgentMessage> sync(StreamObserver<ReplicaMessage> responses) {
    var session = new Session((ServerCallStreamObserver<ReplicaMessage>) responses);
    session.out.setOnReadyHandler(session::wake);
    session.out.setOnCancelHandler(session::gone);
    return session;
  }

  /** One call. Its methods are called by gRPC, one at a time, except {@link #serve}. */
  private final class Session implements StreamObserver<AgentMessage> {
    private record Parts(NodeStream stream, Upward upward) {}

    private final ServerCallStreamObserver<ReplicaMessage> out;

    /** Of the call: it is cancelled when the agent goes. */
    private final Context context = Context.current();

    private volatile Optional<Parts> parts = Optional.empty();
    private final AtomicBoolean answered = new AtomicBoolean();
    private boolean greeted;
    private volatile boolean gone;
    private volatile boolean halfClosed;

    Session(ServerCallStreamObserver<ReplicaMessage> out) {
      this.out = out;
    }

    void wake() {
      parts.ifPresent(p -> p.stream().wake());
    }

    void gone() {
      gone = true;
      parts.ifPresent(p -> p.stream().gone());
    }

    @Override
    public void onNext(AgentMessage message) {
      switch (message.getMessageCase()) {
        case HELLO -> hello(message.getHello());
        case ACK ->
            started()
                .ifPresent(p -> {
                  p.stream().acknowledge(message.getAck());
                  points.reached(FaultPoint.ACK_TAKEN);
                  said(p.stream());
                });
        case READINESS -> started().ifPresent(p -> p.upward().report(message.getReadiness()));
        case SOURCE_STATE -> started().ifPresent(p -> p.upward().source(message.getSourceState()));
        case ANSWER -> started().ifPresent(p -> p.stream().answer(message.getAnswer()));
        case MESSAGE_NOT_SET ->
            fail(malformed("message: one is needed, or this replica is too old"));
      }
    }

    @Override
    public void onError(Throwable t) {
      gone();
    }

    @Override
    public void onCompleted() {
      halfClosed = true;
      var running = parts;
      if (running.isPresent()) {
        running.get().stream().close(Status.OK.asRuntimeException());
      } else if (!greeted && answered.compareAndSet(false, true)) {
        out.onCompleted();
      }
    }

    private Optional<Parts> started() {
      var running = parts;
      if (running.isEmpty()) {
        fail(malformed("message: wait for Welcome before anything but Hello is sent"));
      }
      return running;
    }

    private void hello(Hello hello) {
      if (greeted) {
        fail(malformed("hello: is sent once, first"));
        return;
      }
      greeted = true;
      try {
        var position = position(hello);
        Thread.ofVirtual()
            .name("node-stream-" + hello.getNode().getMetadata().getName())
            .start(() -> serve(hello, position));
      } catch (StatusRuntimeException e) {
        fail(e);
      }
    }

    private void fail(StatusRuntimeException e) {
      var running = parts;
      if (running.isPresent()) {
        running.get().stream().close(e);
      } else if (answered.compareAndSet(false, true)) {
        gone = true; // should the session be opened yet, it finds out
        out.onError(e);
      }
    }

    /** On a thread of its own until the stream ends. */
    private void serve(Hello hello, Optional<Position> position) {
      Parts running;
      try {
        // withdrawn when the agent goes: else a session would be opened that nobody is in
        running = context.call(() -> open(hello, position));
      } catch (Exception e) {
        if (context.isCancelled()) {
          stats.leftEarly.increment();
        }
        fail(Errors.of(e));
        return;
      }
      var stream = running.stream();
      if (!streams.admit(stream)) {
        stream.close(
            Refusals.sessionEnded(stream.node(), stream.session(), "a later session is open here"));
      }
      parts = Optional.of(running);
      if (gone) { // while it was being opened
        stream.gone();
      }
      if (halfClosed) {
        stream.close(Status.OK.asRuntimeException());
      }
      stats.opened.increment();
      log.atInfo()
          .addKeyValue("event", "stream.opened")
          .addKeyValue("node", stream.node())
          .addKeyValue("session", stream.session())
          .addKeyValue("position", position.map(Position::offsets).orElse(""))
          .log("Stream opened");
      leases.hold(stream);
      running.upward().start();
      try {
        stream.run();
      } finally {
        streams.leave(stream);
        acks.left(stream.node(), stream.session());
        running.upward().close();
        leases.letGo(stream);
        stats.closed.increment();
        log.atInfo()
            .addKeyValue("event", "stream.closed")
            .addKeyValue("node", stream.node())
            .addKeyValue("session", stream.session())
            .addKeyValue(
                "reason",
                stream.closing().map(e -> e.getStatus().toString()).orElse("the agent went"))
            .log("Stream closed");
      }
    }

    private Parts open(Hello hello, Optional<Position> position) {
      var reply =
          uplink.open(
              OpenNodeRequest.newBuilder()
                  .setRequestId(ids.get().toString())
                  .setNode(hello.getNode())
                  .setInstance(hello.getInstance())
                  .setPreviousSession(hello.getPreviousSession())
                  .build());
      var stream =
          new NodeStream(
              new NodeStream.Agent(
                  hello.getNode().getMetadata().getName(),
                  reply.getNode().getSession(),
                  position,
                  Math.min(hello.getProtocol(), NodeStream.NEWEST_PROTOCOL)),
              replica,
              out,
              contents,
              endOffsets,
              turns,
              settings,
              stats,
              points,
              time);
      return new Parts(stream, new Upward(stream, uplink, image, ids, settings, stats, time));
    }
  }

  private void said(NodeStream stream) {
    if (stream.isOver()) {
      return; // too late: it would be repeated until the node comes back
    }
    var said = stream.acknowledged();
    acks.said(
        stream.node(),
        stream.session(),
        said.position(),
        said.error(),
        said.refused().stream()
            .map(rule -> new Acknowledgement.Refused(rule.getFrontend(), rule.getReason()))
            .toList(),
        said.manifests());
  }

  /** Where the agent is in this log; empty = it begins. */
  private Optional<Position> position(Hello hello) {
    if (hello.getProtocol() < NodeStream.OLDEST_PROTOCOL) {
      throw Errors.unsupportedProtocol(
          hello.getProtocol(), NodeStream.OLDEST_PROTOCOL + " to " + NodeStream.NEWEST_PROTOCOL);
    }
    if (!hello.hasPosition() || hello.getPosition().getLog().isEmpty()) {
      return Optional.empty();
    }
    var position =
        PositionCodec.model(hello.getPosition())
            .orElseThrow(() -> malformed("hello.position: not a position"));
    if (position.log().equals(identity)) {
      return Optional.of(position);
    }
    if (hello.getAdoptLog()) {
      return Optional.empty();
    }
    throw Errors.foreignLog(identity.toString(), position.log().toString());
  }

  private static StatusRuntimeException malformed(String what) {
    return Status.INVALID_ARGUMENT.withDescription(what).asRuntimeException();
  }
}
