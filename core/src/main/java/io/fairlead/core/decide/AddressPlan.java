package io.fairlead.core.decide;

import io.fairlead.core.decide.ServiceWish.Addresses;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ServiceSpec;
import io.fairlead.core.model.ServiceSpec.Exposure;
import io.fairlead.core.model.ServiceSpec.IpFamilyPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which families a Service gets, and which addresses it has or asks for, as Kubernetes derives them
 * from policy, families and addresses on create and on update (KEP-563).
 *
 * @param addresses one for each family where the Service has a ClusterIP, else none; empty = to be
 *     picked
 */
record AddressPlan(
    IpFamilyPolicy policy, List<Family> families, List<Optional<Address>> addresses) {
  private static final AddressPlan NONE =
      new AddressPlan(IpFamilyPolicy.SINGLE_STACK, List.of(), List.of());

  /**
   * @param old the Service as it is; empty where it is created
   */
  static AddressPlan of(
      ServiceWish wish, Optional<ServiceSpec> old, ServiceRanges ranges, Violations violations) {
    if (wish.exposure() == Exposure.EXTERNAL_NAME) {
      checkUnset(wish, old, violations);
      return NONE;
    }
    var before = old.filter(spec -> spec.exposure() != Exposure.EXTERNAL_NAME);
    return before.isPresent()
        ? changed(wish, before.get(), ranges, violations)
        : created(wish, ranges, violations);
  }

  /** An ExternalName has no addresses; what it had as another type may stand there untouched. */
  private static void checkUnset(
      ServiceWish wish, Optional<ServiceSpec> old, Violations violations) {
    var statics = wish.addresses().statics();
    boolean addressesUntouched =
        !statics.isEmpty()
            && old.filter(spec -> startsWith(spec.clusterIps(), statics)).isPresent();
    boolean noneUntouched =
        wish.addresses() instanceof Addresses.None
            && old.filter(spec -> spec.exposure() == Exposure.HEADLESS).isPresent();
    if (!(wish.addresses() instanceof Addresses.Unsaid) && !addressesUntouched && !noneUntouched) {
      violations.forbidden("spec.clusterIPs", "not with type ExternalName");
    }
    if (!wish.families().isEmpty()
        && old.filter(spec -> spec.ipFamilies().equals(wish.families())).isEmpty()) {
      violations.forbidden("spec.ipFamilies", "not with type ExternalName");
    }
    if (wish.policy().isPresent()
        && old.filter(spec -> spec.exposure() != Exposure.EXTERNAL_NAME)
            .filter(spec -> spec.ipFamilyPolicy() == wish.policy().get())
            .isEmpty()) {
      violations.forbidden("spec.ipFamilyPolicy", "not with type ExternalName");
    }
  }

  private static boolean startsWith(List<Address> list, List<Address> start) {
    return start.size() <= list.size() && list.subList(0, start.size()).equals(start);
  }

  private static AddressPlan created(
      ServiceWish wish, ServiceRanges ranges, Violations violations) {
    var families = new ArrayList<>(wish.families());
    var statics = wish.addresses().statics();
    for (int i = 0; i < statics.size(); i++) {
      var family = statics.get(i).family();
      if (i >= wish.families().size() && !families.contains(family)) {
        families.add(family);
        if (!ranges.has(family)) {
          violations.invalid(
              "spec.clusterIPs[" + i + "]", statics.get(i).toString(), ranges.none(family));
        }
      }
    }
    // endpoints of both families may be written by hand, whatever ranges there are
    boolean anyFamily = wish.exposure() == Exposure.HEADLESS && wish.selector().isEmpty();
    var policy =
        wish.policy()
            .orElse(anyFamily ? IpFamilyPolicy.REQUIRE_DUAL_STACK : IpFamilyPolicy.SINGLE_STACK);
    if (!anyFamily) {
      if (policy == IpFamilyPolicy.REQUIRE_DUAL_STACK) {
        checkDualStack(ranges, violations);
      }
      checkConfigured(wish.families(), ranges, violations);
    }
    complete(families, policy, anyFamily || ranges.dualStack(), ranges, violations);
    return new AddressPlan(
        policy, List.copyOf(families), addresses(wish, families, List.of(), statics));
  }

  private static AddressPlan changed(
      ServiceWish wish, ServiceSpec old, ServiceRanges ranges, Violations violations) {
    var kept = new AddressPlan(old.ipFamilyPolicy(), old.ipFamilies(), present(old.clusterIps()));
    var policy = wish.policy().orElse(old.ipFamilyPolicy());
    boolean hasVip = old.exposure() == Exposure.CLUSTER_IP;
    boolean fixed = sameExposure(wish, old, violations);
    var statics = wish.addresses().statics();
    if (hasVip && !statics.isEmpty() && !statics.getFirst().equals(old.clusterIps().getFirst())) {
      violations.immutable(
          "spec.clusterIPs[0]",
          "is "
              + old.clusterIps().getFirst()
              + " and stays so: delete the Service and create it anew");
      fixed = false;
    }
    if (hasVip
        && !wish.families().isEmpty()
        && wish.families().getFirst() != old.ipFamilies().getFirst()) {
      violations.immutable(
          "spec.ipFamilies[0]", "is " + old.ipFamilies().getFirst() + " and stays so");
      fixed = false;
    }
    if (!fixed || wish.addresses() instanceof Addresses.Faulty) {
      return kept;
    }
    var listed = wish.addresses() instanceof Addresses.Listed(var list) ? list : List.<Address>of();
    boolean untouched =
        (wish.families().isEmpty() || wish.families().equals(old.ipFamilies()))
            && (listed.isEmpty() || listed.equals(old.clusterIps()));
    if (untouched && policy == old.ipFamilyPolicy()) {
      return kept; // also where the ranges changed since: a Service follows them only on request
    }
    if (untouched && policy == IpFamilyPolicy.SINGLE_STACK) {
      return new AddressPlan(
          policy,
          old.ipFamilies().subList(0, 1),
          present(old.clusterIps().subList(0, hasVip ? 1 : 0)));
    }
    if (policy != IpFamilyPolicy.SINGLE_STACK
        && listed.size() == 1
        && old.clusterIps().size() == 2) {
      violations.invalid(
          "spec.ipFamilyPolicy",
          policy.text(),
          "must be " + IpFamilyPolicy.SINGLE_STACK.text() + " to give up the second address");
      return kept;
    }
    var families = new ArrayList<>(wish.families());
    if (families.isEmpty()) {
      families.addAll(
          policy == IpFamilyPolicy.SINGLE_STACK
              ? old.ipFamilies().subList(0, 1)
              : old.ipFamilies());
    }
    listed.stream()
        .map(Address::family)
        .filter(f -> !families.contains(f))
        .toList()
        .forEach(families::add);
    if (old.ipFamilies().size() < 2) {
      if (policy == IpFamilyPolicy.REQUIRE_DUAL_STACK) {
        checkDualStack(ranges, violations);
      }
      checkConfigured(wish.families(), ranges, violations);
    }
    complete(
        families, policy, old.ipFamilies().size() == 2 || ranges.dualStack(), ranges, violations);
    return new AddressPlan(
        policy, List.copyOf(families), addresses(wish, families, old.clusterIps(), listed));
  }

  private static boolean sameExposure(ServiceWish wish, ServiceSpec old, Violations violations) {
    if (wish.exposure() == old.exposure()) {
      return true;
    }
    if (old.exposure() == Exposure.CLUSTER_IP) {
      violations.immutable(
          "spec.clusterIPs[0]",
          "a Service with a ClusterIP cannot become headless: delete it and create it anew");
    } else {
      violations.immutable(
          wish.addresses() instanceof Addresses.Unsaid ? "spec.clusterIP" : "spec.clusterIPs[0]",
          "is None and stays so: say None, or delete the Service and create it anew");
    }
    return false;
  }

  private static void checkDualStack(ServiceRanges ranges, Violations violations) {
    if (!ranges.dualStack()) {
      violations.invalid(
          "spec.ipFamilyPolicy",
          IpFamilyPolicy.REQUIRE_DUAL_STACK.text(),
          ranges.all().isEmpty()
              ? "needs ranges of both families; " + ranges.none(ranges.defaultFamily())
              : "needs ranges of both families; there is " + ServiceRanges.text(ranges.all()));
    }
  }

  private static void checkConfigured(
      List<Family> families, ServiceRanges ranges, Violations violations) {
    for (int i = 0; i < families.size(); i++) {
      if (!ranges.has(families.get(i))) {
        violations.invalid(
            "spec.ipFamilies[" + i + "]", families.get(i).text(), ranges.none(families.get(i)));
      }
    }
  }

  private static void complete(
      List<Family> families,
      IpFamilyPolicy policy,
      boolean both,
      ServiceRanges ranges,
      Violations violations) {
    if (policy == IpFamilyPolicy.SINGLE_STACK && families.size() > 1) {
      violations.invalid(
          "spec.ipFamilyPolicy",
          "must be "
              + IpFamilyPolicy.REQUIRE_DUAL_STACK.text()
              + " or "
              + IpFamilyPolicy.PREFER_DUAL_STACK.text()
              + " where two families or addresses are named");
    }
    if (families.isEmpty()) {
      families.add(ranges.defaultFamily());
    }
    if (policy != IpFamilyPolicy.SINGLE_STACK && both && families.size() == 1) {
      families.add(families.getFirst() == Family.IPV4 ? Family.IPV6 : Family.IPV4);
    }
  }

  private static List<Optional<Address>> addresses(
      ServiceWish wish, List<Family> families, List<Address> old, List<Address> asked) {
    if (wish.exposure() != Exposure.CLUSTER_IP) {
      return List.of();
    }
    return families.stream()
        .map(family -> ofFamily(asked, family).or(() -> ofFamily(old, family)))
        .toList();
  }

  private static Optional<Address> ofFamily(List<Address> addresses, Family family) {
    return addresses.stream().filter(address -> address.family() == family).findFirst();
  }

  private static List<Optional<Address>> present(List<Address> addresses) {
    return addresses.stream().map(Optional::of).toList();
  }
}
