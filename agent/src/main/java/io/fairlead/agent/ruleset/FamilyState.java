package io.fairlead.agent.ruleset;

import io.fairlead.agent.ruleset.Command.ElementKey;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Target;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * One family's table, understood. What does not make sense stands in {@code deviating}: elements of
 * a frontend that are not exactly those of its state, by what is really there.
 *
 * @param ports by frontend
 * @param clusterCidrs sources outside them are masqueraded; the block of all addresses where none
 *     is to be
 * @param words of the map that holds the position, by key; see {@link PositionCodec}
 * @param programs in the dispatch, by number
 * @param memories maps of clients
 */
public record FamilyState(
    Family family,
    Map<Frontend, PortState> ports,
    Map<Frontend, Map<ElementKey, Optional<String>>> deviating,
    Set<Address> vips,
    Set<Address> hairpins,
    Set<Cidr> serviceCidrs,
    Set<Cidr> clusterCidrs,
    SortedMap<Long, Long> words,
    Map<Integer, Program> programs,
    Set<Integer> memories) {
  /** Of a difference that are told one by one: there may be as many as there are Services. */
  private static final int NAMED = 3;

  /** The position that the table says it is at, or empty where none was written yet. */
  public Optional<Position> position() {
    return PositionCodec.decode(words);
  }

  /**
   * Reads elements; what nobody of us can have written is left out of the typed parts and ends in
   * {@code deviating}.
   */
  public static FamilyState of(Layout layout, TableContents contents) {
    var programs = new HashMap<Integer, Program>();
    contents
        .elements(Elements.PROGRAMS)
        .forEach((number, verdict) ->
            verdict
                .filter(v -> v.startsWith("goto "))
                .flatMap(v -> Program.parse(v.substring("goto ".length())))
                .filter(p -> Elements.parseNumber(number).equals(Optional.of(p.number())))
                .ifPresent(p -> programs.put(p.number(), p)));
    var buckets = new HashMap<Frontend, Map<ElementKey, Optional<String>>>();
    for (var protocol : Protocol.values()) {
      for (var set :
          List.of(
              Elements.services(protocol),
              Elements.endpoints(protocol),
              Elements.choices(protocol),
              Elements.ids(protocol))) {
        contents
            .elements(set)
            .forEach((key, value) ->
                frontend(protocol, key)
                    .ifPresent(f ->
                        buckets
                            .computeIfAbsent(f, _ -> new LinkedHashMap<>())
                            .put(new ElementKey(set, key), value)));
      }
    }
    var ports = new HashMap<Frontend, PortState>();
    var deviating = new HashMap<Frontend, Map<ElementKey, Optional<String>>>();
    buckets.forEach((frontend, elements) -> {
      var state = portState(frontend, elements, programs);
      state.ifPresent(s -> ports.put(frontend, s));
      if (!state.map(s -> s.elements(frontend)).equals(Optional.of(elements))) {
        deviating.put(frontend, elements);
      }
    });
    var memories = new TreeSet<Integer>();
    for (var set : contents.sets().keySet()) {
      if (Elements.isAffinity(set)) {
        memories.add(Integer.parseInt(set.substring(set.indexOf('_') + 1)));
      }
    }
    var words = new TreeMap<Long, Long>();
    contents
        .elements(Elements.POSITION)
        .forEach((key, value) ->
            value.ifPresent(v -> words.put(Long.parseLong(key), Long.parseLong(v))));
    return new FamilyState(
        layout.family(),
        ports,
        deviating,
        addresses(contents, Elements.VIPS),
        addresses(contents, Elements.HAIRPIN),
        cidrs(contents, Elements.SERVICE_CIDRS),
        cidrs(contents, Elements.CLUSTER_CIDRS),
        words,
        programs,
        memories);
  }

  /**
   * In what this table differs from that view, in words; empty = equal up to the order of slots.
   *
   * @param except frontends that are not compared: those that the kernel refuses
   */
  public List<String> differencesFrom(NodeRules view, Set<Frontend> except) {
    var differences = new ArrayList<String>();
    var frontends = new LinkedHashSet<Frontend>();
    view.ports().keySet().stream()
        .filter(frontend -> frontend.vip().family() == family)
        .forEach(frontends::add);
    frontends.addAll(ports.keySet());
    frontends.addAll(deviating.keySet());
    frontends.removeAll(except);
    for (var frontend : frontends) {
      switch (compared(frontend, view.rule(frontend))) {
        case EQUAL -> {}
        case INCONSISTENT ->
            differences.add(
                frontend + ": kernel has inconsistent elements " + deviating.get(frontend));
        case DIFFERENT ->
            differences.add(
                frontend
                    + ": view "
                    + view.rule(frontend)
                    + ", kernel "
                    + Optional.ofNullable(ports.get(frontend)));
      }
    }
    differences.addAll(sharedDifferencesFrom(view));
    return differences;
  }

  /** How a frontend stands in the kernel. */
  public enum Compared {
    /** As it should, up to the order of slots. */
    EQUAL,
    DIFFERENT,
    /** There are elements of it that make no sense together. */
    INCONSISTENT
  }

  /**
   * Whether this table does with a frontend what it should.
   *
   * @param rule what is wanted; empty where the frontend should not be there
   */
  public Compared compared(Frontend frontend, Optional<PortRule> rule) {
    if (deviating.containsKey(frontend)) {
      return Compared.INCONSISTENT;
    }
    var state = Optional.ofNullable(ports.get(frontend));
    boolean equal =
        rule.isPresent()
            ? state.filter(s -> Wanted.satisfies(s, rule.get())).isPresent()
            : state.isEmpty();
    return equal ? Compared.EQUAL : Compared.DIFFERENT;
  }

  /**
   * In what this table differs from that view apart from frontends, in words; empty = in nothing.
   */
  public List<String> sharedDifferencesFrom(NodeRules view) {
    var differences = new ArrayList<String>();
    var expectedVips = new HashSet<Address>();
    ports.keySet().forEach(f -> expectedVips.add(f.vip()));
    compare("vips", expectedVips, vips, differences);
    var expectedHairpins = new HashSet<Address>();
    ports.values().forEach(s -> s.slots().forEach(t -> expectedHairpins.add(t.address())));
    compare("hairpins", expectedHairpins, hairpins, differences);
    compare("service CIDRs", Wanted.cidrs(view.serviceCidrs(), family), serviceCidrs, differences);
    compare("cluster CIDRs", Wanted.clusterCidrs(view, family), clusterCidrs, differences);
    return differences;
  }

  private static <T extends Comparable<T>> void compare(
      String what, Set<T> expected, Set<T> found, List<String> differences) {
    var missing = named(expected, found);
    var surplus = named(found, expected);
    if (!missing.isEmpty() || !surplus.isEmpty()) {
      differences.add(
          what
              + ": "
              + (missing.isEmpty() ? "" : "missing " + missing)
              + (missing.isEmpty() || surplus.isEmpty() ? "" : "; ")
              + (surplus.isEmpty() ? "" : "not wanted " + surplus));
    }
  }

  /** The first of those that are not in the other; "" where all are. */
  private static <T extends Comparable<T>> String named(Set<T> all, Set<T> other) {
    var left = all.stream().filter(one -> !other.contains(one)).sorted().toList();
    var first = left.stream().limit(NAMED).map(String::valueOf).collect(Collectors.joining(", "));
    return left.size() > NAMED ? first + " and " + (left.size() - NAMED) + " more" : first;
  }

  private static Optional<Frontend> frontend(Protocol protocol, String key) {
    int dot = key.indexOf(" . ");
    int end = dot < 0 ? -1 : key.indexOf(" . ", dot + 3);
    var port = dot < 0 ? "" : key.substring(dot + 3, end < 0 ? key.length() : end);
    if (port.isEmpty() || port.length() > 5 || !port.chars().allMatch(Character::isDigit)) {
      return Optional.empty();
    }
    return Address.parse(key.substring(0, dot))
        .map(vip -> new Frontend(vip, protocol, Integer.parseInt(port)));
  }

  private static Optional<PortState> portState(
      Frontend frontend,
      Map<ElementKey, Optional<String>> elements,
      Map<Integer, Program> programs) {
    var program =
        value(elements, Elements.service(frontend))
            .flatMap(Elements::parseNumber)
            .flatMap(number -> Optional.ofNullable(programs.get(number)));
    if (program.isEmpty()) {
      return Optional.empty();
    }
    var slots = new ArrayList<Target>();
    var ids = new HashMap<Target, Integer>();
    for (int slot = 0; slot < program.get().slots(); slot++) {
      Optional<Target> target;
      if (program.get() instanceof Program.Sticky) {
        var id = value(elements, Elements.choice(frontend, slot)).flatMap(Elements::parseNumber);
        target =
            id.flatMap(i -> value(elements, Elements.id(frontend, i)))
                .flatMap(Elements::parseTarget);
        target.ifPresent(t -> ids.put(t, id.orElseThrow()));
      } else {
        target = value(elements, Elements.endpoint(frontend, slot)).flatMap(Elements::parseTarget);
      }
      if (target.isEmpty()) {
        return Optional.empty();
      }
      slots.add(target.get());
    }
    return Optional.of(new PortState(program.get(), slots, ids));
  }

  private static Optional<String> value(
      Map<ElementKey, Optional<String>> elements, ElementKey key) {
    return elements.getOrDefault(key, Optional.empty());
  }

  private static Set<Address> addresses(TableContents contents, String set) {
    var addresses = new HashSet<Address>();
    for (var key : contents.elements(set).keySet()) {
      Address.parse(key.split(" \\. ", 2)[0]).ifPresent(addresses::add);
    }
    return addresses;
  }

  private static Set<Cidr> cidrs(TableContents contents, String set) {
    var cidrs = new TreeSet<Cidr>();
    contents.elements(set).keySet().forEach(key -> Cidr.parse(key).ifPresent(cidrs::add));
    return cidrs;
  }
}
