package io.fairlead.eventlog.codec;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.FeatureLevel;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ManualSlice;
import io.fairlead.core.model.Namespace;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectMeta;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.PartitionHeader;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/** Objects and events that use every field, from a seed. Names are few, so that keys repeat. */
public final class RandomEvents {
  private final RandomSource source;
  private final RandomGenerator random;
  private final Partitioning partitioning;

  public RandomEvents(long seed, Partitioning partitioning) {
    this.source = RandomSource.seeded(seed);
    this.random = source.generator();
    this.partitioning = partitioning;
  }

  /** An event that belongs into some partition; headers only into their own. */
  public LogEvent event() {
    return switch (random.nextInt(6)) {
      case 0 -> new LogEvent.Tombstone(object().key());
      case 1 -> new LogEvent.Deleted(object().key(), source.uuid(), envelope());
      default -> new LogEvent.Stored(object(), envelope());
    };
  }

  public DomainObject object() {
    return object(pick(Kind.values()));
  }

  public DomainObject object(Kind kind) {
    return switch (kind) {
      case PARTITION_HEADER -> header();
      case SERVICE -> service();
      case SERVICE_CIDR ->
          new ServiceCidr(clusterMeta("cidr"), list(2, this::cidr), optional(this::instant));
      case NAMESPACE -> new Namespace(clusterMeta("namespace"));
      case RESERVATION ->
          new Reservation(
              source.uuid(),
              instant(),
              name("service"),
              Stream.generate(this::address).distinct().limit(1 + random.nextInt(3)).toList(),
              duration().abs().plusNanos(1));
      case POD -> pod();
      case POD_READINESS ->
          new PodReadiness(
              name("pod"),
              source.uuid(),
              random.nextBoolean(),
              word(),
              random.nextLong(1L << 40),
              random.nextLong(1L << 40),
              maybeEmpty(),
              instant(),
              new TreeMap<>(Map.of("main", instant())),
              random.nextLong(1L << 20),
              list(3, () -> new PodReadiness.Turn(random.nextBoolean(), maybeEmpty(), instant())));
      case NODE ->
          new Node(
              clusterMeta("node"),
              optional(this::word),
              list(2, this::address),
              list(2, this::cidr),
              word(),
              maybeEmpty(),
              random.nextBoolean()
                  ? OptionalLong.of(random.nextLong(1L << 40))
                  : OptionalLong.empty(),
              pick(Node.State.values()),
              maybeEmpty(),
              list(2, this::word));
      case FEATURE_LEVEL -> new FeatureLevel(FeatureLevel.FIRST, source.uuid());
      case ENDPOINT_SLICE ->
          new ManualSlice(
              meta(name("slice")),
              pick(Family.values()),
              list(
                  3,
                  () ->
                      new ManualSlice.Port(
                          maybeEmpty(), pick(Protocol.values()), port(), optional(this::word))),
              list(3, this::endpoint));
    };
  }

  public Envelope envelope() {
    var hash = new byte[32];
    random.nextBytes(hash);
    return new Envelope(
        source.uuid7(instant()),
        instant(),
        "user:" + word(),
        optional(() -> new Envelope.RequestStamp(word(), HexFormat.of().formatHex(hash))),
        optional(this::word),
        optional(this::word));
  }

  private PartitionHeader header() {
    var partition =
        random.nextBoolean()
            ? LogPartition.SERVICES
            : new LogPartition(
                io.fairlead.core.model.Topic.PODS, random.nextInt(partitioning.podsPartitions()));
    return new PartitionHeader(
        partition, partitioning.partitions(partition.topic()), Partitioning.HASH, source.uuid());
  }

  private Service service() {
    return new Service(
        meta(name("service")),
        new ServiceSpec(
            pick(ServiceSpec.Exposure.values()),
            list(2, this::address),
            list(2, () -> pick(Family.values())),
            pick(ServiceSpec.IpFamilyPolicy.values()),
            words(),
            list(3, this::servicePort),
            optional(this::duration),
            pick(ServiceSpec.TrafficPolicy.values()),
            optional(() -> pick(ServiceSpec.TrafficDistribution.values())),
            random.nextBoolean(),
            optional(this::word),
            pick(ServiceSpec.Balancing.values())));
  }

  private ManualSlice.Endpoint endpoint() {
    return new ManualSlice.Endpoint(
        address(),
        random.nextBoolean(),
        random.nextBoolean(),
        random.nextBoolean(),
        optional(this::word),
        optional(this::word),
        optional(this::word),
        list(2, this::word),
        list(2, this::word));
  }

  private ServicePort servicePort() {
    return new ServicePort(
        maybeEmpty(), pick(Protocol.values()), port(), portRef(), optional(this::word));
  }

