package io.fairlead.core.view;

import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.Entry.PodEntry;
import io.fairlead.core.view.Entry.ServiceCidrEntry;
import io.fairlead.core.view.Entry.ServicePortEntry;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Target;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.pcollections.HashPMap;
import org.pcollections.HashTreePMap;
import org.pcollections.TreePMap;
import org.pcollections.TreePSet;

/**
 * The entries one node has, and the rules they make on it. Immutable; a step costs the service
 * ports it touches. Entries may come in any order and in any portions: an endpoint whose port is
 * not there is kept for when it comes.
 */
public final class NodeView {
  private final NodeContext context;
  private final TreePMap<EntryKey.ServicePort, ServicePortEntry> ports;
  private final TreePMap<EntryKey.ServicePort, TreePMap<EntryKey.Endpoint, EndpointEntry>>
      endpoints;
  private final HashPMap<EntryKey.Pod, PodEntry> pods;
  private final TreePMap<String, ServiceCidrEntry> serviceCidrs;
  private final HashPMap<Frontend, TreePSet<EntryKey.ServicePort>> claims;
  private final NodeRules rules;

  /**
   * A step.
   *
   * @param changed frontends whose rule appeared, changed or went; other parts of the rules are to
   *     be compared
   * @param touched frontends whose port or endpoints were among what was set or removed, also where
   *     their rule is as it was
   */
  public record Step(NodeView view, Set<Frontend> changed, Set<Frontend> touched) {}

  private NodeView(
      NodeContext context,
      TreePMap<EntryKey.ServicePort, ServicePortEntry> ports,
      TreePMap<EntryKey.ServicePort, TreePMap<EntryKey.Endpoint, EndpointEntry>> endpoints,
      HashPMap<EntryKey.Pod, PodEntry> pods,
      TreePMap<String, ServiceCidrEntry> serviceCidrs,
      HashPMap<Frontend, TreePSet<EntryKey.ServicePort>> claims,
      NodeRules rules) {
    this.context = context;
    this.ports = ports;
    this.endpoints = endpoints;
    this.pods = pods;
    this.serviceCidrs = serviceCidrs;
    this.claims = claims;
    this.rules = rules;
  }

  /** Of a node that was told nothing. */
  public static NodeView empty(NodeContext context) {
    return new NodeView(
        context,
        TreePMap.empty(),
        TreePMap.empty(),
        HashTreePMap.empty(),
        TreePMap.empty(),
        HashTreePMap.empty(),
        new NodeRules(HashTreePMap.empty(), Set.of(), context.clusterCidrs()));
  }

  /** Of a node that has exactly these entries. */
  public static NodeView of(Collection<? extends Entry> entries, NodeContext context) {
    return empty(context).with(entries, List.of()).view();
  }

  /** The rules of a node that has exactly these entries. */
  public static NodeRules rules(Map<EntryKey, ? extends Entry> entries, NodeContext context) {
    return of(entries.values(), context).rules();
  }

  public NodeContext context() {
    return context;
  }

  public NodeRules rules() {
    return rules;
  }

  /** The Pods it was told of, in no particular order. */
  public Collection<PodEntry> pods() {
    return pods.values();
  }

  public Optional<PodEntry> pod(EntryKey.Pod key) {
    return Optional.ofNullable(pods.get(key));
  }

  /**
   * Endpoints that answer on a frontend, whether or not this node sends new connections there;
   * empty = no Service has the frontend.
   */
  public Optional<Set<Target>> serving(Frontend frontend) {
    return port(frontend)
        .map(_ -> {
          var serving = new TreeSet<Target>();
          for (var endpoint : endpoints(frontend)) {
            var conditions = endpoint.conditions();
            if (conditions.serving() || conditions.ready()) {
              serving.add(new Target(endpoint.address(), endpoint.port()));
            }
          }
          return serving;
        });
  }

