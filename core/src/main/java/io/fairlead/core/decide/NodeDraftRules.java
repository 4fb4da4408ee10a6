package io.fairlead.core.decide;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.LabelSyntax;
import java.util.ArrayList;
import java.util.List;

/** The rules for what an agent says of its node. */
final class NodeDraftRules {
  /** More than this on one node are a mistake. */
  private static final int MOST_SOURCES = 64;

  record Wish(List<Address> addresses, List<Cidr> podCidrs) {}

  private NodeDraftRules() {}

  static Wish read(NodeDraft draft, Violations violations) {
    if (draft.name().isEmpty()) {
      violations.required("metadata.name", "a node needs a name");
    } else {
      Names.checkSubdomain(violations, "metadata.name", draft.name());
    }
    Names.checkLabels(violations, "metadata.labels", draft.labels());
    Names.checkAnnotations(violations, "metadata.annotations", draft.annotations());
    var zoneFault = LabelSyntax.valueFault(draft.zone());
    if (!zoneFault.isEmpty()) {
      violations.invalid("zone", draft.zone(), zoneFault);
    }
    var addresses = new ArrayList<Address>();
    for (int i = 0; i < draft.addresses().size(); i++) {
      var address = Address.parse(draft.addresses().get(i));
      if (address.isEmpty()) {
        violations.invalid(
            "addresses[" + i + "]", draft.addresses().get(i), "must be an IP address");
      }
      address.ifPresent(addresses::add);
    }
    var cidrs = new ArrayList<Cidr>();
    for (int i = 0; i < draft.podCidrs().size(); i++) {
      var cidr = Cidr.parse(draft.podCidrs().get(i));
      if (cidr.isEmpty()) {
        violations.invalid(
            "podCIDRs[" + i + "]",
            draft.podCidrs().get(i),
            "must be a range without host bits, e.g. 10.244.1.0/24");
      }
      cidr.ifPresent(cidrs::add);
    }
    if (draft.sources().size() > MOST_SOURCES) {
      violations.invalid("sources", draft.sources().size(), "must be " + MOST_SOURCES + " at most");
    }
    for (int i = 0; i < draft.sources().size(); i++) {
      PodRules.checkSource(violations, "sources[" + i + "]", draft.sources().get(i));
    }
    return new Wish(addresses, cidrs);
  }
}
