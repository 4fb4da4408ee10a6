package io.fairlead.eventlog.log;

import io.fairlead.core.model.Position;
import io.fairlead.core.record.LogEntry;
import java.util.List;

/** Called on the follower's thread only. */
public interface FollowListener {
  /**
   * What comes next.
   *
   * @param entries in order within each partition; may be empty where only the position moved
   *     (transaction markers take offsets)
   * @param applied everything before it was delivered, in this call or earlier ones
   */
  void onEntries(List<LogEntry> entries, Position applied);

  /** The log cannot be reached, or can again; for health only. The follower goes on trying. */
  void onConnection(Connection state);

  /**
   * The follower stopped for good: another log, a missing offset, a record that cannot be read, a
   * listener that threw.
   */
  void onFault(Throwable cause);

  enum Connection {
    CONNECTED,
    LOST
  }
}
