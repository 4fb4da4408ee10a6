package io.fairlead.standalone.pods.run;

import io.fairlead.core.env.ServiceEnvironment;
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
  private final Map<String, SequencedMap<String, String>> last = new ConcurrentHashMap<>();

  ServiceVariables(PodApi api) {
    this.api = api;
  }

  /**
   * For a container that starts now.
   *
   * @throws GatewayException nobody answers, or did before
   */
  SequencedMap<String, String> of(String namespace) {
    try {
      var now =
          ServiceEnvironment.of(
              namespace, ServiceEnvironment.Links.ENABLED, api.services(namespace));
      last.put(namespace, now);
      return now;
    } catch (GatewayException e) {
      var before = last.get(namespace);
      if (before == null) {
        throw e;
      }
      return before;
    }
  }
}
