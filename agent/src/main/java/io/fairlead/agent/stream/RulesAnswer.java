package io.fairlead.agent.stream;

import io.fairlead.agent.nft.DataPlane.Examined;
import io.fairlead.agent.nft.Refused;
import io.fairlead.agent.ruleset.FamilyState.Compared;
import io.fairlead.agent.ruleset.Maglev;
import io.fairlead.agent.ruleset.PortState;
import io.fairlead.agent.ruleset.Program;
import io.fairlead.api.PositionCodec;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeView;
import io.fairlead.core.view.Selection;
import io.fairlead.v1.NodeRulesHead;
import io.fairlead.v1.NodeRulesReply;
import io.fairlead.v1.NodeRulesRequest;
import io.fairlead.v1.ProgrammedEndpoint;
import io.fairlead.v1.ProgrammedPort;
import io.fairlead.v1.ServiceName;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What the kernel does with connections to Services, and why, in parts of bounded size that are
 * made when they are taken. Immutable but for the iterator.
 */
final class RulesAnswer {
  /** Of a part, about: far below what one message may have. */
  private static final int PART_BYTES = 256 << 10;

  /** Addresses that a sentence names. */
  private static final int NAMED = 3;

  private static final Comparator<Frontend> ORDER =
      Comparator.comparing(Frontend::vip)
          .thenComparing(Frontend::protocol)
          .thenComparingInt(Frontend::port);

  private final Examined examined;
  private final NodeView view;
  private final Map<Frontend, String> refused = new HashMap<>();

  private RulesAnswer(Examined examined, NodeView view) {
    this.examined = examined;
    this.view = view;
    for (Refused r : examined.quarantined()) {
      refused.put(r.frontend(), r.words());
    }
  }

  /**
   * The parts, at least one.
   *
   * @param view not older than what was examined; tells whose frontends are
   * @param error why the last attempt failed; "" = it did not
   */
  static Iterator<NodeRulesReply> of(
      NodeRulesRequest request, String node, Examined examined, NodeView view, String error) {
    return new RulesAnswer(examined, view).parts(request, node, error);
  }

  private Iterator<NodeRulesReply> parts(NodeRulesRequest request, String node, String error) {
    var all = new TreeSet<Frontend>(ORDER);
    examined.wanted().ifPresent(wanted -> all.addAll(wanted.ports().keySet()));
    for (var family : examined.kernel().families().values()) {
      all.addAll(family.ports().keySet());
      all.addAll(family.deviating().keySet());
    }
    var asked = new ArrayList<Frontend>();
    int differing = 0;
    for (var frontend : all) {
      if (isAsked(frontend, request)) {
        boolean wrong = refused.containsKey(frontend) || compared(frontend) != Compared.EQUAL;
        differing += wrong ? 1 : 0;
        if (wrong || !request.getOnlyDiffering()) {
          asked.add(frontend);
        }
      }
    }
    var head =
        NodeRulesHead.newBuilder()
            .setNode(node)
            .setFrontends(asked.size())
            .setDiffering(differing)
            .setError(error)
            .addAllDifferences(shared());
    examined.at().map(PositionCodec::proto).ifPresent(head::setWanted);
    examined.kernel().position().map(PositionCodec::proto).ifPresent(head::setProgrammed);
    return new Parts(head.build(), asked.iterator());
  }

  private boolean isAsked(Frontend frontend, NodeRulesRequest request) {
    if (!request.getVip().isEmpty()
        && !Address.parse(request.getVip()).equals(Optional.of(frontend.vip()))) {
      return false;
    }
    if (request.getPort() != 0 && request.getPort() != frontend.port()) {
      return false;
    }
    return !request.hasService()
        || view.port(frontend)
            .map(port -> port.key().service())
            .filter(name ->
                name.name().equals(request.getService().getName())
                    && name.namespace().equals(request.getService().getNamespace()))
            .isPresent();
  }

  /** Of no frontend alone. */
  private List<String> shared() {
    var differences = new ArrayList<String>();
    for (var family : examined.families()) {
      var state = Optional.ofNullable(examined.kernel().families().get(family));
      if (state.isEmpty()) {
        differences.add(
            family.text() + ": there is no table fairlead; somebody deleted it, or it is refused");
      } else if (examined.wanted().isPresent()) {
        state
            .get()
            .sharedDifferencesFrom(examined.wanted().get())
            .forEach(words -> differences.add(family.text() + ": " + words));
      }
    }
    differences.sort(Comparator.naturalOrder());
    return differences;
  }

  private Optional<PortRule> rule(Frontend frontend) {
    return examined.wanted().flatMap(wanted -> wanted.rule(frontend));
  }

  private Compared compared(Frontend frontend) {
    if (!examined.families().contains(frontend.vip().family())) {
      return Compared.EQUAL; // nobody programs that family
    }
    return Optional.ofNullable(examined.kernel().families().get(frontend.vip().family()))
        .map(state -> state.compared(frontend, rule(frontend)))
        .orElseGet(() -> rule(frontend).isPresent() ? Compared.DIFFERENT : Compared.EQUAL);
  }

  /** Makes each part when it is taken. */
  private final class Parts implements Iterator<NodeRulesReply> {
    private Optional<NodeRulesHead> head;
    private final Iterator<Frontend> left;

    Parts(NodeRulesHead head, Iterator<Frontend> left) {
      this.head = Optional.of(head);
      this.left = left;
    }

    @Override
    public boolean hasNext() {
      return head.isPresent() || left.hasNext();
    }

