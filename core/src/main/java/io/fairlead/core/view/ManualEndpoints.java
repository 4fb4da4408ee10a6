package io.fairlead.core.view;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec.Exposure;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What the EndpointSlices that somebody wrote are worth: a pure function of an image, so that it
 * does not matter which came first, Service, selector or slice.
 */
public final class ManualEndpoints {
  private ManualEndpoints() {}

  /**
   * Slices that count for a Service, sorted by name. Empty with a selector and for ExternalName.
   */
  public static List<ManualSlice> of(ClusterImage image, Service service) {
    return image.slices().of(service.name()).stream()
        .map(Versioned::object)
        .filter(slice -> unused(service, slice).isEmpty())
        .toList();
  }

  /** Why nothing uses a slice, for people; empty where it counts. */
  public static Optional<String> unused(ClusterImage image, ManualSlice slice) {
    var name = slice.service();
    var service = image.services().get(name).map(Versioned::object);
    return service.isPresent()
        ? unused(service.get(), slice)
        : Optional.of("there is no Service " + name);
  }

  private static Optional<String> unused(Service service, ManualSlice slice) {
    if (service.spec().exposure() == Exposure.EXTERNAL_NAME) {
      return Optional.of("Service " + service.name() + " is of type ExternalName");
    }
    if (!service.spec().selector().isEmpty()) {
      return Optional.of("Service " + service.name() + " has a selector");
    }
    if (!service.spec().ipFamilies().contains(slice.family())) {
      return Optional.of("Service " + service.name() + " has no " + slice.family().text());
    }
    return Optional.empty();
  }

  /**
   * Services that a step of the image wrote slices of, or takes slices from; they need not be
   * there.
   *
   * @param image after the step
   */
  public static SortedSet<ObjectName> services(ClusterDelta delta, ClusterImage image) {
    var services = new TreeSet<ObjectName>();
    for (var name : delta.slices()) {
      for (var side : List.of(delta.base(), image)) {
        side.slices().get(name).ifPresent(slice -> services.add(slice.object().service()));
      }
    }
    return services;
  }

  /** Where a Service's port leads; empty where the slice has no port of that name and protocol. */
  static Optional<ManualSlice.Port> target(ServicePort port, ManualSlice slice) {
    return slice.ports().stream()
        .filter(p -> p.name().equals(port.name()) && p.protocol() == port.protocol())
        .findFirst();
  }

  static Endpoint.Conditions conditions(ManualSlice.Endpoint endpoint) {
    return new Endpoint.Conditions(endpoint.ready(), endpoint.serving(), endpoint.terminating());
  }
}
