package io.fairlead.core.run;

/**
 * Told of broken invariants: what must never happen did. Decided by the wiring, so that tests fail
 * and deciders halt.
 */
@FunctionalInterface
public interface FaultHandler {
  /**
   * Something that must never happen did.
   *
   * @param what what was being done, at which offset
   * @param cause may be the only evidence: never dropped
   */
  void fault(String what, Throwable cause);
}