    @Override
    public NodeRulesReply next() {
      var part = NodeRulesReply.newBuilder();
      head.ifPresent(part::setHead);
      head = Optional.empty();
      int bytes = 0;
      while (left.hasNext() && bytes < PART_BYTES) {
        var port = port(left.next());
        bytes += port.getSerializedSize();
        part.addPorts(port);
      }
      return part.build();
    }
  }

  private ProgrammedPort port(Frontend frontend) {
    var proto =
        ProgrammedPort.newBuilder()
            .setVip(frontend.vip().toString())
            .setProtocol(frontend.protocol().name())
            .setPort(frontend.port());
    view.port(frontend)
        .ifPresent(owner ->
            proto
                .setService(
                    ServiceName.newBuilder()
                        .setNamespace(owner.key().service().namespace())
                        .setName(owner.key().service().name()))
                .setPortName(owner.key().port()));
    var state = examined.kernel().port(frontend);
    state.ifPresent(s -> describe(s.program(), proto));
    proto.setWhy(why(frontend));
    endpoints(frontend, state).forEach(proto::addEndpoints);
    Optional.ofNullable(refused.get(frontend)).ifPresent(proto::setRefused);
    return proto.setDifference(difference(frontend, state)).build();
  }

  private static void describe(Program program, ProgrammedPort.Builder proto) {
    switch (program) {
      case Program.Reject() -> proto.setTreatment("reject");
      case Program.Drop() -> proto.setTreatment("drop");
      case Program.Random(int slots) ->
          proto.setTreatment("balance").setBalancing(slots == 1 ? "" : Balancing.RANDOM.text());
      case Program.Hash() ->
          proto.setTreatment("balance").setBalancing(Balancing.SOURCE_HASH.text());
      case Program.RoundRobin _ ->
          proto.setTreatment("balance").setBalancing(Balancing.ROUND_ROBIN.text());
      case Program.Sticky sticky ->
          proto
              .setTreatment("balance")
              .setAffinitySeconds((int) Math.min(sticky.timeoutSeconds(), Integer.MAX_VALUE))
              .setBalancing(
                  sticky.slots() == 1
                      ? ""
                      : switch (sticky.choice()) {
                        case RANDOM -> Balancing.RANDOM.text();
                        case ROUND_ROBIN -> Balancing.ROUND_ROBIN.text();
                        case HASH -> Balancing.SOURCE_HASH.text();
                      });
    }
  }

  private String why(Frontend frontend) {
    return view.selection(frontend)
        .map(Selection::text)
        .orElse("no Service has this address and port any more");
  }

  private List<ProgrammedEndpoint> endpoints(Frontend frontend, Optional<PortState> state) {
    var slots = new LinkedHashMap<Target, List<Integer>>();
    var inKernel = state.map(PortState::slots).orElse(List.of());
    for (int slot = 0; slot < inKernel.size(); slot++) {
      slots.computeIfAbsent(inKernel.get(slot), _ -> new ArrayList<>()).add(slot);
    }
    boolean many = inKernel.size() == Maglev.SIZE && slots.size() < Maglev.SIZE;
    var known = new LinkedHashMap<Target, EndpointEntry>();
    for (var entry : view.endpoints(frontend)) {
      known.merge(
          new Target(entry.address(), entry.port()),
          entry,
          (a, b) -> a.conditions().ready() || !b.conditions().ready() ? a : b);
    }
    var endpoints = new ArrayList<ProgrammedEndpoint>();
    slots.forEach((target, of) -> {
      var proto = endpoint(target, Optional.ofNullable(known.remove(target)));
      endpoints.add((many ? proto : proto.addAllSlots(of)).setSlotCount(of.size()).build());
    });
    known.forEach((target, entry) -> endpoints.add(endpoint(target, Optional.of(entry)).build()));
    return endpoints;
  }

  private static ProgrammedEndpoint.Builder endpoint(Target target, Optional<EndpointEntry> entry) {
    var proto =
        ProgrammedEndpoint.newBuilder()
            .setAddress(target.address().toString())
            .setPort(target.port());
    entry.ifPresent(e ->
        proto
            .setUid(e.key().pod().toString())
            .setNode(e.node().orElse(""))
            .setReady(e.conditions().ready())
            .setServing(e.conditions().serving())
            .setTerminating(e.conditions().terminating()));
    return proto;
  }

  private String difference(Frontend frontend, Optional<PortState> state) {
    return switch (compared(frontend)) {
      case EQUAL -> "";
      case INCONSISTENT -> "the kernel has elements of it that make no sense together";
      case DIFFERENT -> {
        var rule = rule(frontend);
        if (rule.isEmpty()) {
          yield "it should not be in the kernel any more";
        }
        if (state.isEmpty()) {
          yield "it is not in the kernel; wanted is " + words(rule.get());
        }
        yield "wanted is " + words(rule.get());
      }
    };
  }

  private static String words(PortRule rule) {
    return switch (rule.treatment()) {
      case REJECT -> "reject";
      case DROP -> "drop";
      case BALANCE ->
          rule.balancing().text()
              + rule.affinity().map(a -> " with affinity of " + a.toSeconds() + " s").orElse("")
              + " over "
              + words(rule.targets());
    };
  }

  private static String words(Collection<Target> targets) {
    var named =
        targets.stream()
            .limit(NAMED)
            .map(target -> text(target.address()) + ":" + target.port())
            .collect(Collectors.joining(", "));
    return targets.size() > NAMED ? named + " and " + (targets.size() - NAMED) + " more" : named;
  }

  private static String text(Address address) {
    return address.family() == Family.IPV6 ? "[" + address + "]" : address.toString();
  }
}
