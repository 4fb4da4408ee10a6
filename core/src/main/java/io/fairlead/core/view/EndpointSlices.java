package io.fairlead.core.view;

import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceSpec.Exposure;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * A Service's endpoints in slices: a pure function of the current objects, without any history of
 * packing, so that every replica and every replay has the same slices under the same names.
 *
 * <p>The endpoints of one family and one set of ports form a binary trie over the bits of SHA-256
 * of the Pod's uid; a node with at most {@link #MAX_ENDPOINTS} of them is a leaf and a slice. A Pod
 * that comes or goes touches the slice of its leaf, and where the leaf splits or two merge, the
 * three of them.
 */
public final class EndpointSlices {
  /** None holds more (the default of Kubernetes' controller). */
  public static final int MAX_ENDPOINTS = 100;

  public static final String SERVICE_NAME_LABEL = ManualSlice.SERVICE_NAME_LABEL;
  public static final String MANAGED_BY_LABEL = ManualSlice.MANAGED_BY_LABEL;
  public static final String MANAGED_BY = ManualSlice.DERIVED;
  public static final String HEADLESS_LABEL = "service.kubernetes.io/headless";

  private static final String BASE32 = "abcdefghijklmnopqrstuvwxyz234567"; // RFC 4648, lower case
  private static final int NAME_CHARACTERS = 10;

  private EndpointSlices() {}

  /** The first 64 bits of the hash suffice: no 101 uids share them. */
  private record Member(long hash, Endpoint endpoint) {
    boolean bit(int index) {
      return (hash >>> (63 - index) & 1) == 1;
    }
  }

  /**
   * All slices of a Service: by family in the Service's order, then by ports, then by place in the
   * trie. Empty without a selector and for ExternalName.
   */
  public static List<EndpointSlice> of(ClusterImage image, Service service) {
    var slices = new ArrayList<EndpointSlice>();
    var labels = labels(service);
    for (var family : service.spec().ipFamilies()) {
      var byPorts = new LinkedHashMap<List<Endpoints.TargetPort>, List<Member>>();
      for (var name : Endpoints.pods(image, service)) {
        var pod = image.pods().get(name);
        var endpoint = pod.flatMap(p -> Endpoints.of(image, service, p.object(), family));
        if (pod.isPresent() && endpoint.isPresent()) {
          byPorts
              .computeIfAbsent(Endpoints.ports(service, pod.get().object()), _ -> new ArrayList<>())
              .add(new Member(hash(pod.get().object().uid()), endpoint.get()));
        }
      }
      byPorts.entrySet().stream()
          .sorted(Comparator.comparing(group -> group.getKey().toString()))
          .forEach(group ->
              split(service, labels, family, group.getKey(), group.getValue(), "", slices));
    }
    return List.copyOf(slices);
  }

  /** The derived slice of that name; costs the Service that it would be of. */
  public static Optional<EndpointSlice> find(ClusterImage image, ObjectName name) {
    int end = name.name().length() - NAME_CHARACTERS - 1;
    if (end < 1 || name.name().charAt(end) != '-') {
      return Optional.empty();
    }
    return image
        .services()
        .get(new ObjectName(name.namespace(), name.name().substring(0, end)))
        .flatMap(service ->
            of(image, service.object()).stream()
                .filter(slice -> slice.name().equals(name.name()))
                .findFirst());
  }

  /**
   * Services whose slices a step of the image may have changed, those that somebody wrote included;
   * there need not be such a Service. Costs what changed.
   *
   * @param image after the step
   */
  public static SortedSet<ObjectName> touched(ClusterDelta delta, ClusterImage image) {
    var services = new TreeSet<>(delta.services());
    services.addAll(ManualEndpoints.services(delta, image));
    for (var name : Entries.pods(delta, image)) {
      for (var side : List.of(delta.base(), image)) {
        side.pods()
            .get(name)
            .ifPresent(pod -> services.addAll(Entries.selecting(side.services(), pod.object())));
      }
    }
    return services;
  }

  private static void split(
      Service service,
      SortedMap<String, String> labels,
      Family family,
      List<Endpoints.TargetPort> ports,
      List<Member> members,
      String path,
      List<EndpointSlice> slices) {
    if (members.isEmpty()) {
      return;
    }
    if (members.size() > MAX_ENDPOINTS) {
      for (boolean bit : new boolean[] {false, true}) {
        var half = members.stream().filter(m -> m.bit(path.length()) == bit).toList();
        split(service, labels, family, ports, half, path + (bit ? "1" : "0"), slices);
      }
      return;
    }
    slices.add(
        new EndpointSlice(
            name(service, family, ports, path),
            service.name(),
            service.uid(),
            service.meta().created(),
            labels,
            family,
            ports,
            members.stream().map(Member::endpoint).toList()));
  }

  private static String name(
      Service service, Family family, List<Endpoints.TargetPort> ports, String path) {
    var text = new StringBuilder();
    // no part contains a line feed, so no two lists of parts give one text
    text.append(service.uid()).append('\n').append(family.text()).append('\n');
    for (var port : ports) {
      text.append(port.name())
          .append('/')
          .append(port.protocol())
          .append('/')
          .append(port.port())
          .append('/')
          .append(port.appProtocol().orElse(""))
          .append('\n');
    }
    var hash = sha256().digest(text.append(path).toString().getBytes(StandardCharsets.UTF_8));
    var name = new StringBuilder(service.meta().name()).append('-');
    for (int i = 0; i < NAME_CHARACTERS; i++) {
      int bit = i * 5;
      int two = (hash[bit / 8] & 0xff) << 8 | (hash[bit / 8 + 1] & 0xff);
      name.append(BASE32.charAt(two >> (11 - bit % 8) & 31));
    }
    return name.toString();
  }

  private static SortedMap<String, String> labels(Service service) {
    var labels = new TreeMap<>(service.meta().labels());
    // last, because these keys are reserved: what a Service says under them does not count
    labels.put(SERVICE_NAME_LABEL, service.meta().name());
    labels.put(MANAGED_BY_LABEL, MANAGED_BY);
    labels.remove(HEADLESS_LABEL);
    if (service.spec().exposure() == Exposure.HEADLESS) {
      labels.put(HEADLESS_LABEL, "");
    }
    return labels;
  }

  private static long hash(UUID uid) {
    return ByteBuffer.wrap(sha256().digest(uid.toString().getBytes(StandardCharsets.UTF_8)))
        .getLong();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
