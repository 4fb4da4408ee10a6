package io.fairlead.core.decide;

import io.fairlead.core.model.Pod;

/** Why nobody reports the Pods of a node any more. */
public sealed interface Orphaning {
  /** There is no such node: somebody deleted it. */
  record NodeGone() implements Orphaning {}

  /** It was lost in that session. */
  record NodeLost(long session) implements Orphaning {}

  /** Its agent does not have that source any more, in that session. */
  record SourceGone(long session, String source) implements Orphaning {}

  /** Whether a Pod of the node is without a reporter for that reason. */
  default boolean concerns(Pod pod) {
    return switch (this) {
      case NodeGone _, NodeLost _ -> pod.goesWithItsNode();
      case SourceGone(_, var source) -> pod.isOfSourceOfItsNode() && pod.source().equals(source);
    };
  }

  /** What stands in the records as their cause. */
  default String cause() {
    return switch (this) {
      case NodeGone _ -> "node deleted";
      case NodeLost _ -> "node lost for long";
      case SourceGone(_, var source) -> "source " + source + " is gone from the node";
    };
  }
}
