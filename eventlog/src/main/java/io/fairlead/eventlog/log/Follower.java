package io.fairlead.eventlog.log;

/** A running reader. Owns its thread; close waits for the call in progress to end. */
public interface Follower extends AutoCloseable {
  @Override
  void close();
}
