package io.fairlead.eventlog.codec;

import static io.fairlead.eventlog.codec.Fields.all;
import static io.fairlead.eventlog.codec.Fields.optional;
import static io.fairlead.eventlog.codec.Fields.unknown;

import io.fairlead.core.model.Family;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Reservation;
import io.fairlead.core.model.Service;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.model.ServiceSpec.IpFamilyPolicy;
import io.fairlead.core.model.ServiceSpec.TrafficDistribution;
import io.fairlead.core.model.ServiceSpec.TrafficPolicy;
import java.util.Optional;

/** Services, ServiceCIDRs and Reservations as messages. */
final class ServiceFields {
  private ServiceFields() {}

  static io.fairlead.log.v1.Service write(Service service) {
    var spec = service.spec();
    var message =
        io.fairlead.log.v1.Service.newBuilder()
            .setMeta(Fields.write(service.meta()))
            .setExposure(write(spec.exposure()))
            .setIpFamilyPolicy(write(spec.ipFamilyPolicy()))
            .putAllSelector(spec.selector())
            .setInternalTrafficPolicy(write(spec.internalTrafficPolicy()))
            .setPublishNotReadyAddresses(spec.publishNotReadyAddresses())
            .setBalancing(write(spec.balancing()));
    spec.clusterIps().forEach(ip -> message.addClusterIps(Fields.write(ip)));
    spec.ipFamilies().forEach(family -> message.addIpFamilies(write(family)));
    spec.ports().forEach(port -> message.addPorts(write(port)));
    spec.clientIpAffinity().ifPresent(d -> message.setClientIpAffinity(Fields.write(d)));
    spec.trafficDistribution().ifPresent(d -> message.setTrafficDistribution(write(d)));
    spec.externalName().ifPresent(message::setExternalName);
    return message.build();
  }

  static io.fairlead.log.v1.Reservation write(Reservation reservation) {
    var message =
        io.fairlead.log.v1.Reservation.newBuilder()
            .setUid(reservation.uid().toString())
            .setCreated(Fields.write(reservation.created()))
            .setHolderNamespace(reservation.holder().namespace())
            .setHolderName(reservation.holder().name())
            .setTtl(Fields.write(reservation.ttl()));
    reservation.addresses().forEach(address -> message.addAddresses(Fields.write(address)));
    return message.build();
  }

  static Reservation read(io.fairlead.log.v1.Reservation message) {
    if (!message.hasCreated()) {
      throw Fields.bad("created", "missing");
    }
    return new Reservation(
        Fields.uuid("uid", message.getUid()),
        Fields.instant("created", message.getCreated()),
        new ObjectName(
            Fields.required("holder_namespace", message.getHolderNamespace()),
            Fields.required("holder_name", message.getHolderName())),
        all(message.getAddressesList(), ip -> Fields.address("addresses", ip)),
        Fields.duration("ttl", message.getTtl()));
  }

  static Service read(io.fairlead.log.v1.Service message, Texts texts) {
    var spec =
        new ServiceSpec(
            exposure(message.getExposure()),
            all(message.getClusterIpsList(), ip -> Fields.address("cluster_ips", ip)),
            all(message.getIpFamiliesList(), ServiceFields::family),
            policy(message.getIpFamilyPolicy()),
            texts.all(message.getSelectorMap()),
            all(message.getPortsList(), ServiceFields::port),
            message.hasClientIpAffinity()
                ? Optional.of(Fields.duration("client_ip_affinity", message.getClientIpAffinity()))
                : Optional.empty(),
            traffic(message.getInternalTrafficPolicy()),
            distribution(message.getTrafficDistribution()),
            message.getPublishNotReadyAddresses(),
            optional(message.getExternalName()),
            balancing(message.getBalancing()));
    return new Service(Fields.meta(message.getMeta(), texts), spec);
  }

  static io.fairlead.log.v1.ServiceCidr write(ServiceCidr cidr) {
    var message = io.fairlead.log.v1.ServiceCidr.newBuilder().setMeta(Fields.write(cidr.meta()));
    cidr.deleting().ifPresent(at -> message.setDeleting(Fields.write(at)));
    cidr.cidrs().forEach(c -> message.addCidrs(Fields.write(c)));
    return message.build();
  }

  static ServiceCidr read(io.fairlead.log.v1.ServiceCidr message, Texts texts) {
    return new ServiceCidr(
        Fields.meta(message.getMeta(), texts),
        all(message.getCidrsList(), c -> Fields.cidr("cidrs", c)),
        message.hasDeleting()
            ? Optional.of(Fields.instant("deleting", message.getDeleting()))
            : Optional.empty());
  }

  private static io.fairlead.log.v1.ServicePort write(ServicePort port) {
    var message =
        io.fairlead.log.v1.ServicePort.newBuilder()
            .setName(port.name())
            .setProtocol(Fields.write(port.protocol()))
            .setPort(port.port())
            .setTargetPort(Fields.write(port.targetPort()));
    port.appProtocol().ifPresent(message::setAppProtocol);
    return message.build();
  }

  private static ServicePort port(io.fairlead.log.v1.ServicePort message) {
    return new ServicePort(
        message.getName(),
        Fields.protocol("ports.protocol", message.getProtocol()),
        message.getPort(),
        Fields.portRef("ports.target_port", message.getTargetPort()),
        optional(message.getAppProtocol()));
  }

