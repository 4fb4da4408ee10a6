package io.fairlead.agent.probe;

import io.fairlead.core.model.Pod;
import java.time.Duration;
import java.util.List;

/** Where the programs of exec probes are run. Any thread. */
public interface Commands {
  /**
   * Runs a program for a container and waits for its end.
   *
   * @param timeout after which it is killed with what it has started
   */
  ProbeResult run(Pod pod, Pod.Container container, List<String> command, Duration timeout)
      throws InterruptedException;

  /** On no node: an agent that was told neither of the ways. */
  static Commands none() {
    return (_, _, _, _) ->
        new ProbeResult.Refused(
            "exec probe refused: this agent has no --pod-runtime, and no --allow-exec-probes");
  }

  /**
   * In the place of the container where something runs it; else on the node.
   *
   * @param inPods of Pods that are run as processes
   * @param onNode of all others
   */
  static Commands split(Commands inPods, Commands onNode) {
    return (pod, container, command, timeout) ->
        (pod.isRun() ? inPods : onNode).run(pod, container, command, timeout);
  }

  /** Of Pods that are run as processes, where nobody said by what. */
  static Commands noRuntime() {
    return (_, _, _, _) ->
        new ProbeResult.Refused(
            "exec probe refused: the agent was not told what runs this Pod (--pod-runtime)");
  }

  /** Of Pods that are only addresses to this node: a manifest must not run programs on it. */
  static Commands notOnNode() {
    return (_, _, _, _) ->
        new ProbeResult.Refused(
            "exec probe refused: it would run on the node itself, which its agent allows only with --allow-exec-probes");
  }
}