  private Pod pod() {
    return new Pod(
        meta(name("pod")),
        new Pod.Spec(
            optional(this::word),
            random.nextBoolean(),
            optional(this::word),
            optional(this::word),
            list(3, this::container),
            pick(Pod.RestartPolicy.values()),
            duration(),
            list(2, this::container),
            list(2, this::word),
            random.nextBoolean()),
        new Pod.Status(
            pick(Pod.Phase.values()),
            list(2, this::address),
            maybeEmpty(),
            maybeEmpty(),
            list(2, this::containerStatus),
            optional(this::instant),
            list(2, this::condition)),
        maybeEmpty());
  }

  private Pod.Condition condition() {
    return new Pod.Condition(
        word(), pick(Pod.Condition.State.values()), maybeEmpty(), maybeEmpty(), instant());
  }

  private ContainerStatus containerStatus() {
    return new ContainerStatus(
        word(),
        random.nextInt(9),
        switch (random.nextInt(3)) {
          case 0 -> new ContainerStatus.Waiting(maybeEmpty(), maybeEmpty());
          case 1 -> new ContainerStatus.Running(instant());
          default -> terminated();
        },
        optional(this::terminated));
  }

  private ContainerStatus.Terminated terminated() {
    return new ContainerStatus.Terminated(
        random.nextInt(256), maybeEmpty(), maybeEmpty(), optional(this::instant), instant());
  }

  private Pod.Container container() {
    return new Pod.Container(
        word(),
        word(),
        list(3, this::maybeEmpty),
        list(3, this::maybeEmpty),
        words(),
        list(2, () -> new Pod.ContainerPort(maybeEmpty(), pick(Protocol.values()), port())),
        optional(this::probe),
        optional(this::word),
        optional(this::probe),
        optional(() -> Pod.RestartPolicy.ALWAYS));
  }

  private Pod.Probe probe() {
    Pod.Action action =
        switch (random.nextInt(4)) {
          case 0 ->
              new Pod.HttpGet(
                  pick(Pod.Scheme.values()),
                  optional(this::word),
                  portRef(),
                  maybeEmpty(),
                  list(3, () -> new Pod.HttpHeader(word(), maybeEmpty())));
          case 1 -> new Pod.TcpSocket(optional(this::word), portRef());
          case 2 -> new Pod.Exec(list(3, this::maybeEmpty));
          default -> new Pod.Grpc(port(), maybeEmpty());
        };
    return new Pod.Probe(
        action, duration(), duration(), duration(), random.nextInt(100), random.nextInt(100));
  }

  private ObjectMeta meta(ObjectName name) {
    return new ObjectMeta(
        name.namespace(), name.name(), source.uuid(), words(), words(), instant());
  }

  private ObjectMeta clusterMeta(String prefix) {
    return new ObjectMeta(
        "", prefix + random.nextInt(4), source.uuid(), words(), words(), instant());
  }

  private ObjectName name(String prefix) {
    return new ObjectName("ns" + random.nextInt(4), prefix + random.nextInt(4));
  }

  private PortRef portRef() {
    return random.nextBoolean() ? new PortRef.Number(port()) : new PortRef.Name(word());
  }

  private int port() {
    return 1 + random.nextInt(65535);
  }

  private Address address() {
    return random.nextBoolean()
        ? new Address(Family.IPV4, 0, random.nextLong(1L << 32))
        : new Address(Family.IPV6, random.nextLong(), random.nextLong());
  }

  private Cidr cidr() {
    var address = address();
    int prefix = random.nextInt(address.family().bits() + 1);
    int host = address.family().bits() - prefix;
    BigInteger base = address.value().shiftRight(host).shiftLeft(host);
    return new Cidr(Address.ofValue(address.family(), base), prefix);
  }

  private Instant instant() {
    return Instant.ofEpochSecond(random.nextLong(1L << 32), random.nextInt(1_000_000_000));
  }

  private Duration duration() {
    return Duration.ofSeconds(random.nextLong(100_000), random.nextInt(1_000_000_000));
  }

  private String word() {
    return "w"
        + Integer.toString(random.nextInt(1 << 20), 36)
        + (random.nextInt(4) == 0 ? "é水" : "");
  }

  private String maybeEmpty() {
    return random.nextInt(4) == 0 ? "" : word();
  }

  private SortedMap<String, String> words() {
    var words = new TreeMap<String, String>();
    for (int i = random.nextInt(4); i > 0; i--) {
      words.put(word(), maybeEmpty());
    }
    return words;
  }

  private <T> Optional<T> optional(Supplier<T> value) {
    return random.nextBoolean() ? Optional.of(value.get()) : Optional.empty();
  }

  private <T> List<T> list(int most, Supplier<T> value) {
    return Stream.generate(value).limit(random.nextInt(most + 1)).toList();
  }

  private <T> T pick(T[] values) {
    return values[random.nextInt(values.length)];
  }
}
