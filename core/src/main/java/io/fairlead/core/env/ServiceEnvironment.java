package io.fairlead.core.env;

import io.fairlead.core.decide.ServicesDecider;
import io.fairlead.core.image.ServicesImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServicePort;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;

/**
 * The variables by which a program finds the Services of its namespace without DNS, in the form
 * that Docker's links had, as in Kubernetes ("Discovering services", "Environment variables"). A
 * pure function; what a container got at its start does not change any more.
 */
public final class ServiceEnvironment {
  /** Which Services a Pod is told of: {@code spec.enableServiceLinks}. */
  public enum Links {
    /** Those of its namespace, and {@code default/fairlead}, as {@code kubernetes} there. */
    ENABLED,
    /** Only {@code default/fairlead}. */
    DISABLED
  }

  private ServiceEnvironment() {}

  /**
   * The variables of a container that starts now, Service by Service, those of one port together;
   * {@code HOST} and {@code ADDR} are bare addresses, those in URLs have brackets where they are
   * IPv6. Only Services with a ClusterIP count, and of those with two only the primary one. Where
   * two Services ask for one variable ({@code foo} and {@code foo-port-80-tcp}), the later one in
   * the order of names has it, so that the outcome does not depend on chance.
   *
   * @param namespace of the Pod
   * @param services may be those of other namespaces, too
   */
  public static SequencedMap<String, String> of(
      String namespace, Links links, Collection<Service> services) {
    var variables = new LinkedHashMap<String, String>();
    services.stream()
        .filter(service -> concerns(service, namespace, links))
        .filter(service -> !service.spec().clusterIps().isEmpty())
        // the control plane's first: a Service of that name in the Pod's own namespace overrides it
        .sorted(
            Comparator.<Service, Boolean>comparing(s -> s.name().namespace().equals(namespace))
                .thenComparing(Service::name))
        .forEach(service -> add(service, variables));
    return Collections.unmodifiableSequencedMap(variables);
  }

  /** The same, of those of an image; costs the Services of the namespace. */
  public static SequencedMap<String, String> of(
      String namespace, Links links, ServicesImage services) {
    var concerned = new ArrayList<Service>();
    services.byNamespace(namespace).forEach(service -> concerned.add(service.object()));
    if (!ServicesDecider.CONTROL_PLANE.namespace().equals(namespace)) {
      services.get(ServicesDecider.CONTROL_PLANE).ifPresent(own -> concerned.add(own.object()));
    }
    return of(namespace, links, concerned);
  }

  private static boolean concerns(Service service, String namespace, Links links) {
    return service.name().equals(ServicesDecider.CONTROL_PLANE)
        || (links == Links.ENABLED && service.name().namespace().equals(namespace));
  }

  private static void add(Service service, SequencedMap<String, String> variables) {
    var ports = service.spec().ports();
    if (ports.isEmpty()) {
      return; // cannot be: a Service with a ClusterIP has a port
    }
    var prefix = mangled(service.name().name());
    var address = service.spec().clusterIps().getFirst();
    variables.put(prefix + "_SERVICE_HOST", address.toString());
    variables.put(prefix + "_SERVICE_PORT", Integer.toString(ports.getFirst().port()));
    for (var port : ports) {
      if (!port.name().isEmpty()) {
        variables.put(
            prefix + "_SERVICE_PORT_" + mangled(port.name()), Integer.toString(port.port()));
      }
    }
    variables.put(prefix + "_PORT", url(ports.getFirst(), address));
    for (var port : ports) {
      var each = prefix + "_PORT_" + port.port() + "_" + port.protocol().name();
      variables.put(each, url(port, address));
      variables.put(each + "_PROTO", protocol(port));
      variables.put(each + "_PORT", Integer.toString(port.port()));
      variables.put(each + "_ADDR", address.toString());
    }
  }

  private static String url(ServicePort port, Address address) {
    var host = address.family() == Family.IPV6 ? "[" + address + "]" : address.toString();
    return protocol(port) + "://" + host + ":" + port.port();
  }

  private static String protocol(ServicePort port) {
    return port.protocol().name().toLowerCase(Locale.ROOT);
  }

  private static String mangled(String name) {
    return name.toUpperCase(Locale.ROOT).replace('-', '_');
  }
}
