package io.fairlead.agent.probe;

/** What one probe found. */
public sealed interface ProbeResult {
  /** For people, e.g. {@code http 200}, {@code connection refused}. */
  String words();

  record Passed(String words) implements ProbeResult {}

  record Failed(String words) implements ProbeResult {}

  /** It could not be made: says nothing of the Pod. */
  record NotMade(String words) implements ProbeResult {}

  /** This node will never make it: the Pod is not ready, whatever the thresholds. */
  record Refused(String words) implements ProbeResult {}
}
