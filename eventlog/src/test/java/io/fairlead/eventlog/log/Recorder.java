package io.fairlead.eventlog.log;

import static org.awaitility.Awaitility.await;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** A listener that keeps everything it is told, for tests that wait for it. */
public final class Recorder implements FollowListener {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final List<LogEntry> entries = new CopyOnWriteArrayList<>();
  private final List<Connection> connections = new CopyOnWriteArrayList<>();
  private volatile Optional<Position> applied = Optional.empty();
  private volatile Optional<Throwable> fault = Optional.empty();

  @Override
  public void onEntries(List<LogEntry> delivered, Position position) {
    entries.addAll(delivered);
    applied = Optional.of(position);
  }

  @Override
  public void onConnection(Connection state) {
    connections.add(state);
  }

  @Override
  public void onFault(Throwable cause) {
    fault = Optional.of(cause);
  }

  public List<LogEntry> entries() {
    return entries;
  }

  public List<LogEvent> events() {
    return entries.stream().map(LogEntry::event).toList();
  }

  public List<Connection> connections() {
    return connections;
  }

  public Optional<Throwable> fault() {
    return fault;
  }

  public boolean covers(Map<LogPartition, Long> offsets) {
    return offsets.values().stream().allMatch(o -> o == 0)
        || applied.filter(p -> p.coversOffsets(offsets)).isPresent();
  }

  public void awaitEntries(int count) {
    await("entry number " + count)
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(10))
        .until(() -> failingOnFault(entries.size() >= count));
  }

  /** Waits until everything the log holds now was delivered. */
  public void awaitEnd(EventLog log, List<LogPartition> partitions) {
    await("the end of the log")
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(10))
        .until(() -> failingOnFault(covers(log.endOffsets(partitions))));
  }

  public void awaitConnection(Connection state) {
    await("connection " + state)
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(10))
        .until(() -> failingOnFault(!connections.isEmpty() && connections.getLast() == state));
  }

  public Throwable awaitFault() {
    return await("a fault")
        .atMost(LIMIT)
        .pollInterval(Duration.ofMillis(10))
        .until(this::fault, Optional::isPresent)
        .orElseThrow();
  }

  private boolean failingOnFault(boolean condition) {
    fault.ifPresent(cause -> {
      throw new AssertionError("the follower stopped", cause);
    });
    return condition;
  }
}
