package io.fairlead.core.decide;

import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import java.util.EnumSet;
import java.util.List;

/** What ranges a ServiceCIDR may name (KEP-1880). */
public final class ServiceCidrRules {
  /** Wider IPv6 ranges are refused, as Kubernetes does. */
  private static final int WIDEST_IPV6 = 64;

  private ServiceCidrRules() {}

  /**
   * @param field path of the list, e.g. {@code spec.cidrs}
   * @return all faults; empty = the texts are one range, or one of each family
   */
  public static List<Violation> check(String field, List<String> cidrs) {
    var violations = new Violations();
    if (cidrs.isEmpty()) {
      violations.required(field, "at least one range is needed");
    }
    if (cidrs.size() > 2) {
      violations.invalid(field, "at most two ranges, one of each family");
    }
    var families = EnumSet.noneOf(Family.class);
    for (int i = 0; i < cidrs.size(); i++) {
      var path = field + "[" + i + "]";
      var parsed = Cidr.parse(cidrs.get(i));
      if (parsed.isEmpty()) {
        violations.invalid(
            path,
            cidrs.get(i),
            "must be an address and a prefix length without host bits, e.g. 10.96.0.0/16");
        continue;
      }
      var cidr = parsed.get();
      if (!families.add(cidr.family())) {
        violations.invalid(path, cidrs.get(i), "a second range must be of the other family");
      }
      if (cidr.family() == Family.IPV6 && cidr.prefix() < WIDEST_IPV6) {
        violations.invalid(
            path,
            cidrs.get(i),
            "an IPv6 range must have a prefix length of at least " + WIDEST_IPV6);
      }
      if (new AddressBands(cidr).usable().isEmpty()) {
        violations.invalid(path, cidrs.get(i), "has no address that can be given out");
      }
    }
    return violations.list();
  }
}
