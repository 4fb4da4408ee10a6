package io.fairlead.bench;

import io.fairlead.agent.nft.Views;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeRules.Treatment;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.pcollections.HashTreePMap;
import org.pcollections.PMap;

/** Rules of a node with many Services, over IPv4 and TCP, all Pods with addresses of their own. */
final class MadeUpRules {
  /** Holds all VIPs. */
  static final Cidr SERVICES = Cidr.of("10.96.0.0/12");

  /** Holds all Pods, made up or not. */
  static final Set<Cidr> PODS = Set.of(Cidr.of("10.128.0.0/9"));

  private static final Cidr POD_ADDRESSES = Cidr.of("10.128.0.0/10");
  private static final int FIRST_VIP = 256;
  private static final int PORT = 8080;

  private MadeUpRules() {}

  /** Of that Service, from 0. */
  static Frontend frontend(int service) {
    return new Frontend(SERVICES.at(BigInteger.valueOf(FIRST_VIP + service)), Protocol.TCP, 80);
  }

  /** Pod of that number, over all Services. */
  static Target target(int pod) {
    return new Target(POD_ADDRESSES.at(BigInteger.valueOf(pod + 1)), PORT);
  }

  /** Those with consecutive numbers. */
  static List<Target> targets(int first, int count) {
    var targets = new ArrayList<Target>();
    for (int pod = first; pod < first + count; pod++) {
      targets.add(target(pod));
    }
    return targets;
  }

  static PortRule rule(Balancing balancing, List<Target> targets) {
    return new PortRule(
        Treatment.BALANCE, targets.stream().sorted().toList(), balancing, Optional.empty());
  }

  /**
   * Services 0 to {@code services - 1}, each with so many Pods.
   *
   * @param roundRobin how many of the first are balanced round-robin; the others are random
   */
  static NodeRules view(int services, int endpoints, int roundRobin) {
    var ports = new HashMap<Frontend, PortRule>();
    for (int i = 0; i < services; i++) {
      ports.put(
          frontend(i),
          rule(
              i < roundRobin ? Balancing.ROUND_ROBIN : Balancing.RANDOM,
              targets(i * endpoints, endpoints)));
    }
    return view(HashTreePMap.from(ports));
  }

  static NodeRules view(PMap<Frontend, PortRule> ports) {
    return new NodeRules(ports, Set.of(SERVICES), PODS);
  }

  static NodeRules with(NodeRules view, Frontend frontend, PortRule rule) {
    return view(view.ports().plus(frontend, rule));
  }

  static Position at(long offset) {
    return Position.start(Views.LOG).with(LogPartition.SERVICES, offset);
  }
}
