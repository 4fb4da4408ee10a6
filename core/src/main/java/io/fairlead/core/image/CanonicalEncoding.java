package io.fairlead.core.image;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * An object as bytes, for digests: the same bytes on every replica, whatever the version of
 * protobuf. Never stored, never read back; a change of it changes every digest, so replicas with
 * different encodings cannot be compared.
 *
 * <p>An object is the text of its kind, then every field of its record in the order of declaration.
 * In it, all numbers big-endian:
 *
 * <ul>
 *   <li>int: 4 bytes; long: 8; boolean: 1 byte, 0 or 1
 *   <li>text: length in bytes as int, then UTF-8; an enum constant: its Java name as text
 *   <li>list, map: number of elements as int, then the elements in their order; a map's as key,
 *       value, sorted by key
 *   <li>what may be absent: 1 byte, 0 or 1, then the value where it is there
 *   <li>a case of a sealed type: its Java simple name as text, then its fields
 *   <li>instant, duration: seconds as long, nanoseconds as int; UUID: two longs
 *   <li>what was added to a record later: at the end of the object and only where it is not the
 *       default, its name as text before it, so that older objects keep their bytes
 *   <li>address: 1 byte for its length, 4 or 16, then its bytes; block: address and prefix length
 *       as int
 * </ul>
 */
final class CanonicalEncoding {
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private byte[] bytes = new byte[1024];
  private int length;

  static byte[] encode(DomainObject object) {
    var encoding = new CanonicalEncoding();
    encoding.write(object);
    return Arrays.copyOf(encoding.bytes, encoding.length);
  }

  /** The encoding of the object that was written last, in the first {@link #length} bytes. */
  byte[] buffer() {
    return bytes;
  }

  int length() {
    return length;
  }

  /** In the place of the one before. */
  void write(DomainObject object) {
    length = 0;
    switch (object) {
      case PartitionHeader header -> {
        text(Kind.PARTITION_HEADER.text());
        header(header);
      }
      case Service service -> {
        text(Kind.SERVICE.text());
        service(service);
      }
      case ServiceCidr cidr -> {
        text(Kind.SERVICE_CIDR.text());
        serviceCidr(cidr);
      }
      case Namespace namespace -> {
        text(Kind.NAMESPACE.text());
        meta(namespace.meta());
      }
      case Reservation reservation -> {
        text(Kind.RESERVATION.text());
        reservation(reservation);
      }
      case Pod pod -> {
        text(Kind.POD.text());
        pod(pod);
      }
      case PodReadiness readiness -> {
        text(Kind.POD_READINESS.text());
        readiness(readiness);
      }
      case Node node -> {
        text(Kind.NODE.text());
        node(node);
      }
      case ManualSlice slice -> {
        text(Kind.ENDPOINT_SLICE.text());
        slice(slice);
      }
      case FeatureLevel level -> {
        text(Kind.FEATURE_LEVEL.text());
        number(level.level());
        uuid(level.uid());
      }
    }
  }

  private void header(PartitionHeader header) {
    constant(header.partition().topic());
    number(header.partition().index());
    number(header.partitions());
    text(header.hash());
    uuid(header.uid());
  }

  private void service(Service service) {
    meta(service.meta());
    spec(service.spec());
  }

  private void spec(ServiceSpec spec) {
    constant(spec.exposure());
    list(spec.clusterIps(), this::address);
    list(spec.ipFamilies(), this::constant);
    constant(spec.ipFamilyPolicy());
    map(spec.selector());
    list(spec.ports(), this::servicePort);
    maybe(spec.clientIpAffinity(), this::duration);
    constant(spec.internalTrafficPolicy());
    maybe(spec.trafficDistribution(), this::constant);
    flag(spec.publishNotReadyAddresses());
    maybe(spec.externalName(), this::text);
    constant(spec.balancing());
  }

  private void servicePort(ServicePort port) {
    text(port.name());
    constant(port.protocol());
    number(port.port());
    portRef(port.targetPort());
    maybe(port.appProtocol(), this::text);
  }

  private void serviceCidr(ServiceCidr cidr) {
    meta(cidr.meta());
    list(cidr.cidrs(), this::cidr);
    maybe(cidr.deleting(), this::instant);
  }

  private void reservation(Reservation reservation) {
    uuid(reservation.uid());
    instant(reservation.created());
    objectName(reservation.holder());
    list(reservation.addresses(), this::address);
    duration(reservation.ttl());
  }

