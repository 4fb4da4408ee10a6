package io.fairlead.agent.nft;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeRules.Treatment;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.pcollections.HashTreePMap;

/** Short words for views of a node in tests. */
public final class Views {
  public static final LogIdentity LOG =
      new LogIdentity("Wl7vJ3eXTiG9VgXoY0yqAA", "c2VydmljZXMtdG9waWMtaQ");
  public static final NodeRules EMPTY = new NodeRules(HashTreePMap.empty(), Set.of(), Set.of());

  private Views() {}

  public static Frontend tcp(String vip, int port) {
    return new Frontend(Address.of(vip), Protocol.TCP, port);
  }

  public static Frontend udp(String vip, int port) {
    return new Frontend(Address.of(vip), Protocol.UDP, port);
  }

  /** Targets given as {@code 10.0.0.1:80} or {@code [fd00::1]:80}. */
  public static List<Target> targets(String... targets) {
    return Arrays.stream(targets)
        .map(t ->
            new Target(
                Address.of(t.substring(0, t.lastIndexOf(':')).replaceAll("[\\[\\]]", "")),
                Integer.parseInt(t.substring(t.lastIndexOf(':') + 1))))
        .toList();
  }

  public static PortRule to(Balancing balancing, String... targets) {
    return new PortRule(Treatment.BALANCE, targets(targets), balancing, Optional.empty());
  }

  public static PortRule sticky(Duration timeout, Balancing balancing, String... targets) {
    return new PortRule(Treatment.BALANCE, targets(targets), balancing, Optional.of(timeout));
  }

  public static PortRule reject() {
    return new PortRule(Treatment.REJECT, List.of(), Balancing.ROUND_ROBIN, Optional.empty());
  }

  public static PortRule drop() {
    return new PortRule(Treatment.DROP, List.of(), Balancing.ROUND_ROBIN, Optional.empty());
  }

  /** With services in 10.96.0.0/16 and fd00:96::/112, Pods in 10.244.0.0/16 and fd00:244::/64. */
  public static NodeRules view(Map<Frontend, PortRule> ports) {
    return new NodeRules(
        HashTreePMap.from(ports),
        Set.of(Cidr.of("10.96.0.0/16"), Cidr.of("fd00:96::/112")),
        Set.of(Cidr.of("10.244.0.0/16"), Cidr.of("fd00:244::/64")));
  }

  public static Position at(long offset) {
    return Position.start(LOG).with(LogPartition.SERVICES, offset);
  }
}
