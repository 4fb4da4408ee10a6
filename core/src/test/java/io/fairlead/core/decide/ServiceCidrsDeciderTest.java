package io.fairlead.core.decide;

import static io.fairlead.core.decide.DecidedServices.cidrDraft;
import static io.fairlead.core.decide.TestService.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Kind;
import io.fairlead.core.model.ObjectKey;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.ServiceCidr;
import io.fairlead.core.record.Change;
import io.fairlead.core.run.RandomSource;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ServiceCidrsDeciderTest {
  private final DecidedServices s = DecidedServices.in("10.96.0.0/24");

  private static ServiceCommand create(String name, String... cidrs) {
    return new ServiceCommand.CreateCidr(cidrDraft(name, cidrs), DryRun.NO);
  }

  private static ServiceCommand apply(String name, String... cidrs) {
    return new ServiceCommand.ApplyCidr(cidrDraft(name, cidrs), DryRun.NO);
  }

  private boolean exists(String name) {
    return s.image.serviceCidrs().get(name).isPresent();
  }

  private boolean terminating(String name) {
    return s.image.serviceCidrs().get(name).orElseThrow().object().terminating();
  }

  @Test
  void addsRangesOfBothFamiliesAtRunTime() {
    assertThat(s.faults(service("six").families("IPv6").create()))
        .containsExactly("spec.ipFamilies[0] Invalid");
    assertThat(s.decide(create("six", "fd00:96::/112")))
        .isInstanceOfSatisfying(
            ServiceOutcome.CidrStored.class,
            stored -> {
              assertThat(stored.result()).isEqualTo(Result.CREATED);
              assertThat(stored.cidr().terminating()).isFalse();
              assertThat(stored.resourceVersion()).hasValue(s.log.getLast().offset());
            });
    assertThat(s.ip(service("six").families("IPv6").create())).startsWith("fd00:96::");
    assertThat(s.ip(service("four").create())).startsWith("10.96.0.");
    assertThat(s.refused(create("six", "fd00:97::/112")))
        .isEqualTo(new Refusal.NameTaken(ObjectKey.ofCluster(Kind.SERVICE_CIDR, "six")));
  }

  @Test
  void namesAllFaultsAtOnce() {
    assertThat(s.faults(create("Not_a_name", "10.0.0.1/24", "10.1.0.0/24", "fd00::/48")))
        .containsExactly(
            "metadata.name Invalid",
            "spec.cidrs Invalid",
            "spec.cidrs[0] Invalid",
            "spec.cidrs[2] Invalid");
    assertThat(s.faults(create("", new String[0])))
        .containsExactly("metadata.name Invalid", "metadata.name Required", "spec.cidrs Required");
  }

  @Test
  void appliesWhatDiffersAndWritesNothingWhereNothingDoes() {
    s.decide(apply("more", "10.97.0.0/24"));
    int records = s.log.size();
    assertThat(s.decide(apply("more", "10.97.0.0/24")))
        .isInstanceOfSatisfying(
            ServiceOutcome.CidrStored.class,
            stored -> assertThat(stored.result()).isEqualTo(Result.UNCHANGED));
    assertThat(s.log).hasSize(records);
    var labelled =
        new ServiceCidrDraft(
            "more", Map.of("for", "lab"), Map.of(), List.of("10.97.0.0/24"), "", "");
    assertThat(s.decide(new ServiceCommand.ApplyCidr(labelled, DryRun.YES)))
        .isInstanceOfSatisfying(
            ServiceOutcome.CidrStored.class,
            stored -> assertThat(stored.result()).isEqualTo(Result.CONFIGURED));
    assertThat(s.log).hasSize(records);
    s.decide(new ServiceCommand.ApplyCidr(labelled, DryRun.NO));
    assertThat(s.image.serviceCidrs().get("more").orElseThrow().object().meta().labels())
        .containsEntry("for", "lab");
    var stale = new ServiceCidrDraft("more", Map.of(), Map.of(), List.of("10.97.0.0/24"), "3", "");
    assertThat(s.refused(new ServiceCommand.ApplyCidr(stale, DryRun.NO)))
        .isInstanceOf(Refusal.Stale.class);
    assertThat(s.refused(new ServiceCommand.DeleteCidr("more", "", "3")))
        .isInstanceOf(Refusal.Stale.class);
    assertThat(s.refused(new ServiceCommand.DeleteCidr("none", "", "")))
        .isInstanceOf(Refusal.NotFound.class);
  }

  @Test
  void whatHoldsNoAddressIsRemovedAtOnce() {
    s.range("more", "10.97.0.0/24");
    assertThat(s.deleteCidr("more")).isInstanceOf(ServiceOutcome.CidrDeleted.class);
    assertThat(exists("more")).isFalse();
  }

  @Test
  void whatIsCoveredByAnotherRangeIsRemovedAtOnce() {
    s.stored(service("web").clusterIp("10.96.0.20").create());
    s.range("wide", "10.96.0.0/16");
    assertThat(s.deleteCidr("default")).isInstanceOf(ServiceOutcome.CidrDeleted.class);
    assertThat(s.deleteCidr("wide")).isInstanceOf(ServiceOutcome.CidrTerminating.class);
  }

  @Test
  void aRangeWhoseNetworkAddressItIsDoesNotCoverAnAddress() {
    s.range("wide", "10.97.0.0/16");
    s.stored(service("web").clusterIp("10.97.4.0").create());
    s.range("narrow", "10.97.4.0/24");
    assertThat(s.deleteCidr("wide")).isInstanceOf(ServiceOutcome.CidrTerminating.class);
  }

  @Test
  void aTerminatingOneIsRemovedWhenAnotherRangeCoversItsAddresses() {
    s.range("more", "10.97.0.0/24");
    s.stored(service("web").clusterIp("10.97.0.9").create());
    s.deleteCidr("more");
    s.decide(create("half", "10.97.0.128/25"));
    assertThat(terminating("more")).isTrue();
    s.decide(create("other", "10.97.0.0/25"));
    assertThat(exists("more")).isFalse();
    assertThat(s.last.changes())
        .extracting(Change::key)
        .containsExactly(
            ObjectKey.ofCluster(Kind.SERVICE_CIDR, "other"),
            ObjectKey.ofCluster(Kind.SERVICE_CIDR, "more"));
  }

  @Test
  void twoTerminatingOnesDoNotCoverEachOther() {
    s.range("one", "10.97.0.0/24");
    s.range("two", "10.97.0.0/24");
    s.stored(service("web").clusterIp("10.97.0.9").create());
    assertThat(s.deleteCidr("one")).isInstanceOf(ServiceOutcome.CidrDeleted.class);
    s.range("one", "10.97.0.0/24");
    s.terminatingRange("two", "10.97.0.0/24");
    assertThat(s.deleteCidr("one")).isInstanceOf(ServiceOutcome.CidrTerminating.class);
    s.delete("web");
    assertThat(exists("one")).isFalse();
    assertThat(exists("two")).isFalse();
  }

  @Test
  void aTerminatingOneStaysAsItIsAndItsNameStaysTaken() {
    s.range("more", "10.97.0.0/24");
    s.stored(service("web").clusterIp("10.97.0.9").create());
    s.deleteCidr("more");
    int records = s.log.size();
    assertThat(s.deleteCidr("more")).isInstanceOf(ServiceOutcome.CidrTerminating.class);
    assertThat(s.refused(create("more", "10.97.0.0/24"))).isInstanceOf(Refusal.NameTaken.class);
    assertThat(s.refused(apply("more", "10.97.0.0/24"))).isInstanceOf(Refusal.Terminating.class);
    assertThat(s.log).hasSize(records);
  }

  @Test
  void aServiceKeepsItsAddressWhateverIsSaidOfItWhileTheRangeTerminates() {
    s.range("more", "10.97.0.0/24");
    s.stored(service("web").clusterIp("10.97.0.9").create());
    s.deleteCidr("more");
    var changed =
        s.stored(service("web").clusterIp("10.97.0.9").labels(Map.of("tier", "front")).apply());
    assertThat(changed.spec().clusterIps()).containsExactly(Address.of("10.97.0.9"));
  }

  @Test
  void givingUpTheSecondAddressRemovesTheRangeThatOnlyItHeld() {
    s.range("six", "fd00:96::/112");
    var dual = s.stored(service("web").policy("RequireDualStack").create());
    assertThat(dual.spec().clusterIps()).hasSize(2);
    s.deleteCidr("six");
    assertThat(terminating("six")).isTrue();
    s.stored(service("web").policy("SingleStack").apply());
    assertThat(exists("six")).isFalse();
  }

  private List<String> words(ServiceCommand command) {
    return ((Refusal.Invalid) s.refused(command))
        .violations().stream().map(Violation::toString).toList();
  }

  @Test
  void withoutAReadyRangeNoAddressIsGivenOut() {
    s.stored(service("web").clusterIp("10.96.0.9").create());
    s.deleteCidr("default");
    assertThat(s.refused(service("more").create()))
        .isInstanceOfSatisfying(
            Refusal.RangeFull.class,
            full -> {
              assertThat(full.ranges()).isEmpty();
              assertThat(full.ending()).containsExactly("default (10.96.0.0/24)");
            });
    var ending = "; terminating, so that nothing is given out of it: default (10.96.0.0/24)";
    assertThat(words(service("more").clusterIp("10.96.0.10").create()))
        .containsExactly(
            "spec.clusterIPs[0]: Invalid value: \"10.96.0.10\": there is no range of IPv4 addresses"
                + ending);
    assertThat(words(service("more").families("IPv4").create()))
        .containsExactly(
            "spec.ipFamilies[0]: Invalid value: \"IPv4\": there is no range of IPv4 addresses"
                + ending);
    s.range("more", "10.97.0.0/24");
    assertThat(words(service("more").clusterIp("10.96.0.10").create()))
        .containsExactly(
            "spec.clusterIPs: Invalid value: \"10.96.0.10\": is not an address of the ranges 10.97.0.0/24"
                + ending);
  }

  @Test
  void recallsWhatWasAnswered() {
    s.range("more", "10.97.0.0/24");
    s.stored(service("web").clusterIp("10.97.0.9").create());
    for (var command :
        List.of(
            create("other", "10.98.0.0/24"),
            apply("other", "10.98.0.0/24"),
            new ServiceCommand.DeleteCidr("other", "", ""),
            new ServiceCommand.DeleteCidr("more", "", ""))) {
      int before = s.log.size();
      var answered = s.decide(command);
      if (s.log.size() > before) {
        assertThat(ServicesDecider.recall(s.log.get(before))).isEqualTo(answered);
      }
    }
    // the first record is the one that counts, whatever else the decision wrote
    int before = s.log.size();
    var answered = (ServiceOutcome.Deleted) s.delete("web");
    assertThat(s.log).hasSize(before + 2);
    assertThat(exists("more")).isFalse();
    assertThat(ServicesDecider.recall(s.log.get(before)))
        .isEqualTo(answered.at(s.log.get(before).offset()));
  }

  @Test
  void countsWhatIsInUseByBand() {
    s.stored(service("one").clusterIp("10.96.0.16").create());
    s.stored(service("two").clusterIp("10.96.0.17").create());
    s.stored(service("three").create());
    var usage = RangeUsage.of(s.image.services(), Cidr.of("10.96.0.0/24"));
    assertThat(usage.staticBand()).isEqualTo(new RangeUsage.Band(BigInteger.valueOf(16), 1));
    assertThat(usage.dynamicBand()).isEqualTo(new RangeUsage.Band(BigInteger.valueOf(238), 2));
    assertThat(usage.dynamicBand().free()).isEqualTo(236);
    assertThat(RangeUsage.of(s.image.services(), Cidr.of("fd00::/64")).dynamicBand().free())
        .isEqualTo(BigInteger.ONE.shiftLeft(64).subtract(BigInteger.valueOf(257)));
    assertThat(RangeUsage.of(s.image.services(), Cidr.of("10.98.0.0/32")).dynamicBand().size())
        .isZero();
  }

  /**
   * Creations and removals, in batches as an owner decides them: whatever their order, no Service
   * holds an address outside the ranges, and each address lies in a range that was ready when it
   * was given out.
   */
  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
  void whateverTheOrderNoAddressIsOutsideTheRanges(long seed) {
    var random = new Random(seed);
    var source = RandomSource.seeded(seed);
    var image =
        ClusterImage.EMPTY.with(
            List.of(new Change.Put(s.image.serviceCidrs().get("default").orElseThrow().object())));
    var names = new ArrayList<String>();
    for (int i = 0; i < 600; i++) {
      var now = Instant.EPOCH.plusSeconds(i);
      var context =
          new ServicesContext(
              now, source, Set.of(), Map.of(), new LinkedHashSet<>(), ServiceSettings.DEFAULT);
      var readyBefore = ServiceRanges.of(image);
      var decision = ServicesDecider.decide(image, command(random, i, names), context);
      for (var claim : decision.claims()) {
        assertThat(readyBefore.giveOut(claim.address())).isTrue();
      }
      image = image.with(decision.changes());
      assertInside(image);
    }
    assertThat(names).isNotEmpty();
  }

  private static ServiceCommand command(Random random, int i, List<String> names) {
    var name = "c" + random.nextInt(4);
    return switch (random.nextInt(10)) {
      case 0, 1 ->
          create(name, "10.97.0.%d/%d".formatted(random.nextInt(4) * 64, random.nextInt(26, 29)));
      case 2 -> create(name, "fd00:96::%d00/120".formatted(random.nextInt(1, 4)));
      case 3 -> new ServiceCommand.DeleteCidr(name, "", "");
      case 4, 5, 6 -> {
        names.add("s" + i);
        yield service("s" + i)
            .policy(random.nextBoolean() ? "PreferDualStack" : "SingleStack")
            .create();
      }
      case 7 -> {
        names.add("s" + i);
        yield service("s" + i).clusterIp("10.97.0." + random.nextInt(256)).create();
      }
      default -> {
        var victim = names.isEmpty() ? "none" : names.remove(random.nextInt(names.size()));
        yield new ServiceCommand.Delete(new ObjectName("shop", victim), "", "");
      }
    };
  }

  private static void assertInside(ClusterImage image) {
    var held = new HashSet<Address>();
    for (var service : image.services().all()) {
      for (var address : service.object().spec().clusterIps()) {
        assertThat(held.add(address)).isTrue();
        assertThat(
                image
                    .serviceCidrs()
                    .ranges()
                    .anyMatch(range -> new AddressBands(range).usable(address)))
            .as("%s of %s in a range", address, service.object().name())
            .isTrue();
      }
    }
    image.serviceCidrs().all().stream()
        .map(Versioned::object)
        .filter(ServiceCidr::terminating)
        .forEach(cidr -> assertThat(RangeUsage.holding(image, cidr)).isPositive());
  }
}