  private void pod(Pod pod) {
    meta(pod.meta());
    maybe(pod.spec().nodeName(), this::text);
    flag(pod.spec().hostNetwork());
    maybe(pod.spec().hostname(), this::text);
    maybe(pod.spec().subdomain(), this::text);
    list(pod.spec().containers(), this::container);
    constant(pod.spec().restartPolicy());
    duration(pod.spec().terminationGrace());
    constant(pod.status().phase());
    list(pod.status().ips(), this::address);
    text(pod.status().reason());
    text(pod.status().message());
    list(pod.status().containers(), this::containerStatus);
    maybe(pod.status().deleting(), this::instant);
    text(pod.source());
    for (int i = 0; i < pod.spec().containers().size(); i++) {
      lateOfContainer(i, pod.spec().containers().get(i));
    }
    late("initContainers", pod.spec().initContainers(), this::container);
    for (int i = 0; i < pod.spec().initContainers().size(); i++) {
      lateOfContainer(i, pod.spec().initContainers().get(i));
    }
    late("readinessGates", pod.spec().readinessGates(), this::text);
    if (!pod.spec().enableServiceLinks()) {
      text("noServiceLinks");
    }
    late("conditions", pod.status().conditions(), this::condition);
  }

  private void lateOfContainer(int index, Pod.Container container) {
    container
        .startupProbe()
        .ifPresent(probe -> {
          text("startupProbe");
          number(index);
          probe(probe);
        });
    container
        .restartPolicy()
        .ifPresent(policy -> {
          text("restartPolicy");
          number(index);
          constant(policy);
        });
  }

  private <T> void late(String name, List<T> values, Consumer<T> write) {
    if (!values.isEmpty()) {
      text(name);
      list(values, write);
    }
  }

  private void condition(Pod.Condition condition) {
    text(condition.type());
    constant(condition.state());
    text(condition.reason());
    text(condition.message());
    instant(condition.since());
  }

  private void container(Pod.Container container) {
    text(container.name());
    text(container.image());
    list(container.command(), this::text);
    list(container.args(), this::text);
    map(container.env());
    list(container.ports(), this::containerPort);
    maybe(container.readinessProbe(), this::probe);
    maybe(container.workingDir(), this::text);
  }

  private void containerStatus(ContainerStatus status) {
    text(status.name());
    number(status.restartCount());
    containerState(status.state());
    maybe(status.last(), this::containerState);
  }

  private void containerState(ContainerStatus.State state) {
    switch (state) {
      case ContainerStatus.Waiting(var reason, var message) -> {
        text("Waiting");
        text(reason);
        text(message);
      }
      case ContainerStatus.Running(var started) -> {
        text("Running");
        instant(started);
      }
      case ContainerStatus.Terminated(
              int exitCode,
              var reason,
              var message,
              var started,
              var finished) -> {
        text("Terminated");
        number(exitCode);
        text(reason);
        text(message);
        maybe(started, this::instant);
        instant(finished);
      }
    }
  }

  private void containerPort(Pod.ContainerPort port) {
    text(port.name());
    constant(port.protocol());
    number(port.containerPort());
  }

  private void probe(Pod.Probe probe) {
    switch (probe.action()) {
      case Pod.HttpGet(var scheme, var host, var port, var path, var headers) -> {
        text("HttpGet");
        constant(scheme);
        maybe(host, this::text);
        portRef(port);
        text(path);
        list(
            headers,
            header -> {
              text(header.name());
              text(header.value());
            });
      }
      case Pod.TcpSocket(var host, var port) -> {
        text("TcpSocket");
        maybe(host, this::text);
        portRef(port);
      }
      case Pod.Exec(var command) -> {
        text("Exec");
        list(command, this::text);
      }
      case Pod.Grpc(int port, var service) -> {
        text("Grpc");
        number(port);
        text(service);
      }
    }
    duration(probe.initialDelay());
    duration(probe.period());
    duration(probe.timeout());
    number(probe.successThreshold());
    number(probe.failureThreshold());
  }

  private void readiness(PodReadiness readiness) {
    objectName(readiness.pod());
    uuid(readiness.podUid());
    flag(readiness.ready());
    text(readiness.node());
    number(readiness.session());
    number(readiness.sequence());
    text(readiness.reason());
    instant(readiness.since());
    late(
        "runs",
        List.copyOf(readiness.runs().entrySet()),
        run -> {
          text(run.getKey());
          instant(run.getValue());
        });
    if (readiness.turns() != 0) {
      text("turns");
      number(readiness.turns());
    }
    late(
        "latest",
        readiness.latest(),
        turn -> {
          flag(turn.ready());
          text(turn.reason());
          instant(turn.at());
        });
  }

