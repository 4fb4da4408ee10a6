package io.fairlead.agent.stream;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.ServiceSpec.TrafficPolicy;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.view.Endpoint;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.Entry.PodEntry;
import io.fairlead.core.view.Entry.ServiceCidrEntry;
import io.fairlead.core.view.Entry.ServicePortEntry;
import io.fairlead.core.view.EntryKey;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/** Short words for entries in tests. */
public final class TestEntries {
  private TestEntries() {}

  public static EntryKey.ServicePort portKey(String service) {
    return new EntryKey.ServicePort(new ObjectName("default", service), "http", Protocol.TCP);
  }

  public static UUID uid(String name) {
    return UUID.nameUUIDFromBytes(name.getBytes(StandardCharsets.UTF_8));
  }

  public static ServicePortEntry port(String service, String vip) {
    return new ServicePortEntry(
        portKey(service),
        List.of(Address.of(vip)),
        80,
        Balancing.ROUND_ROBIN,
        Optional.empty(),
        TrafficPolicy.CLUSTER);
  }

  public static EntryKey.Endpoint endpointKey(String service, String address) {
    return new EntryKey.Endpoint(portKey(service), uid(address), Address.of(address).family());
  }

  public static EndpointEntry endpoint(String service, String address) {
    return new EndpointEntry(
        endpointKey(service, address),
        Address.of(address),
        8080,
        Optional.of("node-a"),
        Optional.empty(),
        new Endpoint.Conditions(true, true, false),
        new Endpoint.Hints(new TreeSet<>(), new TreeSet<>()));
  }

  public static ServiceCidrEntry cidr() {
    return new ServiceCidrEntry(
        new EntryKey.ServiceCidr("kubernetes"), List.of(Cidr.of("10.96.0.0/16")));
  }

  /** A Service with endpoints, and the range. */
  public static List<Entry> service(String name, String vip, String... addresses) {
    var entries = new ArrayList<Entry>();
    entries.add(cidr());
    entries.add(port(name, vip));
    for (var address : addresses) {
      entries.add(endpoint(name, address));
    }
    return entries;
  }

  public static EntryKey.ServicePort udpPortKey(String service) {
    return new EntryKey.ServicePort(new ObjectName("default", service), "dns", Protocol.UDP);
  }

  public static EntryKey.Endpoint udpEndpointKey(String service, String address) {
    return new EntryKey.Endpoint(udpPortKey(service), uid(address), Address.of(address).family());
  }

  public static EndpointEntry udpEndpoint(
      String service, String address, Endpoint.Conditions conditions) {
    return new EndpointEntry(
        udpEndpointKey(service, address),
        Address.of(address),
        5353,
        Optional.of("node-a"),
        Optional.empty(),
        conditions,
        new Endpoint.Hints(new TreeSet<>(), new TreeSet<>()));
  }

  public static EndpointEntry udpEndpoint(String service, String address) {
    return udpEndpoint(service, address, new Endpoint.Conditions(true, true, false));
  }

  /** A Service on UDP port 53 with endpoints, and the range. */
  public static List<Entry> udpService(String name, String vip, String... addresses) {
    var entries = new ArrayList<Entry>();
    entries.add(cidr());
    entries.add(
        new ServicePortEntry(
            udpPortKey(name),
            List.of(Address.of(vip)),
            53,
            Balancing.RANDOM,
            Optional.empty(),
            TrafficPolicy.CLUSTER));
    for (var address : addresses) {
      entries.add(udpEndpoint(name, address));
    }
    return entries;
  }

  public static Pod pod(String name, String source, Optional<Pod.Probe> probe) {
    return new Pod(
        new ObjectMeta(
            "default", name, uid(name), new TreeMap<>(), new TreeMap<>(), FakeTime.START),
        new Pod.Spec(
            Optional.of("node-a"),
            false,
            Optional.empty(),
            Optional.empty(),
            List.of(
                new Pod.Container(
                    "main", "", List.of(), List.of(), new TreeMap<>(), List.of(), probe))),
        new Pod.Status(Pod.Phase.RUNNING, List.of(Address.of("127.0.0.1")), "", Optional.empty()),
        source);
  }

  public static PodEntry entry(Pod pod, Optional<PodReadiness> readiness) {
    return new PodEntry(new EntryKey.Pod(pod.name()), pod, readiness);
  }

  public static PodReadiness recorded(Pod pod, boolean ready, long session, String reason) {
    return new PodReadiness(
        pod.name(), pod.uid(), ready, "node-a", session, 1, reason, FakeTime.START);
  }
}
