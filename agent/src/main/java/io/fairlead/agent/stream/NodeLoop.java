package io.fairlead.agent.stream;

import io.fairlead.agent.nft.DataPlane;
import io.fairlead.agent.nft.FlowGateway;
import io.fairlead.agent.probe.Commands;
import io.fairlead.agent.probe.ProbeMetrics;
import io.fairlead.agent.probe.Prober;
import io.fairlead.agent.probe.ReadinessDesk;
import io.fairlead.agent.source.PodSource;
import io.fairlead.agent.stream.Frames.OtherLog;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FaultHandler;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.Entry.PodEntry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.runtime.HostPort;
import io.fairlead.runtime.Metrics;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's one thread of decisions: what the stream says goes to the view, to disk, to the
 * kernel, and is acknowledged; what probes and sources say goes up the stream. Frames that arrive
 * while the kernel works run together. Owns the image, the stream, the probes; everything else only
 * puts events into its mailbox, which the stream's flow control bounds.
 */
public final class NodeLoop implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(NodeLoop.class);

  /** It looks around at least that often. */
  private static final Duration BEAT = Duration.ofSeconds(1);

  /** What differs from the record for that long is said again. */
  private static final Duration SAY_AGAIN = Duration.ofSeconds(30);

  private static final Duration CLOSE = Duration.ofSeconds(5);

  /** What happens to the loop. */
  private sealed interface Event {}

  private record OfLink(Link.Event event) implements Event {}

  private record Found(Prober.Finding finding) implements Event {}

  private record Sourced(SourceDesk desk, PodSource.Pods pods) implements Event {}

  private record OfDesk(QuestionDesk.Looked looked) implements Event {}

  private enum Stop implements Event {
    STOP
  }

  /**
   * What it is told at its start.
   *
   * @param addresses of the replicas, at least one
   * @param sources where Pods of this node come from, no two of one name; also those that it had
   *     once
   * @param commands of exec probes
   * @param points told on the loop's thread
   */
  public record Settings(
      NodeIdentity node,
      List<HostPort> addresses,
      OtherLogPolicy otherLog,
      Path dataDirectory,
      List<PodSource> sources,
      Commands commands,
      FaultPoints points) {
    /** Where no programs are run for probes. */
    public Settings(
        NodeIdentity node,
        List<HostPort> addresses,
        OtherLogPolicy otherLog,
        Path dataDirectory,
        List<PodSource> sources) {
      this(node, addresses, otherLog, dataDirectory, sources, Commands.none(), FaultPoints.NONE);
    }

    public Settings {
      addresses = List.copyOf(addresses);
      sources = List.copyOf(sources);
      if (sources.stream().map(PodSource::name).distinct().count() < sources.size()) {
        throw new IllegalArgumentException(
            "two sources of one name: " + sources.stream().map(PodSource::name).toList());
      }
    }
  }

  /** Whether the control plane of another log may be followed. */
  public enum OtherLogPolicy {
    REFUSE,
    ADOPT
  }

  private final LinkedBlockingQueue<Event> mailbox = new LinkedBlockingQueue<>();
  private final Thread thread;
  private final Time time;
  private final FaultHandler faults;
  private final Runnable onSuperseded;
  private final DataPlane plane;
  private final NodeImage image;
  private final LoopMetrics metrics;
  private final FaultPoints points;
  private final FlowCleaner flows;
  private final Committer committer;
  private final StreamClient stream;
  private final Prober prober;
  private final ReadinessDesk desk;
  private final QuestionDesk questions;
  private final List<SourceDesk> sources = new ArrayList<>();
  private final List<PodSource.Watch> watches = new ArrayList<>();
  private volatile long beatNanos;
  private volatile boolean knowsImage;
  private long sayAgainNanos;
  private boolean stopping;

  /** Of all sources, as they were said last. */
  private List<String> manifestFaults = List.of();

  private NodeLoop(
      Settings settings,
      NodeImage image,
      DataPlane plane,
      FlowGateway kernelFlows,
      Metrics registry,
      Time time,
      RandomSource random,
      FaultHandler faults,
      Runnable onSuperseded) {
    this.time = time;
    this.faults = faults;
    this.onSuperseded = onSuperseded;
    this.plane = plane;
    this.image = image;
    this.metrics = new LoopMetrics(registry);
    this.points = settings.points();
    this.flows = new FlowCleaner(kernelFlows, new FlowMetrics(registry), time);
    this.committer = new Committer(image, plane, flows, metrics, points, time);
    this.stream =
        new StreamClient(
            settings.node(),
            settings.sources().stream().map(PodSource::name).toList(),
            settings.addresses(),
            settings.otherLog() == OtherLogPolicy.ADOPT ? OtherLog.ADOPTED : OtherLog.REFUSED,
            event -> mailbox.add(new OfLink(event)),
            metrics,
            points,
            time,
            random);
    this.prober =
        new Prober(
            time,
            random,
            new ProbeMetrics(registry),
            settings.commands(),
            finding -> mailbox.add(new Found(finding)));
    this.desk = new ReadinessDesk(prober::verdict);
    this.questions =
        new QuestionDesk(
            settings.node().name(),
            plane,
            kernelFlows,
            () -> new QuestionDesk.State(image.view(), committer.error()),
            looked -> mailbox.add(new OfDesk(looked)));
    this.beatNanos = time.nanoTime();
    this.sayAgainNanos = time.nanoTime() + SAY_AGAIN.toNanos();
    this.thread = Thread.ofPlatform().name("agent-" + settings.node().name()).unstarted(this::run);
    for (var source : settings.sources()) {
      var desk = new SourceDesk(settings.node(), source, metrics, time);
      sources.add(desk);
      watches.add(source.watch(pods -> mailbox.add(new Sourced(desk, pods))));
    }
  }

  /**
   * Programs what is on disk and begins to follow the control plane.
   *
   * @param plane stays open when this is closed; so do the flows
   * @param onSuperseded called once where another agent has the node: the loop has ended
   * @throws io.fairlead.core.run.GatewayException the data directory cannot be used; says why
   */
  public static NodeLoop start(
      Settings settings,
      DataPlane plane,
      FlowGateway flows,
      Metrics metrics,
      Time time,
      RandomSource random,
      FaultHandler faults,
      Runnable onSuperseded) {
    var image =
        NodeImage.open(settings.dataDirectory(), settings.node().context(), settings.points());
    var loop =
        new NodeLoop(settings, image, plane, flows, metrics, time, random, faults, onSuperseded);
    loop.flows.start();
    loop.thread.start();
    return loop;
  }

  // --- from other threads

  /** Why the stream does not work; "" = it does. */
  public String streamTrouble() {
    return stream.trouble();
  }

  /** What disk or kernel said last where they failed, or which rules are refused; "" = all well. */
  public String kernelTrouble() {
    var refused = committer.refused();
    return !committer.error().isEmpty() || refused.isEmpty()
        ? committer.error()
        : refused.size() + " rules refused, e.g. " + refused.getFirst().getFrontend();
  }

  /** Whether it was ever told what its rules are, by disk or stream, and the kernel has them. */
  public boolean isSynced() {
    return knowsImage && committer.committed().isPresent();
  }

  /** How long a change has been waiting for the kernel; zero where none does. */
  public Duration queuedFor() {
    return committer.queuedFor();
  }

  /** What the kernel equals; empty = nothing was committed by this process yet. */
  public Optional<Position> committed() {
    return committer.committed();
  }

  /** How long the loop has been doing one thing. */
  public Duration busyFor() {
    return Duration.ofNanos(Math.max(0, time.nanoTime() - beatNanos));
  }

  // --- the loop

  private void run() {
    try {
      startFromDisk();
      while (!stopping) {
        stream.run(image.position(), plane.position());
        beatNanos = time.nanoTime();
        handle(next());
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (Throwable e) { // an Error, too, must be told: nobody else sees this thread end
      faults.fault("the agent's loop", e);
    } finally {
      prober.close();
      flows.close();
      stream.close();
      try {
        image.persist();
      } catch (RuntimeException e) {
        LOG.atDebug().setCause(e).log("Position not written at the end");
      }
      image.close();
    }
  }

  /**
   * What stands on disk was acknowledged or was about to be: the kernel gets it again, in case the
   * agent died between the two. Unless the kernel is further, which only a disk from a backup
   * explains: then the rules stay until the stream has caught up.
   */
  private void startFromDisk() {
    var disk = image.position();
    if (disk.isEmpty()) {
      return;
    }
    knowsImage = true;
    points.reached(FaultPoint.DISK_READ);
    image.view().pods().forEach(this::take);
    var kernel = plane.position();
    if (kernel.filter(k -> k.log().equals(disk.get().log()) && !disk.get().covers(k)).isPresent()) {
      LOG.atWarn()
          .addKeyValue("event", "agent.disk-behind-kernel")
          .addKeyValue("disk", disk.get().offsets())
          .addKeyValue("kernel", kernel.get().offsets())
          .log("Image on disk is older than the rules; they stay until the stream has caught up");
      return;
    }
    committer.changed();
    commit();
    points.reached(FaultPoint.DISK_PROGRAMMED);
    LOG.atInfo()
        .addKeyValue("event", "agent.started-from-disk")
        .addKeyValue("position", disk.get().offsets())
        .addKeyValue("frontends", image.view().rules().ports().size())
        .log("Rules are those on disk");
  }

  private void commit() {
    if (committer.run() == Committer.Outcome.TOLD) {
      acknowledge();
    }
  }

  /** The session, once it brought a whole frame. */
  private Optional<StreamClient.Session> current() {
    return stream.session().filter(StreamClient.Session::isCurrent);
  }

  private void acknowledge() {
    current()
        .ifPresent(s ->
            s.outbox()
                .acknowledge(
                    s.lastFrame(),
                    committer.committed(),
                    committer.refused(),
                    committer.error(),
                    manifestFaults));
  }

  /** What is refused of its manifests is said with the next answer, or with the last one again. */
  private void lookAtManifests() {
    var faults = sources.stream().flatMap(source -> source.faults().stream()).toList();
    if (!faults.equals(manifestFaults)) {
      manifestFaults = faults;
      acknowledge();
    }
  }

  /** Waits for something to do; all that is there. */
  private List<Event> next() throws InterruptedException {
    long dueNanos =
        Math.min(
            Math.min(stream.dueNanos(), committer.dueNanos()),
            Math.min(sayAgainNanos, current().isPresent() ? sourcesDueNanos() : sayAgainNanos));
    long waitNanos = Math.clamp(dueNanos - time.nanoTime(), 0, BEAT.toNanos());
    var events = new ArrayList<Event>();
    var first = Optional.ofNullable(mailbox.poll(waitNanos, TimeUnit.NANOSECONDS));
    if (first.isPresent()) {
      events.add(first.get());
      mailbox.drainTo(events);
    }
    return events;
  }

  private long sourcesDueNanos() {
    return sources.stream().mapToLong(SourceDesk::dueNanos).min().orElse(Long.MAX_VALUE);
  }

  private void handle(List<Event> events) {
    for (var event : events) {
      switch (event) {
        case OfLink(var linked) -> handle(linked);
        case Found(var finding) -> prober.take(finding).ifPresent(desk::found);
        case Sourced(var desk, var pods) -> desk.found(pods);
        case OfDesk(var looked) -> questions.answer(looked);
        case Stop _ -> stopping = true;
      }
    }
    commit();
    lookAtManifests();
    if (time.nanoTime() - sayAgainNanos >= 0) {
      sayAgainNanos = time.nanoTime() + SAY_AGAIN.toNanos();
      desk.again();
    }
    current().ifPresent(this::tell);
  }

  private void tell(StreamClient.Session session) {
    var reports = desk.due(session.number().orElseThrow());
    metrics.reports.inc(reports.size());
    session.outbox().report(reports);
    for (var source : sources) {
      source
          .due(image.view().pods())
          .ifPresent(pods -> session.outbox().source(source.name(), pods));
    }
  }

  private void handle(Link.Event event) {
    var from = stream.of(event.link());
    if (from.isEmpty()) {
      return; // of a stream that was given up
    }
    var session = from.get();
    switch (event) {
      case Link.Writable _ -> {} // what waits is sent before the next wait
      case Link.Ended(_, var status, var reason) -> {
        stream.ended(session, status, reason);
        stream.superseded().ifPresent(this::giveUp);
      }
      case Link.Received(_, var message) -> {
        boolean first = !session.isCurrent();
        switch (stream.received(session, message)) {
          case Frames.Frame frame -> take(frame);
          case Frames.Moved(var position) -> {
            image.move(position);
            points.reached(FaultPoint.BOOKMARK_TAKEN);
            metrics.bookmarks.inc();
            if (committer.moved()) {
              acknowledge();
            }
          }
          case Frames.Pending _ -> {
            if (message.hasSourceResult()) {
              sources.forEach(source -> source.answered(message.getSourceResult()));
            }
          }
          case Frames.Asks(var question) -> questions.take(session, question);
          case Frames.Welcomed _, Frames.Queued _, Frames.Asked _, Frames.Broken _ -> {}
        }
        if (first && session.isCurrent()) {
          desk.again();
          sources.forEach(SourceDesk::again);
        }
      }
    }
  }

  /** Two agents that took the node from each other for ever would serve nobody. */
  private void giveUp(String why) {
    stopping = true;
    LOG.atError()
        .addKeyValue("event", "agent.superseded")
        .addKeyValue("why", why)
        .log("Another agent has this node; this one ends, the rules stay");
    onSuperseded.run();
  }

  private void take(Frames.Frame frame) {
    (frame.reset() ? metrics.resets : metrics.deltas).inc();
    var touched = image.take(frame);
    points.reached(frame.reset() ? FaultPoint.STATE_TAKEN : FaultPoint.CHANGE_TAKEN);
    knowsImage = true;
    if (!touched.isEmpty()) {
      sources.forEach(SourceDesk::touched);
    }
    for (var key : touched) {
      image.view().pod(key).ifPresentOrElse(this::take, () -> forget(key));
    }
    if (frame.reset()) {
      committer.replaced();
    } else {
      committer.changed();
      frame.accepted().ifPresent(committer::accepted);
    }
  }

  private void take(PodEntry entry) {
    prober.put(entry.pod(), entry.readiness());
    desk.put(entry);
  }

  private void forget(EntryKey.Pod key) {
    prober.remove(key.name());
    desk.remove(key.name());
  }

  /** Ends within seconds; the rules stay. */
  @Override
  public void close() {
    watches.forEach(PodSource.Watch::close);
    mailbox.add(Stop.STOP);
    try {
      if (!thread.join(CLOSE)) {
        thread.interrupt();
      }
    } catch (InterruptedException _) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }
}
