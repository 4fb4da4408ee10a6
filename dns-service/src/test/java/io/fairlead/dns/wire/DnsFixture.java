package io.fairlead.dns.wire;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.model.ServiceSpec.Exposure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/**
 * The fixture's manifests as an image. Here endpoints are made of Pods, so each endpoint of its
 * slices becomes a Pod that its Service alone selects.
 */
final class DnsFixture {
  private final List<DomainObject> objects = new ArrayList<>();

  static ClusterImage image() {
    var fixture = new DnsFixture();
    try (var in = DnsFixture.class.getResourceAsStream("/conformance/dns-fixture.yaml")) {
      for (var document : new Load(LoadSettings.builder().build()).loadAllFromInputStream(in)) {
        fixture.add(new Node(document));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return TestObjects.image(fixture.objects.toArray(DomainObject[]::new));
  }

  /** A mapping of a manifest. */
  private record Node(Object value) {
    Map<?, ?> map() {
      return value instanceof Map<?, ?> map ? map : Map.of();
    }

    Node at(String key) {
      return new Node(map().containsKey(key) ? map().get(key) : "");
    }

    List<Node> list(String key) {
      return at(key).value instanceof List<?> list
          ? list.stream().map(Node::new).toList()
          : List.of();
    }

    String text(String key) {
      return at(key).toString();
    }

    boolean is(String key, boolean otherwise) {
      return at(key).value instanceof Boolean flag ? flag : otherwise;
    }

    @Override
    public String toString() {
      return value.toString();
    }
  }

  private void add(Node manifest) {
    switch (manifest.text("kind")) {
      case "Service" -> objects.add(service(manifest));
      case "Namespace" ->
          objects.add(
              new Namespace(TestObjects.meta("", manifest.at("metadata").text("name"), Map.of())));
      case "EndpointSlice" -> {
        var service = manifest.at("metadata").at("labels").text("kubernetes.io/service-name");
        for (var endpoint : manifest.list("endpoints")) {
          pod(manifest.at("metadata").text("namespace"), service, endpoint);
        }
      }
      default -> {} // a Pod of set-ups that are not offered
    }
  }

  private static Service service(Node manifest) {
    var namespace = manifest.at("metadata").text("namespace");
    var name = manifest.at("metadata").text("name");
    var spec = manifest.at("spec");
    var external = Optional.of(spec.text("externalName")).filter(text -> !text.isEmpty());
    var ips =
        spec.list("clusterIPs").stream()
            .map(Node::toString)
            .filter(ip -> !ip.equals("None"))
            .map(Address::of)
            .toList();
    var families =
        spec.list("ipFamilies").isEmpty()
            ? List.of(Family.IPV4)
            : spec.list("ipFamilies").stream()
                .map(f -> f.toString().equals("IPv6") ? Family.IPV6 : Family.IPV4)
                .toList();
    var defaults = TestObjects.service(name, "10.96.255.1").spec();
    return new Service(
        TestObjects.meta(namespace, name, Map.of()),
        new ServiceSpec(
            external.isPresent()
                ? Exposure.EXTERNAL_NAME
                : ips.isEmpty() ? Exposure.HEADLESS : Exposure.CLUSTER_IP,
            ips,
            external.isPresent() ? List.of() : families,
            defaults.ipFamilyPolicy(),
            new TreeMap<>(Map.of("service", name)),
            spec.list("ports").stream().map(DnsFixture::port).toList(),
            Optional.empty(),
            defaults.internalTrafficPolicy(),
            Optional.empty(),
            spec.is("publishNotReadyAddresses", false),
            external,
            defaults.balancing()));
  }

  private static ServicePort port(Node port) {
    int number = Integer.parseInt(port.text("port"));
    var target = port.text("targetPort");
    return new ServicePort(
        port.text("name"),
        Protocol.valueOf(port.text("protocol")),
        number,
        new PortRef.Number(target.isEmpty() ? number : Integer.parseInt(target)),
        Optional.empty());
  }

  private void pod(String namespace, String service, Node endpoint) {
    var conditions = endpoint.at("conditions");
    var address = endpoint.list("addresses").getFirst().toString();
    var hostname = Optional.of(endpoint.text("hostname")).filter(text -> !text.isEmpty());
    var pod =
        TestObjects.pod(
            service + "-" + address.replace('.', '-').replace(':', '-'), service, "n", address);
    if (!conditions.is("ready", true) || !conditions.is("serving", true)) {
      pod = TestObjects.probed(pod); // nobody reported it ready
    }
    if (conditions.is("terminating", false)) {
      pod = TestObjects.terminating(pod);
    }
    objects.add(
        new Pod(
            TestObjects.meta(namespace, pod.meta().name(), Map.of("service", service)),
            new Pod.Spec(
                pod.spec().nodeName(),
                false,
                hostname,
                hostname.map(_ -> service),
                pod.spec().containers()),
            pod.status(),
            pod.source()));
  }
}
