package io.fairlead.agent.stream;

import io.fairlead.agent.stream.Frames.OtherLog;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Reason;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.HostPort;
import io.fairlead.v1.AgentMessage;
import io.fairlead.v1.Hello;
import io.fairlead.v1.ReplicaMessage;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a stream to one of the replicas: connects, greets, gives up on those who say nothing or
 * what must not be applied, and goes to the next. Owned by the loop.
 */
final class StreamClient implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StreamClient.class);

  /** Within that a replica has to say Welcome. */
  private static final Duration WELCOME = Duration.ofSeconds(10);

  /**
   * Within that from Welcome it has to say something of what there is, or that others are first: a
   * replica that hangs must not keep this node from one that does not. Long, as one that just
   * started reads the log first.
   */
  private static final Duration FIRST_FRAME = Duration.ofSeconds(60);

  /** Within that the replica that it is asked to go to has to be reached, else it stays. */
  private static final Duration REACHED = Duration.ofSeconds(5);

  /** So often is looked whether it is. */
  private static final Duration LOOK = Duration.ofMillis(20);

  /** A stream that lived that long worked. */
  private static final Duration WORKED = Duration.ofSeconds(5);

  private final NodeIdentity node;
  private final List<String> sources;
  private final OtherLog otherLog;
  private final Replicas replicas;
  private final Consumer<Link.Event> events;
  private final LoopMetrics metrics;
  private final FaultPoints points;
  private final Time time;

  private Optional<Session> session = Optional.empty();
  private long connectNanos;
  private boolean askForAll;

  /** Where it is asked to go to, and since when. */
  private record Going(Approach approach, long sinceNanos) {}

  private Optional<Going> going = Optional.empty();

  /** The stream that it leaves, until the next one was welcomed: so the node is never without. */
  private Optional<Link> leaving = Optional.empty();

  /** Which replica said Welcome at an address. */
  private final Map<HostPort, String> names = new HashMap<>();

  /** The newest that is offered: less, where a replica knew none of it. */
  private int protocol = Frames.NEWEST_PROTOCOL;

  /** Which process this is: of two agents with one name the one that came later has the node. */
  private final String instance;

  private long previousSession;
  private Optional<String> superseded = Optional.empty();
  private volatile String trouble = "not connected yet";

  /** What was said of each replica since the last stream. */
  private final Map<HostPort, String> warned = new HashMap<>();

  /** One stream, from the first attempt to its end. */
  static final class Session {
    private final Link link;
    private final Frames frames;
    private final long startNanos;
    private final Outbox outbox = new Outbox();
    private OptionalLong number = OptionalLong.empty();
    private long heardNanos;
    private boolean current;
    private long lastFrame;

    private Session(Link link, Frames frames, long startNanos) {
      this.link = link;
      this.frames = frames;
      this.startNanos = startNanos;
    }

    Outbox outbox() {
      return outbox;
    }

    /** The session's number; empty before Welcome. */
    OptionalLong number() {
      return number;
    }

    /** Whether it brought a whole frame, so that what it says of Pods is what is on record. */
    boolean isCurrent() {
      return current;
    }

    /** Number of the last whole frame; 0 = none. */
    long lastFrame() {
      return lastFrame;
    }
  }

  StreamClient(
      NodeIdentity node,
      List<String> sources,
      List<HostPort> addresses,
      OtherLog otherLog,
      Consumer<Link.Event> events,
      LoopMetrics metrics,
      FaultPoints points,
      Time time,
      RandomSource random) {
    this.node = node;
    this.sources = List.copyOf(sources);
    this.otherLog = otherLog;
    this.replicas = new Replicas(addresses, random);
    this.events = events;
    this.metrics = metrics;
    this.points = points;
    this.time = time;
    this.instance = random.uuid().toString();
    this.connectNanos = time.nanoTime();
  }

  /** Why there is no working stream; "" = there is. */
  String trouble() {
    return trouble;
  }

  /** Why this agent must not go on: another one has the node. */
  Optional<String> superseded() {
    return superseded;
  }

  /** The stream, where there is one that was welcomed. */
  Optional<Session> session() {
    return session.filter(s -> s.number.isPresent());
  }

  long dueNanos() {
    return going.isPresent()
        ? Math.min(time.nanoTime() + LOOK.toNanos(), streamDueNanos())
        : streamDueNanos();
  }

  private long streamDueNanos() {
    return session.isEmpty()
        ? connectNanos
        : session.get().number.isEmpty()
            ? session.get().startNanos + WELCOME.toNanos()
            : session.get().current
                ? Long.MAX_VALUE
                : session.get().heardNanos + FIRST_FRAME.toNanos();
  }

  /**
   * Does what is due.
   *
   * @param image where the image stands
   * @param kernel what stands in the kernel
   */
  void run(Optional<Position> image, Optional<Position> kernel) {
    long nowNanos = time.nanoTime();
    if (session.isPresent()
        && session.get().number.isEmpty()
        && nowNanos - session.get().startNanos >= WELCOME.toNanos()) {
      over(session.get(), "no Welcome within " + WELCOME.toSeconds() + " s");
    }
    if (session.isPresent()
        && session.get().number.isPresent()
        && !session.get().current
        && nowNanos - session.get().heardNanos >= FIRST_FRAME.toNanos()) {
      over(session.get(), "nothing said for " + FIRST_FRAME.toSeconds() + " s after Welcome");
    }
    going.ifPresent(to -> go(to, image, kernel));
    if (session.isEmpty() && nowNanos - connectNanos >= 0) {
      connect(new Link(replicas.take(), events), image, kernel);
    }
    session().ifPresent(s -> s.outbox.flush(s.link, points));
  }

  /** The replica asks this agent to go to one of others: the connection there comes first. */
  private void asked(Session from, List<Frames.Target> to) {
    if (going.isPresent() || leaving.isPresent() || !from.current) {
      return;
    }
    var where = destination(from.link.address(), to);
    LOG.atInfo()
        .addKeyValue("event", "agent.stream-asked-to-move")
        .addKeyValue("to", to)
        .addKeyValue("address", where.map(HostPort::toString).orElse("none that is known"))
        .log("Asked to go to another replica");
    where.ifPresentOrElse(
        address -> going = Optional.of(new Going(new Approach(address), time.nanoTime())),
        () -> metrics.moves.labelValues("stayed").inc());
  }

  /**
   * One of the addresses that this agent was given: where one of these said Welcome before, or
   * which is the one that they are known by; else one where nobody else did.
   */
  private Optional<HostPort> destination(HostPort here, List<Frames.Target> to) {
    var others = replicas.addresses().stream().filter(address -> !address.equals(here)).toList();
    for (var target : to) {
      for (var address : others) {
        if (names.containsKey(address)
            ? target.replica().equals(names.get(address))
            : target.address().equals(address.toString())) {
          return Optional.of(address);
        }
      }
    }
    return others.stream().filter(address -> !names.containsKey(address)).findFirst();
  }

  private void go(Going to, Optional<Position> image, Optional<Position> kernel) {
    if (session().isEmpty()) { // it ended meanwhile: the next one is tried as always
      stay(to);
      return;
    }
    switch (to.approach().state()) {
      case CONNECTING -> {
        if (time.nanoTime() - to.sinceNanos() >= REACHED.toNanos()) {
          stay(to);
        }
      }
      case NOBODY_THERE -> stay(to);
      case THERE -> {
        going = Optional.empty();
        leaving = session.map(s -> s.link);
        replicas.taken(to.approach().address());
        metrics.moves.labelValues("moved").inc();
        connect(new Link(to.approach(), events), image, kernel);
        points.reached(FaultPoint.MOVE_BEGUN);
      }
    }
  }

  private void stay(Going to) {
    going = Optional.empty();
    to.approach().close();
    metrics.moves.labelValues("stayed").inc();
  }

  private void leave() {
    leaving.ifPresent(
        link -> Thread.ofVirtual().name("agent-leaves").start(link::close)); // which waits a moment
    leaving = Optional.empty();
  }

  private void connect(Link link, Optional<Position> image, Optional<Position> kernel) {
    var asked = askForAll ? Optional.<Position>empty() : image;
    askForAll = false;
    var floors = new ArrayList<Position>();
    image.ifPresent(floors::add);
    kernel.ifPresent(floors::add);
    metrics.attempts.inc();
    session = Optional.of(new Session(link, new Frames(asked, floors, otherLog), time.nanoTime()));
    var hello =
        Hello.newBuilder()
            .setNode(node.proto().toBuilder().addAllSources(sources))
            .setProtocol(protocol)
            .setInstance(instance)
            .setPreviousSession(previousSession)
            .setAdoptLog(otherLog == OtherLog.ADOPTED);
    asked.ifPresent(position -> hello.setPosition(PositionCodec.proto(position)));
    link.send(AgentMessage.newBuilder().setHello(hello));
    points.reached(FaultPoint.HELLO_SENT);
  }

  /** Whether that event is of the stream in use. */
  Optional<Session> of(Link link) {
    return session.filter(s -> s.link == link);
  }

  /** What a message leads to; what must not be applied ends the stream. */
  Frames.Step received(Session from, ReplicaMessage message) {
    from.link.handled();
    var step = from.frames.next(message);
    switch (step) {
      case Frames.Pending _, Frames.Asks _ -> from.heardNanos = time.nanoTime();
      case Frames.Asked(var to) -> asked(from, to);
      case Frames.Queued(var nodes) -> {
        from.heardNanos = time.nanoTime();
        if (!from.current) {
          trouble =
              from.link.address()
                  + ": has to be sent everything and waits, as do "
                  + nodes
                  + " nodes";
        }
      }
      case Frames.Welcomed(var replica, var number, var spoken) -> {
        from.outbox.speak(spoken);
        protocol = Frames.NEWEST_PROTOCOL; // the next replica may be another
        from.number = OptionalLong.of(number);
        previousSession = number;
        from.heardNanos = time.nanoTime();
        metrics.connected.set(1);
        trouble = "waiting for " + replica + " to say what there is";
        warned.clear();
        names.put(from.link.address(), replica);
        leave();
        LOG.atInfo()
            .addKeyValue("event", "agent.stream-opened")
            .addKeyValue("replica", replica)
            .addKeyValue("address", from.link.address())
            .addKeyValue("session", number)
            .log("Stream opened");
      }
      case Frames.Frame frame -> {
        from.lastFrame = frame.number();
        works(from);
      }
      case Frames.Moved _ -> works(from);
      case Frames.Broken(var words, var remedy) -> {
        metrics.broken.inc();
        askForAll = remedy == Frames.Remedy.ASK_FOR_ALL;
        over(from, words);
      }
    }
    return step;
  }

  private void works(Session from) {
    from.current = true;
    trouble = "";
  }

  void ended(Session which, Status status, Optional<Reason> reason) {
    if (reason.equals(Optional.of(Reason.SUPERSEDED))) {
      superseded = Optional.of(words(status));
    }
    if (reason.equals(Optional.of(Reason.UNSUPPORTED_PROTOCOL))) { // of a release before this one
      protocol = protocol > Frames.OLDEST_PROTOCOL ? protocol - 1 : Frames.NEWEST_PROTOCOL;
    }
    over(which, words(status));
  }

  private static String words(Status status) {
    var said = Optional.ofNullable(status.getDescription()).orElse("nothing more was said");
    var cause = Optional.ofNullable(status.getCause()).map(Throwable::getMessage);
    return status.getCode() + ": " + said + cause.map(c -> ": " + c).orElse("");
  }

  private void over(Session which, String why) {
    long nowNanos = time.nanoTime();
    which.link.cancel(why);
    leave();
    session = Optional.empty();
    metrics.connected.set(0);
    trouble = which.link.address() + ": " + why;
    boolean worked = which.current && nowNanos - which.startNanos >= WORKED.toNanos();
    if (worked) {
      replicas.worked();
    }
    connectNanos = nowNanos + (worked ? 0 : replicas.failed().toNanos());
    if (!why.equals(warned.put(which.link.address(), why))) { // once, however often it is tried
      LOG.atWarn()
          .addKeyValue("event", "agent.stream-ended")
          .addKeyValue("address", which.link.address())
          .addKeyValue("why", why)
          .log("No stream; the rules stay, trying again");
    }
  }

  @Override
  public void close() {
    going.ifPresent(to -> to.approach().close());
    leaving.ifPresent(link -> link.cancel("the agent ends"));
    session.ifPresent(s -> s.link.close());
    session = Optional.empty();
  }
}
