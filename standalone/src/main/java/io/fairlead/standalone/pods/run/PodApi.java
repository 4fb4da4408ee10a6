package io.fairlead.standalone.pods.run;

import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Service;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * What is asked of the control plane. Each call throws {@link
 * io.fairlead.core.run.GatewayException} where nobody answers; each may be repeated. Any thread.
 */
public interface PodApi {
  /** What a watch tells. */
  sealed interface Event {}

  /** It is there, or has changed. */
  record Present(KnownPod pod) implements Event {}

  /** It is gone for good. */
  record Gone(UUID uid) implements Event {}

  /** All that was there when the watch began was told. */
  record Synced() implements Event {}

  /** What became of a request. */
  enum Answer {
    DONE,
    /** There is no such Pod any more, or another one of its name. */
    GONE,
    /** It would not be taken another time either; was logged. */
    REFUSED
  }

  /**
   * Hands all Pods of all namespaces to the caller's thread, then each change, until the control
   * plane goes away.
   */
  void watch(Consumer<Event> events);

  /** Binds the Pod to the report's node and replaces its status. */
  Answer report(Pod pod, PodReport report);

  /** Removes the Pod's record at once: nothing of it runs any more. */
  Answer delete(Pod pod);

  /** The Services that a Pod of the namespace may be told of, and perhaps others. */
  List<Service> services(String namespace);
}
