package io.fairlead.core.dns;

import io.fairlead.core.dns.Answer.Outcome;
import io.fairlead.core.model.Cidr;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/**
 * Names and records of the zones served: a value that is looked up in. Derived wholly from an
 * image.
 *
 * <p>The names form a trie: a name exists while it has a record or a name below it exists. So empty
 * non-terminals are NODATA and not NXDOMAIN (RFC 8020, RFC 4592 2.2.2) without counting labels.
 */
public final class Zone {
  /** CNAME chains longer than this end there; the limit of CoreDNS. */
  private static final int CHAIN_LIMIT = 10;

  private final ZoneSettings settings;
  private final Set<String> apexes;
  private final PMap<String, Owner> owners;
  private final long serial;

  private Zone(ZoneSettings settings, Set<String> apexes, PMap<String, Owner> owners, long serial) {
    this.settings = settings;
    this.apexes = apexes;
    this.owners = owners;
    this.serial = serial;
  }

  /** A name: how often each record of it was contributed, and how many reasons it has to exist. */
  private record Owner(PMap<DnsType, PMap<RecordData, Integer>> records, int reasons) {
    static final Owner NONE = new Owner(HashTreePMap.empty(), 0);
  }

  /** One reason for a name to exist; without data it only exists. */
  record Contribution(String owner, Optional<RecordData> data) {
    private static final int LONGEST_LABEL = 63;

    /** With the octet before each label and the root's: 255 on the wire. */
    private static final int LONGEST_NAME = 254;

    /** Whether a DNS message can hold it (RFC 1035 2.3.4). */
    boolean fits() {
      return fits(owner)
          && data.map(some ->
                  switch (some) {
                    case RecordData.Srv(int _, var target) -> fits(target);
                    case RecordData.Ptr(var target) -> fits(target);
                    case RecordData.Cname(var target) -> fits(target);
                    case RecordData.Ns(var target) -> fits(target);
                    case RecordData.Soa soa -> fits(soa.server()) && fits(soa.mailbox());
                    case RecordData.Host _, RecordData.Txt _ -> true;
                  })
              .orElse(true);
    }

    private static boolean fits(String name) {
      if (name.length() > LONGEST_NAME) {
        return false;
      }
      int start = 0;
      while (start < name.length()) {
        int dot = name.indexOf('.', start);
        int end = dot < 0 ? name.length() : dot;
        if (end == start || end - start > LONGEST_LABEL) {
          return false;
        }
        start = end + 1;
      }
      return true;
    }

    static Contribution of(String owner, RecordData data) {
      return new Contribution(owner, Optional.of(data));
    }

    static Contribution exists(String owner) {
      return new Contribution(owner, Optional.empty());
    }
  }

  /**
   * The zones without any object: apexes, name servers, {@code svc}, {@code pod} and {@code
   * dns-version}.
   *
   * @param ranges of ClusterIPs
   */
  static Zone empty(ZoneSettings settings, Collection<Cidr> ranges) {
    var fixed = new ArrayList<Contribution>();
    var apexes = settings.zones(ranges);
    for (var zone : apexes) {
      fixed.add(Contribution.of(zone, new RecordData.Ns("ns.dns." + zone)));
      fixed.add(Contribution.exists("ns.dns." + zone));
      settings
          .servers()
          .forEach(a -> fixed.add(Contribution.of("ns.dns." + zone, new RecordData.Host(a))));
    }
    fixed.add(
        Contribution.of("dns-version." + settings.domain(), new RecordData.Txt(SCHEMA_VERSION)));
    fixed.add(Contribution.exists("svc." + settings.domain()));
    fixed.add(Contribution.exists("pod." + settings.domain()));
    return new Zone(settings, apexes, HashTreePMap.empty(), 0).changed(List.of(), fixed, 0);
  }

  /** Version of the DNS specification of Kubernetes that is followed. */
  static final String SCHEMA_VERSION = "1.1.0";

  private static final java.time.Duration SCHEMA_TTL = java.time.Duration.ofHours(8);

  public ZoneSettings settings() {
    return settings;
  }

  /**
   * The zone after some contributions went and others came; costs what changed. Passed over are
   * names outside the zones, and what no message can hold: a long domain before which long names
   * stand, or what an older log has.
   */
  Zone changed(Collection<Contribution> gone, Collection<Contribution> come, long newSerial) {
    var changed = owners;
    for (var contribution : come) {
      changed = add(changed, contribution);
    }
    for (var contribution : gone) {
      changed = remove(changed, contribution);
    }
    return new Zone(settings, apexes, changed, newSerial);
  }

  private PMap<String, Owner> add(PMap<String, Owner> map, Contribution contribution) {
    if (isPassedOver(contribution)) {
      return map;
    }
    var known = map.get(contribution.owner());
    var owner = known == null ? Owner.NONE : known;
    var records = owner.records();
    if (contribution.data().isPresent()) {
      var data = contribution.data().get();
      var set = records.getOrDefault(data.type(), HashTreePMap.empty());
      records = records.plus(data.type(), set.plus(data, set.getOrDefault(data, 0) + 1));
    }
    var changed = map.plus(contribution.owner(), new Owner(records, owner.reasons() + 1));
    return known == null
        ? parent(contribution.owner())
            .map(parent -> add(changed, Contribution.exists(parent)))
            .orElse(changed)
        : changed;
  }

