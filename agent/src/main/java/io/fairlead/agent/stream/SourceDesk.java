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
 * change; again after a while where some were refused, since what stood in the way may have gone.
 * Owned by the loop.
 */
final class SourceDesk {
  private static final Logger LOG = LoggerFactory.getLogger(SourceDesk.class);
  private static final Duration AGAIN = Duration.ofSeconds(5);

  private final PodSource source;
  private final LoopMetrics metrics;
  private final Time time;
  private Optional<PodSource.Pods> state = Optional.empty();
  private boolean due;
  private OptionalLong againNanos = OptionalLong.empty();
  private List<String> refused = List.of();

  SourceDesk(PodSource source, LoopMetrics metrics, Time time) {
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
  }

  long dueNanos() {
    return againNanos.orElse(Long.MAX_VALUE);
  }

  /** All Pods of the source, where they are to be said now. */
  Optional<List<Pod>> due(Collection<PodEntry> onRecord) {
    if (againNanos.isPresent() && time.nanoTime() - againNanos.getAsLong() >= 0) {
      againNanos = OptionalLong.empty();
      due = true;
    }
    if (!due) {
      return Optional.empty();
    }
    var recorded = onRecord.stream().filter(e -> e.pod().source().equals(name())).toList();
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

  void answered(SourceResult result) {
    if (!result.getSource().equals(name())) {
      return;
    }
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
