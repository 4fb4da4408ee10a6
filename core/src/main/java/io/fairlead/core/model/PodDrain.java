package io.fairlead.core.model;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The mark of a Pod that is to get no new connections, although it runs and answers: endpoints of
 * such a Pod are terminating. Unlike a deletion it ends nothing, so that whoever ends the Pod can
 * wait until no node sends anything there. An annotation, so that it is an ordinary part of the
 * Pod; only the server sets and removes it, whatever manifests say.
 */
public final class PodDrain {
  public static final String ANNOTATION = "fairlead.io/draining";

  private static final String VALUE = "true";

  private PodDrain() {}

  /** Whether the Pod gets no new connections. */
  public static boolean isDraining(Pod pod) {
    return pod.meta().annotations().containsKey(ANNOTATION);
  }

  /** The annotations of a Pod that is drained, or is not, whatever they said before. */
  public static SortedMap<String, String> mark(Map<String, String> annotations, Drain drain) {
    var marked = new TreeMap<>(annotations);
    switch (drain) {
      case ON -> marked.put(ANNOTATION, VALUE);
      case OFF -> marked.remove(ANNOTATION);
    }
    return marked;
  }

  /** Whether a Pod is drained. */
  public enum Drain {
    ON,
    OFF;

    public static Drain of(Pod pod) {
      return isDraining(pod) ? ON : OFF;
    }
  }
}