  /**
   * Endpoints with which open flows to a frontend go on; empty = no Service has it. Over UDP those
   * that serve; over TCP, where {@link #endsFlows}, all that there are, whatever their condition:
   * what they have open is for them to finish.
   */
  public Optional<Set<Target>> kept(Frontend frontend) {
    return frontend.protocol() == Protocol.TCP
        ? port(frontend)
            .map(_ -> {
              var all = new TreeSet<Target>();
              endpoints(frontend).forEach(e -> all.add(new Target(e.address(), e.port())));
              return all;
            })
        : serving(frontend);
  }

  /**
   * Whether flows to a frontend are ended that go to none of its endpoints: over UDP always, over
   * TCP where its Service asks for it, or is gone.
   */
  public boolean endsFlows(Frontend frontend) {
    return switch (frontend.protocol()) {
      case UDP -> true;
      case TCP -> port(frontend).map(ServicePortEntry::resetsConnections).orElse(true);
      case SCTP -> false;
    };
  }

  /** Endpoints behind a frontend, of its family, in whatever condition; sorted by key. */
  public List<EndpointEntry> endpoints(Frontend frontend) {
    return port(frontend)
        .map(port ->
            endpoints.getOrDefault(port.key(), TreePMap.empty()).values().stream()
                .filter(endpoint -> endpoint.key().family() == frontend.vip().family())
                .toList())
        .orElse(List.of());
  }

  /**
   * Whose a frontend is; empty = no Service has it. Should two ports name one frontend (the senders
   * see to it that none do), the first by key has it.
   */
  public Optional<ServicePortEntry> port(Frontend frontend) {
    return claims.getOrDefault(frontend, TreePSet.empty()).stream()
        .findFirst()
        .flatMap(key -> Optional.ofNullable(ports.get(key)));
  }

  /** Why new connections to a frontend go where they go; empty = no Service has it. */
  public Optional<Selection> selection(Frontend frontend) {
    return port(frontend)
        .map(port -> UsableEndpoints.selection(port, endpoints(frontend), context));
  }

  /** All entries, in no particular order. */
  public Collection<Entry> entries() {
    var all = new ArrayList<Entry>();
    all.addAll(ports.values());
    endpoints.values().forEach(ofPort -> all.addAll(ofPort.values()));
    all.addAll(pods.values());
    all.addAll(serviceCidrs.values());
    return all;
  }

  /**
   * This view after some entries were removed and then some set. Keys that are not there may be
   * removed.
   */
  public Step with(Collection<? extends Entry> set, Collection<? extends EntryKey> removed) {
    var next = new Builder(this);
    removed.forEach(next::remove);
    set.forEach(next::set);
    return next.build();
  }

  /** Scratch of one step. */
  private static final class Builder {
    private final NodeView base;
    private TreePMap<EntryKey.ServicePort, ServicePortEntry> ports;
    private TreePMap<EntryKey.ServicePort, TreePMap<EntryKey.Endpoint, EndpointEntry>> endpoints;
    private HashPMap<EntryKey.Pod, PodEntry> pods;
    private TreePMap<String, ServiceCidrEntry> serviceCidrs;
    private HashPMap<Frontend, TreePSet<EntryKey.ServicePort>> claims;
    private final Set<EntryKey.ServicePort> touched = new TreeSet<>();
    private final Set<Frontend> dirty = new LinkedHashSet<>();

    Builder(NodeView base) {
      this.base = base;
      this.ports = base.ports;
      this.endpoints = base.endpoints;
      this.pods = base.pods;
      this.serviceCidrs = base.serviceCidrs;
      this.claims = base.claims;
    }

    void set(Entry entry) {
      switch (entry) {
        case ServicePortEntry port -> {
          forget(port.key());
          ports = ports.plus(port.key(), port);
          for (var frontend : frontends(port)) {
            claims = claims.plus(frontend, claimants(frontend).plus(port.key()));
          }
          touched.add(port.key());
        }
        case EndpointEntry decoded -> {
          var endpoint = sharing(decoded);
          var ofPort = endpoints.getOrDefault(endpoint.key().port(), TreePMap.empty());
          endpoints = endpoints.plus(endpoint.key().port(), ofPort.plus(endpoint.key(), endpoint));
          touched.add(endpoint.key().port());
        }
        case PodEntry pod -> pods = pods.plus(pod.key(), pod);
        case ServiceCidrEntry cidr -> serviceCidrs = serviceCidrs.plus(cidr.key().name(), cidr);
      }
    }

