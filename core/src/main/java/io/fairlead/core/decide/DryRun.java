package io.fairlead.core.decide;

/** Whether a request is only tried: decided, answered, nothing written or claimed. */
public enum DryRun {
  NO,
  YES
}
