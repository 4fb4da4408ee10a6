package io.fairlead.core.view;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.ServiceSpec.TrafficPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a node is told: the smallest parts of an image that its rules are made of. The same for
 * every node, so that they are encoded once; only a {@link PodEntry} concerns one node alone.
 */
public sealed interface Entry {
  EntryKey key();

  /**
   * A port of a ClusterIP Service. Headless and ExternalName Services have none.
   *
   * @param vips the addresses the Service has, primary first; never empty. An address that an older
   *     Service has is not among them.
   * @param resetsConnections over TCP, to endpoints that are gone
   */
  record ServicePortEntry(
      EntryKey.ServicePort key,
      List<Address> vips,
      int port,
      Balancing balancing,
      Optional<Duration> affinity,
      TrafficPolicy internalTrafficPolicy,
      boolean resetsConnections)
      implements Entry {
    public ServicePortEntry {
      vips = List.copyOf(vips);
    }

    /** Of a Service that lets its connections hang. */
    public ServicePortEntry(
        EntryKey.ServicePort key,
        List<Address> vips,
        int port,
        Balancing balancing,
        Optional<Duration> affinity,
        TrafficPolicy internalTrafficPolicy) {
      this(key, vips, port, balancing, affinity, internalTrafficPolicy, false);
    }
  }

  /**
   * A Pod, or what somebody wrote into an EndpointSlice, behind a service port, with its address of
   * one family.
   *
   * @param port at that address
   * @param node where it runs, if known
   */
  record EndpointEntry(
      EntryKey.Endpoint key,
      Address address,
      int port,
      Optional<String> node,
      Optional<String> zone,
      Endpoint.Conditions conditions,
      Endpoint.Hints hints)
      implements Entry {}

  /**
   * A Pod of a node, for its probes.
   *
   * @param readiness what is on record for exactly this Pod, so that its agent can contradict
   */
  record PodEntry(EntryKey.Pod key, Pod pod, Optional<PodReadiness> readiness) implements Entry {}

  /** Ranges of ClusterIPs. */
  record ServiceCidrEntry(EntryKey.ServiceCidr key, List<Cidr> cidrs) implements Entry {
    public ServiceCidrEntry {
      cidrs = List.copyOf(cidrs);
    }
  }
}