    /** With the key of its port that others have: as many copies would be most of the memory. */
    private EndpointEntry sharing(EndpointEntry endpoint) {
      var key = endpoint.key();
      var ofPort = endpoints.getOrDefault(key.port(), TreePMap.empty());
      var known =
          ofPort.isEmpty()
              ? Optional.ofNullable(ports.get(key.port())).map(ServicePortEntry::key)
              : Optional.of(ofPort.firstKey().port());
      return known.isEmpty()
          ? endpoint
          : new EndpointEntry(
              new EntryKey.Endpoint(known.get(), key.pod(), key.family()),
              endpoint.address(),
              endpoint.port(),
              endpoint.node(),
              endpoint.zone(),
              endpoint.conditions(),
              endpoint.hints());
    }

    void remove(EntryKey removed) {
      switch (removed) {
        case EntryKey.ServicePort port -> {
          forget(port);
          ports = ports.minus(port);
        }
        case EntryKey.Endpoint endpoint -> {
          var ofPort = endpoints.getOrDefault(endpoint.port(), TreePMap.empty()).minus(endpoint);
          endpoints =
              ofPort.isEmpty()
                  ? endpoints.minus(endpoint.port())
                  : endpoints.plus(endpoint.port(), ofPort);
          touched.add(endpoint.port());
        }
        case EntryKey.Pod pod -> pods = pods.minus(pod);
        case EntryKey.ServiceCidr cidr -> serviceCidrs = serviceCidrs.minus(cidr.name());
      }
    }

    private void forget(EntryKey.ServicePort key) {
      var port = Optional.ofNullable(ports.get(key));
      if (port.isEmpty()) {
        return;
      }
      for (var frontend : frontends(port.get())) {
        var left = claimants(frontend).minus(key);
        claims = left.isEmpty() ? claims.minus(frontend) : claims.plus(frontend, left);
        dirty.add(frontend);
      }
    }

    private TreePSet<EntryKey.ServicePort> claimants(Frontend frontend) {
      return claims.getOrDefault(frontend, TreePSet.empty());
    }

    Step build() {
      for (var key : touched) {
        Optional.ofNullable(ports.get(key)).ifPresent(port -> dirty.addAll(frontends(port)));
      }
      var ruled = base.rules.ports();
      var changed = new LinkedHashSet<Frontend>();
      for (var frontend : dirty) {
        var before = Optional.ofNullable(ruled.get(frontend));
        var after = rule(frontend);
        if (!before.equals(after)) {
          changed.add(frontend);
          ruled = after.isPresent() ? ruled.plus(frontend, after.get()) : ruled.minus(frontend);
        }
      }
      var cidrs = base.rules.serviceCidrs();
      if (!serviceCidrs.equals(base.serviceCidrs)) {
        var ranges = new TreeSet<Cidr>();
        serviceCidrs.values().forEach(entry -> ranges.addAll(entry.cidrs()));
        cidrs = ranges;
      }
      var view =
          new NodeView(
              base.context,
              ports,
              endpoints,
              pods,
              serviceCidrs,
              claims,
              new NodeRules(ruled, cidrs, base.context.clusterCidrs()));
      return new Step(view, changed, dirty);
    }

    /**
     * Should two ports name one frontend (the senders see to it that none do), the first by key has
     * it.
     */
    private Optional<PortRule> rule(Frontend frontend) {
      return claimants(frontend).stream()
          .findFirst()
          .flatMap(key -> Optional.ofNullable(ports.get(key)))
          .map(port ->
              UsableEndpoints.rule(
                  port,
                  endpoints.getOrDefault(port.key(), TreePMap.empty()).values().stream()
                      .filter(e -> e.key().family() == frontend.vip().family())
                      .toList(),
                  base.context));
    }

    private static List<Frontend> frontends(ServicePortEntry port) {
      return port.vips().stream()
          .map(vip -> new Frontend(vip, port.key().protocol(), port.port()))
          .toList();
    }
  }
}
