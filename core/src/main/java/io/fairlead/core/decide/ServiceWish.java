package io.fairlead.core.decide;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ServicePort;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.model.ServiceSpec.IpFamilyPolicy;
import io.fairlead.core.model.ServiceSpec.TrafficDistribution;
import io.fairlead.core.model.ServiceSpec.TrafficPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A draft that was read: what does not depend on other objects is checked and has its default; what
 * was faulty is absent and stands among the violations.
 *
 * @param addresses as they were given
 * @param families as they were given, without faulty ones
 * @param balancing only where it was asked for
 * @param expectedVersion only where it was given
 */
record ServiceWish(
    Map<String, String> labels,
    Map<String, String> annotations,
    Exposure exposure,
    Addresses addresses,
    List<Family> families,
    Optional<IpFamilyPolicy> policy,
    Map<String, String> selector,
    List<ServicePort> ports,
    Optional<Duration> clientIpAffinity,
    TrafficPolicy internalTrafficPolicy,
    Optional<TrafficDistribution> trafficDistribution,
    boolean publishNotReadyAddresses,
    Optional<String> externalName,
    Optional<Balancing> balancing,
    OptionalLong expectedVersion) {

  /** {@code spec.clusterIP} and {@code spec.clusterIPs}. */
  sealed interface Addresses {
    /** To be chosen, or to stay as they are. */
    record Unsaid() implements Addresses {}

    record None() implements Addresses {}

    /** Only {@code clusterIP} was given: a second address is neither asked for nor given up. */
    record Primary(Address address) implements Addresses {}

    /** {@code clusterIPs}: one, or one of each family. */
    record Listed(List<Address> list) implements Addresses {}

    /** Not to be checked further. */
    record Faulty() implements Addresses {}

    default List<Address> statics() {
      return switch (this) {
        case Unsaid() -> List.of();
        case None() -> List.of();
        case Primary(var address) -> List.of(address);
        case Listed(var list) -> list;
        case Faulty() -> List.of();
      };
    }
  }
}
