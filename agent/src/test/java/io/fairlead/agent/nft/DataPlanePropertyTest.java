package io.fairlead.agent.nft;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.ruleset.FamilyState;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.Program;
import io.fairlead.agent.ruleset.TableContents;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Position;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.model.ServiceSpec.Balancing;
import io.fairlead.core.model.Topic;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.view.NodeRules;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.PortRule;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeRules.Treatment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random changes of a view: the kernel follows, and is whole at the end of every single
 * transaction.
 */
@Timeout(60)
class DataPlanePropertyTest {
  static List<Long> seeds() {
    long first = System.nanoTime();
    return List.of(1L, 2L, first);
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void kernelEqualsViewAfterAnyChangesAndIsWholeAtEveryTransaction(long seed) {
    var random = new Random(seed);
    var nft = new FakeNft();
    var chainsBefore = new EnumMap<Family, Set<String>>(Family.class);
    var broken = new ArrayList<String>();
    nft.afterCommit((family, contents) -> checkWhole(family, contents, chainsBefore, broken));
    Map<Frontend, PortRule> ports = new HashMap<>();
    var position = Position.start(Views.LOG);
    var view = Views.EMPTY;
    var plane = open(nft);
    try {
      for (int step = 0; step < 60; step++) {
        var changed = new HashSet<Frontend>();
        for (int i = random.nextInt(6); i >= 0; i--) {
          var frontend = frontend(random);
          changed.add(frontend);
          if (random.nextInt(4) == 0) {
            ports.remove(frontend);
          } else {
            ports.put(frontend, rule(random, frontend));
          }
        }
        var cidrs = random.nextInt(10) == 0 ? serviceCidrs(random) : view.serviceCidrs();
        var pods = random.nextInt(10) == 0 ? podCidrs(random) : view.clusterCidrs();
        view = new NodeRules(Views.view(ports).ports(), cidrs, pods);
        var applied = step == 0 ? Optional.<Position>empty() : Optional.of(position);
        position = position.with(partition(random), random.nextLong(1L << random.nextInt(1, 40)));
        if (random.nextInt(15) == 0) {
          plane.close();
          plane = open(nft);
          assertThat(plane.position()).as("seed %s: read back at open", seed).isEqualTo(applied);
        }
        boolean whole = random.nextInt(5) == 0;
        var result = whole ? plane.apply(view, position) : plane.apply(view, changed, position);
        assertThat(result.committed()).as("seed %s step %s: %s", seed, step, result).isTrue();
        assertThat(broken).as("seed %s step %s", seed, step).isEmpty();
        assertThat(plane.read().differencesFrom(view, Set.of()))
            .as("seed %s step %s", seed, step)
            .isEmpty();
        assertThat(plane.position()).as("seed %s step %s", seed, step).contains(position);
        assertThat(plane.apply(view, position).transactions())
            .as("seed %s step %s: again", seed, step)
            .isZero();
      }
    } finally {
      plane.close();
    }
  }

  @Test
  void thousandsOfChangesAreDividedAndWholeAtEveryTransaction() {
    var nft = new FakeNft();
    var chainsBefore = new EnumMap<Family, Set<String>>(Family.class);
    var broken = new ArrayList<String>();
    nft.afterCommit((family, contents) -> checkWhole(family, contents, chainsBefore, broken));
    Map<Frontend, PortRule> ports = new HashMap<>();
    try (var plane = open(nft)) {
      for (int endpoints : List.of(8, 7)) {
        for (int i = 0; i < 2_000; i++) {
          var targets = new String[endpoints];
          for (int n = 0; n < endpoints; n++) {
            targets[n] = "10." + (128 + n) + "." + i / 250 + "." + i % 250 + ":80";
          }
          ports.put(
              Views.tcp("10.97." + i / 250 + "." + i % 250, 80),
              Views.to(i % 100 == 0 ? Balancing.ROUND_ROBIN : Balancing.RANDOM, targets));
        }
        var view = Views.view(ports);
        var result = plane.apply(view, ports.keySet(), Views.at(endpoints));
        assertThat(result.committed()).isTrue();
        if (endpoints == 8) { // and of the others one for each step
          assertThat(result.transactions()).as("growth in several").isGreaterThan(5);
        }
        assertThat(broken).isEmpty();
        assertThat(plane.read().differencesFrom(view, Set.of())).isEmpty();
      }
    }
  }

  private static DataPlane open(FakeNft nft) {
    return DataPlane.on(DataPlaneConfig.of("node-a"), new FakeTime(), () -> nft);
  }

  /** Every dispatched number has a chain made by an earlier transaction, and all of its slots. */
  private static void checkWhole(
      Family family,
      TableContents contents,
      Map<Family, Set<String>> chainsBefore,
      List<String> broken) {
    var layout = Layout.of(family);
    var state = FamilyState.of(layout, contents);
    var known = chainsBefore.getOrDefault(family, Set.of());
    for (var protocol : Protocol.values()) {
      contents
          .elements("services_" + protocol.name().toLowerCase(java.util.Locale.ROOT))
          .forEach((key, _) -> {
            var parts = key.split(" \\. ", -1);
            var frontend = new Frontend(Address.of(parts[0]), protocol, Integer.parseInt(parts[1]));
            var port =
                Optional.ofNullable(
                    state.ports().get(frontend)); // absent where a slot or the chain is missing
            if (port.isEmpty()) {
              broken.add(
                  key + " is dispatched, but not complete: " + contents.elements("services_tcp"));
            } else if (!known.contains(port.get().program().chain())) {
              broken.add(
                  key + " uses a chain of the same transaction: " + port.get().program().chain());
            } else if (!state.vips().contains(frontend.vip())) {
              broken.add(key + ": its VIP is not known");
            }
          });
    }
    contents
        .chains()
        .forEach((name, rules) -> {
          var program = Program.parse(name);
          if (program.isPresent() && rules.size() != layout.rules(program.get()).size()) {
            broken.add(name + " has rules " + rules);
          }
        });
    chainsBefore.put(family, Set.copyOf(contents.chains().keySet()));
  }

  private static Frontend frontend(Random random) {
    var protocol = List.of(Protocol.values()).get(random.nextInt(3));
    int service = random.nextInt(6);
    int port = 80 + random.nextInt(2);
    return random.nextBoolean()
        ? new Frontend(Address.of("10.96.0." + (10 + service)), protocol, port)
        : new Frontend(Address.of("fd00:96::" + Integer.toHexString(10 + service)), protocol, port);
  }

  private static PortRule rule(Random random, Frontend frontend) {
    return switch (random.nextInt(8)) {
      case 0 -> Views.reject();
      case 1 -> Views.drop();
      default -> balance(random, frontend);
    };
  }

  private static PortRule balance(Random random, Frontend frontend) {
    var targets = new ArrayList<Target>();
    int n = random.nextInt(20) == 0 ? 60 + random.nextInt(20) : 1 + random.nextInt(6);
    while (targets.size() < n) {
      int host = 1 + random.nextInt(100);
      var address =
          frontend.vip().family() == Family.IPV4
              ? "10.244.0." + host
              : "fd00:244::" + Integer.toHexString(host);
      var target = new Target(Address.of(address), 8080 + random.nextInt(2));
      if (!targets.contains(target)) {
        targets.add(target);
      }
    }
    targets.sort(null);
    Optional<Duration> affinity =
        random.nextInt(4) == 0
            ? Optional.of(Duration.ofMinutes(random.nextLong(1, 3)))
            : Optional.empty();
    return new PortRule(Treatment.BALANCE, targets, balancing(random), affinity);
  }

  private static Balancing balancing(Random random) {
    return random.nextInt(12) == 0 // seldom: a thousand elements each
        ? Balancing.SOURCE_HASH
        : random.nextBoolean() ? Balancing.RANDOM : Balancing.ROUND_ROBIN;
  }

  private static Set<Cidr> serviceCidrs(Random random) {
    return random.nextBoolean()
        ? Set.of(Cidr.of("10.96.0.0/16"), Cidr.of("10.96.0.0/20"), Cidr.of("fd00:96::/112"))
        : Set.of(Cidr.of("10.96.0.0/17"));
  }

  private static Set<Cidr> podCidrs(Random random) {
    return random.nextBoolean()
        ? Set.of()
        : Set.of(Cidr.of("10.244.0.0/16"), Cidr.of("fd00:244::/64"));
  }

  private static LogPartition partition(Random random) {
    int p = random.nextInt(4);
    return p == 0 ? LogPartition.SERVICES : new LogPartition(Topic.PODS, p);
  }
}