  private void node(Node node) {
    meta(node.meta());
    maybe(node.zone(), this::text);
    list(node.addresses(), this::address);
    list(node.podCidrs(), this::cidr);
    text(node.agentVersion());
    maybe(
        node.session().isPresent() ? Optional.of(node.session().getAsLong()) : Optional.empty(),
        this::number);
    constant(node.state());
    text(node.reason());
    // last, so that Nodes without them keep their bytes
    if (!node.instance().isEmpty() || !node.sources().isEmpty()) {
      text(node.instance());
    }
    if (!node.sources().isEmpty()) {
      list(node.sources(), this::text);
    }
  }

  private void slice(ManualSlice slice) {
    meta(slice.meta());
    constant(slice.family());
    list(slice.ports(), this::slicePort);
    list(slice.endpoints(), this::endpoint);
  }

  private void slicePort(ManualSlice.Port port) {
    text(port.name());
    constant(port.protocol());
    number(port.port());
    maybe(port.appProtocol(), this::text);
  }

  private void endpoint(ManualSlice.Endpoint endpoint) {
    address(endpoint.address());
    flag(endpoint.ready());
    flag(endpoint.serving());
    flag(endpoint.terminating());
    maybe(endpoint.hostname(), this::text);
    maybe(endpoint.nodeName(), this::text);
    maybe(endpoint.zone(), this::text);
    list(endpoint.zones(), this::text);
    list(endpoint.nodes(), this::text);
  }

  private void meta(ObjectMeta meta) {
    text(meta.namespace());
    text(meta.name());
    uuid(meta.uid());
    map(meta.labels());
    map(meta.annotations());
    instant(meta.created());
  }

  private void objectName(ObjectName name) {
    text(name.namespace());
    text(name.name());
  }

  private void portRef(PortRef port) {
    switch (port) {
      case PortRef.Number(int number) -> {
        text("Number");
        number(number);
      }
      case PortRef.Name(var name) -> {
        text("Name");
        text(name);
      }
    }
  }

  private void address(Address address) {
    switch (address.family()) {
      case IPV4 -> {
        octet(4);
        number((int) address.low());
      }
      case IPV6 -> {
        octet(16);
        number(address.high());
        number(address.low());
      }
    }
  }

  private void cidr(Cidr cidr) {
    address(cidr.base());
    number(cidr.prefix());
  }

  private void instant(Instant instant) {
    number(instant.getEpochSecond());
    number(instant.getNano());
  }

  private void duration(Duration duration) {
    number(duration.getSeconds());
    number(duration.getNano());
  }

  private void uuid(UUID uuid) {
    number(uuid.getMostSignificantBits());
    number(uuid.getLeastSignificantBits());
  }

  private <T> void maybe(Optional<T> value, Consumer<T> write) {
    flag(value.isPresent());
    value.ifPresent(write);
  }

  private <T> void list(Collection<T> values, Consumer<T> write) {
    number(values.size());
    values.forEach(write);
  }

  private void map(SortedMap<String, String> map) {
    number(map.size());
    for (Map.Entry<String, String> entry : map.entrySet()) {
      text(entry.getKey());
      text(entry.getValue());
    }
  }

  private void constant(Enum<?> constant) {
    text(constant.name());
  }

  private void text(String text) {
    int chars = text.length();
    room(Integer.BYTES + chars);
    int at = length + Integer.BYTES;
    for (int i = 0; i < chars; i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        utf8(text);
        return;
      }
      bytes[at + i] = (byte) c;
    }
    INT.set(bytes, length, chars);
    length = at + chars;
  }

  private void utf8(String text) {
    var encoded = text.getBytes(StandardCharsets.UTF_8);
    room(Integer.BYTES + encoded.length);
    number(encoded.length);
    System.arraycopy(encoded, 0, bytes, length, encoded.length);
    length += encoded.length;
  }

  private void flag(boolean flag) {
    octet(flag ? 1 : 0);
  }

  private void octet(int octet) {
    room(1);
    bytes[length++] = (byte) octet;
  }

  private void number(int number) {
    room(Integer.BYTES);
    INT.set(bytes, length, number);
    length += Integer.BYTES;
  }

  private void number(long number) {
    room(Long.BYTES);
    LONG.set(bytes, length, number);
    length += Long.BYTES;
  }

  private void room(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }
}
