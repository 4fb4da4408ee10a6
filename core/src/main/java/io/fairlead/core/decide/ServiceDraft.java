package io.fairlead.core.decide;

import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A Service as a user sent it: nothing is checked, no default is applied, so that all its faults
 * can be named at once. Texts that are absent are "".
 *
 * @param namespace "" = {@code default}
 * @param resourceVersion "" = whatever is there
 * @param uid "" = whatever is there
 * @param affinitySeconds {@code spec.sessionAffinityConfig.clientIP.timeoutSeconds}
 */
public record ServiceDraft(
    String namespace,
    String name,
    String generateName,
    Map<String, String> labels,
    Map<String, String> annotations,
    String resourceVersion,
    String uid,
    String type,
    String clusterIp,
    List<String> clusterIps,
    List<String> ipFamilies,
    String ipFamilyPolicy,
    Map<String, String> selector,
    List<PortDraft> ports,
    String sessionAffinity,
    OptionalInt affinitySeconds,
    String internalTrafficPolicy,
    String trafficDistribution,
    boolean publishNotReadyAddresses,
    String externalName) {
  public ServiceDraft {
    labels = Map.copyOf(labels);
    annotations = Map.copyOf(annotations);
    clusterIps = List.copyOf(clusterIps);
    ipFamilies = List.copyOf(ipFamilies);
    selector = Map.copyOf(selector);
    ports = List.copyOf(ports);
  }

  /**
   * @param protocol "" = TCP
   * @param port 0 = absent
   * @param targetPort a number or a name; "" or "0" = {@code port}
   * @param nodePort 0 = absent
   */
  public record PortDraft(
      String name,
      String protocol,
      int port,
      String targetPort,
      String appProtocol,
      int nodePort) {}

  /** The name it asks for, with the default namespace filled in; its parts are not checked. */
  public ObjectName objectName() {
    return new ObjectName(namespace.isEmpty() ? ObjectName.DEFAULT_NAMESPACE : namespace, name);
  }

  /** The key of that name. */
  public ObjectKey key() {
    return ObjectKey.of(Kind.SERVICE, objectName());
  }

  ServiceDraft withName(String chosen) {
    return new ServiceDraft(
        namespace,
        chosen,
        generateName,
        labels,
        annotations,
        resourceVersion,
        uid,
        type,
        clusterIp,
        clusterIps,
        ipFamilies,
        ipFamilyPolicy,
        selector,
        ports,
        sessionAffinity,
        affinitySeconds,
        internalTrafficPolicy,
        trafficDistribution,
        publishNotReadyAddresses,
        externalName);
  }
}
