package io.fairlead.agent.stream;

import io.fairlead.agent.source.PodSource;
import io.fairlead.api.PodCodec;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.Entry.PodEntry;
import io.fairlead.v1.Pod;
import io.fairlead.v1.SourceResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is to be said of the Pods of one source: all of them, in each new session and when they
 * change; again after a while where some were refused, since what stood in the way may have gone,
 * or where the stream shows them other than they were said, whoever changed or deleted them. Owned
 * by the loop.
 */
final class SourceDesk {
  private static final Logger LOG = LoggerFactory.getLogger(SourceDesk.class);
  private static final Duration AGAIN = Duration.ofSeconds(5);

  /** Something that stays different whatever is said must not be said all the time. */
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

  private final NodeIdentity node;
  private final PodSource source;
  private final LoopMetrics metrics;
  private final Time time;
  private Optional<PodSource.Pods> state = Optional.empty();
  private boolean due;
  private OptionalLong againNanos = OptionalLong.empty();
  private List<String> refused = List.of();

  /** Said, and not answered yet. */
  private boolean underWay;

  private OptionalLong compareNanos = OptionalLong.empty();
  private Duration pause = AGAIN;

  SourceDesk(NodeIdentity node, PodSource source, LoopMetrics metrics, Time time) {
    this.node = node;
    this.source = source;
    this.metrics = metrics;
    this.time = time;
  }

  String name() {
    return source.name();
  }

  void found(PodSource.Pods now) {
    state = Optional.of(now);
    due = true;
  }

  /** A new session: everything is said again. */
  void again() {
    due = true;
    underWay = false;
    pause = AGAIN;
  }

  /** The stream brought Pods of this node: they are compared after a while, once all are there. */
  void touched() {
    if (compareNanos.isEmpty()) {
      compareNanos = OptionalLong.of(time.nanoTime() + pause.toNanos());
    }
  }

  long dueNanos() {
    return Math.min(againNanos.orElse(Long.MAX_VALUE), compareNanos.orElse(Long.MAX_VALUE));
  }

  /** All Pods of the source, where they are to be said now. */
  Optional<List<Pod>> due(Collection<PodEntry> onRecord) {
    if (againNanos.isPresent() && time.nanoTime() - againNanos.getAsLong() >= 0) {
      againNanos = OptionalLong.empty();
      due = true;
    }
    if (compareNanos.isPresent() && time.nanoTime() - compareNanos.getAsLong() >= 0) {
      compareNanos = OptionalLong.empty();
      compare(onRecord);
    }
    if (!due) {
      return Optional.empty();
    }
    var said = said(onRecord);
    said.ifPresent(_ -> underWay = true);
    return said;
  }

  private void compare(Collection<PodEntry> onRecord) {
    if (due || underWay || state.isEmpty()) {
      return; // it is said anyway, and what that leads to is compared
    }
    var pods = all(state.get(), onRecord.stream().filter(this::isOurs).toList());
    if (!Reassertion.isDue(node, name(), pods, onRecord)) {
      pause = AGAIN;
      return;
    }
    due = true;
    metrics.reassertions.inc();
    var longer = pause.multipliedBy(2);
    pause = longer.compareTo(LONGEST_PAUSE) < 0 ? longer : LONGEST_PAUSE;
    LOG.atInfo()
        .addKeyValue("event", "source.reasserted")
        .addKeyValue("source", name())
        .log("The record of a source's Pods differs from what it has, saying them again");
  }

  private boolean isOurs(PodEntry entry) {
    return entry.pod().source().equals(name());
  }

  private Optional<List<Pod>> said(Collection<PodEntry> onRecord) {
    var recorded = onRecord.stream().filter(this::isOurs).toList();
    if (source instanceof PodSource.Ended) {
      due = false;
      return recorded.isEmpty() ? Optional.empty() : Optional.of(List.of());
    }
    if (state.isEmpty()) {
      return Optional.empty(); // not read yet: nothing may be deleted for that
    }
    due = false;
    return Optional.of(all(state.get(), recorded));
  }

  private static List<Pod> all(PodSource.Pods state, List<PodEntry> recorded) {
    var pods = new ArrayList<>(state.pods());
    if (!state.unknown().isEmpty()) {
      var named = new HashSet<ObjectName>();
      pods.forEach(p ->
          named.add(new ObjectName(p.getMetadata().getNamespace(), p.getMetadata().getName())));
      recorded.stream()
          .filter(entry -> !named.contains(entry.pod().name()))
          .forEach(entry -> pods.add(PodCodec.proto(entry.pod(), OptionalLong.empty())));
    }
    return pods;
  }

  /** Why parts of the source, and Pods of it, are refused; the last one last. */
  List<String> faults() {
    var faults = new ArrayList<>(refused);
    state.ifPresent(pods -> faults.addAll(pods.faults()));
    return faults;
  }

  void answered(SourceResult result) {
    if (!result.getSource().equals(name())) {
      return;
    }
    underWay = false;
    touched(); // the records that it led to are about to come; where they do not, that is found
    var now =
        result.getRefusedList().stream()
            .map(r -> r.getNamespace() + "/" + r.getName() + ": " + r.getReason())
            .toList();
    metrics.refusedPods.inc(now.size() - refused.size()); // of all sources
    againNanos =
        now.isEmpty() ? OptionalLong.empty() : OptionalLong.of(time.nanoTime() + AGAIN.toNanos());
    if (!now.equals(refused)) {
      refused = now;
      if (!now.isEmpty()) {
        LOG.atWarn()
            .addKeyValue("event", "source.refused")
            .addKeyValue("source", name())
            .addKeyValue("pods", String.join("; ", now))
            .log("Pods of a source are refused");
      }
    }
  }
}
