package io.fairlead.agent.source;

import io.fairlead.v1.Pod;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Where Pods of this node come from, of which the agent tells the control plane: a directory of
 * manifests, a container runtime. A source always says all that it has: what it does not name any
 * more is deleted. Sources know nothing of each other; of two that name the same Pod, the one that
 * came first keeps it and the other one is refused.
 */
public interface PodSource {
  /**
   * What it is called in the log, in {@code source} of its Pods: the kind and the node, as in
   * {@code manifests/node-a}. No two of a node have the same name, and it is the same after a
   * restart, as it says whose Pods are deleted.
   */
  String name();

  /**
   * Begins to look.
   *
   * @param listener called with everything there is, first as soon as that is known, then whenever
   *     it changes; from one thread at a time, which is not the caller's. Not called before it is
   *     known: an empty list would delete all Pods
   */
  Watch watch(Consumer<Pods> listener);

  /** A source that looks. */
  interface Watch extends AutoCloseable {
    /** It tells nothing any more; what it told stays. */
    @Override
    void close();
  }

  /**
   * All Pods of a source.
   *
   * @param pods each with {@code source}, {@code spec.nodeName}, a namespace, and a uid that is the
   *     same after a restart
   * @param unknown parts of the source that could not be read since this process started, by name.
   *     While there are any, Pods on record that are not named here stay: they may come from there
   * @param faults why parts of the source are refused, each with its name, the last one last; what
   *     they said before stays
   */
  record Pods(List<Pod> pods, Set<String> unknown, List<String> faults) {
    public Pods {
      pods = List.copyOf(pods);
      unknown = Set.copyOf(unknown);
      faults = List.copyOf(faults);
    }

    /** Of a source without faults. */
    public Pods(List<Pod> pods, Set<String> unknown) {
      this(pods, unknown, List.of());
    }
  }

  /** A source that this node does not have any more, or never had: what came from it is gone. */
  record Ended(String name) implements PodSource {
    @Override
    public Watch watch(Consumer<Pods> listener) {
      return () -> {};
    }
  }
}
