package io.fairlead.core.run;

/**
 * Told when the production path comes to a {@link FaultPoint}. In production nobody listens; tests
 * let the process die or wait there.
 */
@FunctionalInterface
public interface FaultPoints {
  FaultPoints NONE = _ -> {};

  /** Returns when the process may go on. Called by the thread that does what the point is about. */
  void reached(FaultPoint point);
}
