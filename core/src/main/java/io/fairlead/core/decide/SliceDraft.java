package io.fairlead.core.decide;

import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An EndpointSlice as a user sent it: nothing is checked, no default is applied. Texts that are
 * absent are "".
 *
 * @param namespace "" = {@code default}
 * @param generateName beginning of a name that is made, where there is none
 * @param resourceVersion "" = whatever is there
 * @param uid "" = whatever is there
 */
public record SliceDraft(
    String namespace,
    String name,
    String generateName,
    Map<String, String> labels,
    Map<String, String> annotations,
    String resourceVersion,
    String uid,
    String addressType,
    List<PortDraft> ports,
    List<EndpointDraft> endpoints) {
  public SliceDraft {
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
    ports = List.copyOf(ports);
    endpoints = List.copyOf(endpoints);
  }

  /**
   * @param protocol "" = TCP
   * @param port 0 = absent
   */
  public record PortDraft(String name, String protocol, int port, String appProtocol) {}

  /** Conditions that are absent: ready, serving, not terminating. */
  public record EndpointDraft(
      List<String> addresses,
      Optional<Boolean> ready,
      Optional<Boolean> serving,
      Optional<Boolean> terminating,
      String hostname,
      String nodeName,
      String zone,
      List<String> forZones,
      List<String> forNodes) {
    public EndpointDraft {
      addresses = List.copyOf(addresses);
      forZones = List.copyOf(forZones);
      forNodes = List.copyOf(forNodes);
    }
  }

  /** The name it asks for, with the default namespace filled in; its parts are not checked. */
  public ObjectName objectName() {
    return new ObjectName(namespace.isEmpty() ? ObjectName.DEFAULT_NAMESPACE : namespace, name);
  }

  /** The key of that name. */
  public ObjectKey key() {
    return ObjectKey.of(Kind.ENDPOINT_SLICE, objectName());
  }
}