  private PMap<String, Owner> remove(PMap<String, Owner> map, Contribution contribution) {
    if (isPassedOver(contribution)) {
      return map;
    }
    var owner = map.get(contribution.owner());
    if (owner == null) {
      throw new IllegalStateException(
          "contribution to " + contribution.owner() + " that was never made");
    }
    var records = owner.records();
    if (contribution.data().isPresent()) {
      var data = contribution.data().get();
      var set = records.getOrDefault(data.type(), HashTreePMap.empty());
      int count = set.getOrDefault(data, 0);
      if (count == 0) {
        throw new IllegalStateException(
            data + " of " + contribution.owner() + " that was never contributed");
      }
      set = count == 1 ? set.minus(data) : set.plus(data, count - 1);
      records = set.isEmpty() ? records.minus(data.type()) : records.plus(data.type(), set);
    }
    if (owner.reasons() > 1) {
      return map.plus(contribution.owner(), new Owner(records, owner.reasons() - 1));
    }
    var changed = map.minus(contribution.owner());
    return parent(contribution.owner())
        .map(parent -> remove(changed, Contribution.exists(parent)))
        .orElse(changed);
  }

  private boolean isPassedOver(Contribution contribution) {
    return !contribution.fits() || apexOf(contribution.owner()).isEmpty();
  }

  /** The name one label up, as long as that is still within a zone. */
  private Optional<String> parent(String name) {
    if (apexes.contains(name)) {
      return Optional.empty();
    }
    return Optional.of(name.substring(name.indexOf('.') + 1));
  }

  /** The longest served zone that contains the name. Costs its labels, not the zones. */
  private Optional<String> apexOf(String name) {
    var suffix = name;
    while (!apexes.contains(suffix)) {
      int dot = suffix.indexOf('.');
      if (dot < 0 || dot == suffix.length() - 1) {
        return Optional.empty();
      }
      suffix = suffix.substring(dot + 1);
    }
    return Optional.of(suffix);
  }

  /**
   * Looks a name up.
   *
   * @param name absolute, any case
   */
  public Answer lookup(String name, DnsType type) {
    var asked = name.toLowerCase(Locale.ROOT);
    if (apexOf(asked).isEmpty()) {
      return new Answer.NotServed();
    }
    var chain = new ArrayList<ResourceRecord>();
    var seen = new HashSet<String>();
    while (true) {
      var apex = apexOf(asked);
      if (apex.isEmpty()) {
        return new Answer.Served(Outcome.FOUND, chain, Optional.empty(), Optional.of(asked));
      }
      var owner = owners.get(asked);
      if (owner == null) {
        return new Answer.Served(
            Outcome.NAME_ERROR, chain, Optional.of(soa(apex.get())), Optional.empty());
      }
      var alias = owner.records().get(DnsType.CNAME);
      if (alias == null || type == DnsType.CNAME) {
        var records = recordsAt(asked, owner, type, apex.get());
        chain.addAll(records);
        return records.isEmpty()
            ? new Answer.Served(
                Outcome.NO_DATA, chain, Optional.of(soa(apex.get())), Optional.empty())
            : new Answer.Served(Outcome.FOUND, chain, Optional.empty(), Optional.empty());
      }
      var cname = (RecordData.Cname) alias.keySet().iterator().next();
      if (!seen.add(asked) || chain.size() == CHAIN_LIMIT || cname.target().equals(asked)) {
        // A loop resolves to nothing; the CNAMEs that form it would only send the client round
        // again.
        return new Answer.Served(
            Outcome.NO_DATA, List.of(), Optional.of(soa(apex.get())), Optional.empty());
      }
      chain.add(new ResourceRecord(asked, settings.ttl(), cname));
      asked = cname.target();
    }
  }

  private List<ResourceRecord> recordsAt(String name, Owner owner, DnsType type, String apex) {
    if (type == DnsType.SOA) {
      return name.equals(apex) ? List.of(soa(apex)) : List.of();
    }
    var ttl = type == DnsType.TXT ? SCHEMA_TTL : settings.ttl();
    return owner.records().getOrDefault(type, HashTreePMap.empty()).keySet().stream()
        .map(data -> new ResourceRecord(name, ttl, data))
        .toList();
  }

  private ResourceRecord soa(String apex) {
    return new ResourceRecord(
        apex,
        settings.ttl(),
        new RecordData.Soa(
            "ns.dns." + apex,
            "hostmaster." + apex,
            serial & 0xffff_ffffL,
            settings.ttl().toSeconds()));
  }

  /** All names that exist; unsorted. */
  public Collection<String> names() {
    return owners.keySet();
  }

  /** Equal where everything that can be asked is, the serial included. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Zone zone
        && settings.equals(zone.settings)
        && apexes.equals(zone.apexes)
        && owners.equals(zone.owners)
        && serial == zone.serial;
  }

  @Override
  public int hashCode() {
    return Objects.hash(settings, apexes, owners, serial);
  }
}
