package io.fairlead.api;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.ServiceSpec.TrafficPolicy;
import io.fairlead.core.view.Endpoint;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.Entry.PodEntry;
import io.fairlead.core.view.Entry.ServiceCidrEntry;
import io.fairlead.core.view.Entry.ServicePortEntry;
import io.fairlead.core.view.EntryKey;
import io.fairlead.v1.RecordedReadiness;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;

/** Entries of the streams to the nodes. */
public final class EntryCodec {
  private EntryCodec() {}

  public static io.fairlead.v1.Entry proto(Entry entry) {
    var proto = io.fairlead.v1.Entry.newBuilder().setKey(entry.key().text());
    switch (entry) {
      case ServicePortEntry(
              _,
              var vips,
              var port,
              var balancing,
              var affinity,
              var policy,
              var resets) ->
          proto
              .getServicePortBuilder()
              .addAllVips(vips.stream().map(Address::toString).toList())
              .setPort(port)
              .setBalancing(balancing.text())
              .setAffinitySeconds(Math.toIntExact(affinity.map(Duration::toSeconds).orElse(0L)))
              .setInternalTrafficPolicy(policy.text())
              .setResetConnections(resets);
      case EndpointEntry(
              _,
              var address,
              var port,
              var node,
              var zone,
              Endpoint.Conditions(var ready, var serving, var terminating),
              Endpoint.Hints(var zones, var nodes)) -> {
        var endpoint =
            proto
                .getEndpointBuilder()
                .setAddress(address.toString())
                .setPort(port)
                .setReady(ready)
                .setServing(serving)
                .setTerminating(terminating)
                .addAllHintZones(zones)
                .addAllHintNodes(nodes);
        node.ifPresent(endpoint::setNode);
        zone.ifPresent(endpoint::setZone);
      }
      case PodEntry(_, var pod, var readiness) -> {
        var podEntry = proto.getPodBuilder().setPod(PodCodec.proto(pod, OptionalLong.empty()));
        readiness.ifPresent(r -> podEntry.setReadiness(proto(r)));
      }
      case ServiceCidrEntry(_, var cidrs) ->
          proto.getServiceCidrBuilder().addAllCidrs(cidrs.stream().map(Cidr::toString).toList());
    }
    return proto.build();
  }

  private static RecordedReadiness proto(PodReadiness readiness) {
    var proto =
        RecordedReadiness.newBuilder()
            .setReady(readiness.ready())
            .setNode(readiness.node())
            .setSession(readiness.session())
            .setSequence(readiness.sequence())
            .setReason(readiness.reason())
            .setSince(Timestamps.proto(readiness.since()));
    readiness.runs().forEach((container, at) -> proto.putRuns(container, Timestamps.proto(at)));
    return proto.build();
  }

  /**
   * What {@link #proto} wrote.
   *
   * @throws IllegalArgumentException it is something else, or of a kind this build does not know
   */
  public static Entry model(io.fairlead.v1.Entry proto) {
    var key =
        EntryKey.parse(proto.getKey())
            .orElseThrow(() -> new IllegalArgumentException("key \"" + proto.getKey() + "\""));
    try {
      return switch (key) {
        case EntryKey.ServicePort port when proto.hasServicePort() ->
            model(port, proto.getServicePort());
        case EntryKey.Endpoint endpoint when proto.hasEndpoint() ->
            model(endpoint, proto.getEndpoint());
        case EntryKey.Pod pod when proto.hasPod() -> model(pod, proto.getPod());
        case EntryKey.ServiceCidr cidr when proto.hasServiceCidr() ->
            new ServiceCidrEntry(
                cidr, proto.getServiceCidr().getCidrsList().stream().map(Cidr::of).toList());
        case EntryKey.ServicePort _, EntryKey.Endpoint _, EntryKey.Pod _, EntryKey.ServiceCidr _ ->
            throw new IllegalArgumentException("content " + proto.getEntryCase());
      };
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("entry \"" + proto.getKey() + "\": " + e.getMessage(), e);
    }
  }

  private static ServicePortEntry model(
      EntryKey.ServicePort key, io.fairlead.v1.ServicePortEntry proto) {
    return new ServicePortEntry(
        key,
        addresses(proto.getVipsList()),
        proto.getPort(),
        Metas.constant(Balancing.values(), Balancing::text, proto.getBalancing()),
        proto.getAffinitySeconds() == 0
            ? Optional.empty()
            : Optional.of(Duration.ofSeconds(proto.getAffinitySeconds())),
        Metas.constant(
            TrafficPolicy.values(), TrafficPolicy::text, proto.getInternalTrafficPolicy()),
        proto.getResetConnections());
  }

  private static EndpointEntry model(EntryKey.Endpoint key, io.fairlead.v1.EndpointEntry proto) {
    return new EndpointEntry(
        key,
        Address.of(proto.getAddress()),
        proto.getPort(),
        Metas.present(proto.getNode()),
        Metas.present(proto.getZone()),
        new Endpoint.Conditions(proto.getReady(), proto.getServing(), proto.getTerminating()),
        new Endpoint.Hints(
            new TreeSet<>(proto.getHintZonesList()), new TreeSet<>(proto.getHintNodesList())));
  }

  private static PodEntry model(EntryKey.Pod key, io.fairlead.v1.PodEntry proto) {
    Pod pod = PodCodec.model(proto.getPod());
    return new PodEntry(
        key,
        pod,
        proto.hasReadiness() ? Optional.of(model(pod, proto.getReadiness())) : Optional.empty());
  }

  private static PodReadiness model(Pod pod, RecordedReadiness proto) {
    ObjectName name = pod.name();
    return new PodReadiness(
        name,
        pod.uid(),
        proto.getReady(),
        proto.getNode(),
        proto.getSession(),
        proto.getSequence(),
        proto.getReason(),
        Timestamps.model(proto.getSince()),
        Timestamps.model(proto.getRunsMap()),
        0, // what was before is of no use to a node
        List.of());
  }

  private static List<Address> addresses(List<String> texts) {
    return texts.stream().map(Address::of).toList();
  }
}
