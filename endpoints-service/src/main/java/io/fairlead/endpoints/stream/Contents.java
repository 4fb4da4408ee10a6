package io.fairlead.endpoints.stream;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.eventlog.load.Manifest;
import io.fairlead.eventlog.load.Publisher;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * The newest {@link Content}, and who wants to know of newer ones. Written by the loader's thread
 * alone, read by all streams. Derived; rebuilt from the log.
 */
public final class Contents implements Publisher {
  private final Set<Runnable> listeners = ConcurrentHashMap.newKeySet();
  private final Supplier<Instant> completeSince;
  private volatile Content current;

  /**
   * Empty until the first update.
   *
   * @param journal how many changed keys are remembered for streams that are behind
   * @param completeSince every record that the log took since then is retained, as of the moment
   */
  public Contents(LogIdentity log, int journal, Supplier<Instant> completeSince) {
    this.completeSince = completeSince;
    this.current = Content.empty(Position.start(log), journal);
  }

  /**
   * The loader applied a delta; called on its thread.
   *
   * @param entries that led to it
   */
  public void update(
      ClusterDelta delta, ClusterImage image, Position position, List<LogEntry> entries) {
    current = current.with(delta, image, position, entries, completeSince.get());
    listeners.forEach(Runnable::run);
  }

  @Override
  public void onUpdate(ClusterDelta delta, ClusterImage image, Manifest manifest) {
    update(delta, image, manifest.position(), manifest.entries());
  }

  /** Not as a change: of what was before the image, the journal would tell a lie. */
  @Override
  public void onStart(ClusterDelta delta, ClusterImage image, Position position) {
    current = current.restored(image, position);
  }

  Content current() {
    return current;
  }

  /** Number of entries, for metrics. */
  public int entries() {
    return current.size();
  }

  /** Number of changed keys that the journal holds, for metrics. */
  public int journal() {
    return current.journal();
  }

  /** Number of records that the journal holds, for metrics. */
  public int journalRecords() {
    return current.journalRecords();
  }

  /** Runs after every update, on the loader's thread: must be quick and must not block. */
  void listen(Runnable listener) {
    listeners.add(listener);
  }

  void unlisten(Runnable listener) {
    listeners.remove(listener);
  }
}
