package io.fairlead.core.decide;

/** What a request did. */
public enum Result {
  CREATED,
  CONFIGURED,
  /** Nothing differs: nothing was written. */
  UNCHANGED,
  DELETED
}