  private static io.fairlead.log.v1.Service.Exposure write(Exposure exposure) {
    return switch (exposure) {
      case CLUSTER_IP -> io.fairlead.log.v1.Service.Exposure.CLUSTER_IP;
      case HEADLESS -> io.fairlead.log.v1.Service.Exposure.HEADLESS;
      case EXTERNAL_NAME -> io.fairlead.log.v1.Service.Exposure.EXTERNAL_NAME;
    };
  }

  private static Exposure exposure(io.fairlead.log.v1.Service.Exposure exposure) {
    return switch (exposure) {
      case CLUSTER_IP -> Exposure.CLUSTER_IP;
      case HEADLESS -> Exposure.HEADLESS;
      case EXTERNAL_NAME -> Exposure.EXTERNAL_NAME;
      case EXPOSURE_UNSPECIFIED, UNRECOGNIZED -> throw unknown("exposure");
    };
  }

  static io.fairlead.log.v1.Family write(Family family) {
    return switch (family) {
      case IPV4 -> io.fairlead.log.v1.Family.IPV4;
      case IPV6 -> io.fairlead.log.v1.Family.IPV6;
    };
  }

  static Family family(io.fairlead.log.v1.Family family) {
    return switch (family) {
      case IPV4 -> Family.IPV4;
      case IPV6 -> Family.IPV6;
      case FAMILY_UNSPECIFIED, UNRECOGNIZED -> throw unknown("ip_families");
    };
  }

  private static io.fairlead.log.v1.IpFamilyPolicy write(IpFamilyPolicy policy) {
    return switch (policy) {
      case SINGLE_STACK -> io.fairlead.log.v1.IpFamilyPolicy.SINGLE_STACK;
      case PREFER_DUAL_STACK -> io.fairlead.log.v1.IpFamilyPolicy.PREFER_DUAL_STACK;
      case REQUIRE_DUAL_STACK -> io.fairlead.log.v1.IpFamilyPolicy.REQUIRE_DUAL_STACK;
    };
  }

  private static IpFamilyPolicy policy(io.fairlead.log.v1.IpFamilyPolicy policy) {
    return switch (policy) {
      case SINGLE_STACK -> IpFamilyPolicy.SINGLE_STACK;
      case PREFER_DUAL_STACK -> IpFamilyPolicy.PREFER_DUAL_STACK;
      case REQUIRE_DUAL_STACK -> IpFamilyPolicy.REQUIRE_DUAL_STACK;
      case IP_FAMILY_POLICY_UNSPECIFIED, UNRECOGNIZED -> throw unknown("ip_family_policy");
    };
  }

  private static io.fairlead.log.v1.TrafficPolicy write(TrafficPolicy policy) {
    return switch (policy) {
      case CLUSTER -> io.fairlead.log.v1.TrafficPolicy.CLUSTER;
      case LOCAL -> io.fairlead.log.v1.TrafficPolicy.LOCAL;
    };
  }

  private static TrafficPolicy traffic(io.fairlead.log.v1.TrafficPolicy policy) {
    return switch (policy) {
      case CLUSTER -> TrafficPolicy.CLUSTER;
      case LOCAL -> TrafficPolicy.LOCAL;
      case TRAFFIC_POLICY_UNSPECIFIED, UNRECOGNIZED -> throw unknown("internal_traffic_policy");
    };
  }

  private static io.fairlead.log.v1.TrafficDistribution write(TrafficDistribution distribution) {
    return switch (distribution) {
      case PREFER_SAME_ZONE -> io.fairlead.log.v1.TrafficDistribution.PREFER_SAME_ZONE;
      case PREFER_SAME_NODE -> io.fairlead.log.v1.TrafficDistribution.PREFER_SAME_NODE;
    };
  }

  private static Optional<TrafficDistribution> distribution(
      io.fairlead.log.v1.TrafficDistribution distribution) {
    return switch (distribution) {
      case TRAFFIC_DISTRIBUTION_UNSPECIFIED -> Optional.empty();
      case PREFER_SAME_ZONE -> Optional.of(TrafficDistribution.PREFER_SAME_ZONE);
      case PREFER_SAME_NODE -> Optional.of(TrafficDistribution.PREFER_SAME_NODE);
      case UNRECOGNIZED -> throw unknown("traffic_distribution");
    };
  }

  private static io.fairlead.log.v1.Balancing write(Balancing balancing) {
    return switch (balancing) {
      case ROUND_ROBIN -> io.fairlead.log.v1.Balancing.ROUND_ROBIN;
      case RANDOM -> io.fairlead.log.v1.Balancing.RANDOM;
      case SOURCE_HASH -> io.fairlead.log.v1.Balancing.SOURCE_HASH;
    };
  }

  private static Balancing balancing(io.fairlead.log.v1.Balancing balancing) {
    return switch (balancing) {
      case ROUND_ROBIN -> Balancing.ROUND_ROBIN;
      case RANDOM -> Balancing.RANDOM;
      case SOURCE_HASH -> Balancing.SOURCE_HASH;
      case BALANCING_UNSPECIFIED, UNRECOGNIZED -> throw unknown("balancing");
    };
  }
}
