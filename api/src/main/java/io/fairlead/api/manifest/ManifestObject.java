package io.fairlead.api.manifest;

import io.fairlead.v1.EndpointSlice;
import io.fairlead.v1.Namespace;
import io.fairlead.v1.Pod;
import io.fairlead.v1.Service;
import io.fairlead.v1.ServiceCidr;

/** An object of a manifest. */
public sealed interface ManifestObject {
  /** As {@code kubectl} names it: {@code service/web}. */
  String title();

  record OfService(Service service) implements ManifestObject {
    @Override
    public String title() {
      return "service/" + service.getMetadata().getName();
    }
  }

  record OfPod(Pod pod) implements ManifestObject {
    @Override
    public String title() {
      return "pod/" + pod.getMetadata().getName();
    }
  }

  record OfNamespace(Namespace namespace) implements ManifestObject {
    @Override
    public String title() {
      return "namespace/" + namespace.getMetadata().getName();
    }
  }

  record OfEndpointSlice(EndpointSlice endpointSlice) implements ManifestObject {
    @Override
    public String title() {
      return "endpointslice.discovery.k8s.io/" + endpointSlice.getMetadata().getName();
    }
  }

  record OfServiceCidr(ServiceCidr serviceCidr) implements ManifestObject {
    @Override
    public String title() {
      return "servicecidr/" + serviceCidr.getMetadata().getName();
    }
  }
}
