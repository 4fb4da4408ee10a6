package io.fairlead.standalone.pods.run;

import io.fairlead.core.env.ServiceEnvironment;
import io.fairlead.core.env.ServiceEnvironment.Links;
import io.fairlead.core.model.Pod;
import io.fairlead.core.run.GatewayException;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The Services' variables of the moment. While the control plane is away, those of the last time
 * are given; where there was none, a container has to wait rather than start without. Soft. Any
 * thread.
 */
final class ServiceVariables {
  private final PodApi api;
  private final Map<Kind, SequencedMap<String, String>> last = new ConcurrentHashMap<>();

  private record Kind(String namespace, Links links) {}

  ServiceVariables(PodApi api) {
    this.api = api;
  }

  /**
   * For a container of that Pod which starts now.
   *
   * @throws GatewayException nobody answers, or did before
   */
  SequencedMap<String, String> of(Pod pod) {
    var namespace = pod.meta().namespace();
    var links = pod.spec().enableServiceLinks() ? Links.ENABLED : Links.DISABLED;
    var kind = new Kind(namespace, links);
    try {
      var now = ServiceEnvironment.of(namespace, links, api.services(namespace));
      last.put(kind, now);
      return now;
    } catch (GatewayException e) {
      var before = last.get(kind);
      if (before == null) {
        throw e;
      }
      return before;
    }
  }
}
