package io.fairlead.core.decide;

import static io.fairlead.core.decide.TestService.service;
import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.conformance.ConformanceRow;
import io.fairlead.core.decide.AddressBands.Span;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.pcollections.TreePSet;

/** Each row of {@code conformance/allocation.tsv} that one decider can show. */
@Timeout(60)
class AllocationConformanceTest {
  private static final Map<String, Runnable> CASES =
      Map.ofEntries(
          entry(
              "B1",
              () ->
                  assertThat(new AddressBands(Cidr.of("10.96.0.0/12")).staticSize())
                      .isEqualTo(256)),
          entry("B2", AllocationConformanceTest::picksFromTheDynamicBand),
          entry("B4", AllocationConformanceTest::fillsARangeWithoutDuplicates),
          entry(
              "B6",
              () -> {
                var s = DecidedServices.in("10.96.0.0/30");
                s.stored(service("a").create());
                assertThat(s.refused(service("b").create()))
                    .isEqualTo(
                        new Refusal.RangeFull(
                            service("b").draft().key(),
                            Family.IPV4,
                            List.of(Cidr.of("10.96.0.0/30"))));
              }),
          entry(
              "B7",
              () -> {
                var s = DecidedServices.in("10.96.0.0/30");
                var ip = s.ip(service("a").create());
                s.delete("a");
                assertThat(s.ip(service("b").create())).isEqualTo(ip);
              }),
          entry(
              "B10",
              () -> {
                var s = DecidedServices.in("10.96.0.0/24");
                s.refused(service("a").clusterIp("10.96.0.5").port("", "tcp", 80).create());
                assertThat(s.ip(service("b").clusterIp("10.96.0.5").create()))
                    .isEqualTo("10.96.0.5");
              }),
          entry(
              "B14",
              () ->
                  assertThat(
                          DecidedServices.in("fd00::/112")
                              .ip(service("a").clusterIp("fd00::ffff").create()))
                      .isEqualTo("fd00::ffff")),
          entry("B15", AllocationConformanceTest::staysInsideAnIpv6Prefix),
          entry(
              "B16",
              () ->
                  assertThat(ServiceCidrRules.check("spec.cidrs", List.of("fd00::/63")))
                      .extracting(Violation::field)
                      .containsExactly("spec.cidrs[0]")),
          entry(
              "B17",
              () -> {
                var s = DecidedServices.in("10.96.0.0/30");
                s.stored(service("a").create());
                s.range("more", "10.97.0.0/24");
                assertThat(Address.of(s.ip(service("b").create())))
                    .matches(Cidr.of("10.97.0.0/24")::contains);
              }),
          entry(
              "B18",
              () -> {
                var s = DecidedServices.in("10.96.0.0/29");
                s.range("same", "10.96.0.0/29");
                var ips = new HashSet<String>();
                for (int i = 0; i < 5; i++) {
                  assertThat(ips.add(s.ip(service("s" + i).create()))).isTrue();
                }
                assertThat(s.refused(service("one-more").create()))
                    .isInstanceOf(Refusal.RangeFull.class);
                var before = s.image.services();
                assertThat(s.deleteCidr("same")).isInstanceOf(ServiceOutcome.CidrDeleted.class);
                assertThat(s.image.services()).isEqualTo(before);
                s.delete("s3");
                assertThat(ips).contains(s.ip(service("again").create()));
              }),
          entry(
              "B19",
              () -> {
                var s = DecidedServices.in("10.96.0.0/29");
                s.range("more", "10.97.0.0/29");
                s.stored(service("kept").clusterIp("10.97.0.3").create());
                assertThat(s.deleteCidr("more")).isInstanceOf(ServiceOutcome.CidrTerminating.class);
                assertThat(s.image.serviceCidrs().get("more").orElseThrow().object().deleting())
                    .contains(s.now);
                for (int i = 0; i < 5; i++) {
                  assertThat(s.ip(service("s" + i).create())).startsWith("10.96.");
                }
                assertThat(s.refused(service("full").create()))
                    .isInstanceOf(Refusal.RangeFull.class);
                assertThat(s.faults(service("static").clusterIp("10.97.0.4").create()))
                    .containsExactly("spec.clusterIPs Invalid");
              }),
          entry(
              "B21",
              () -> {
                var s = DecidedServices.in("10.96.0.0/29");
                s.range("more", "10.97.0.0/29");
                s.stored(service("one").clusterIp("10.97.0.3").create());
                s.stored(service("two").clusterIp("10.97.0.4").create());
                s.deleteCidr("more");
                s.delete("one");
                assertThat(s.image.serviceCidrs().get("more")).isPresent();
                s.delete("two");
                assertThat(s.image.serviceCidrs().get("more")).isEmpty();
              }),
          entry(
              "B22",
              () -> {
                var s = DecidedServices.in("10.96.0.0/16");
                s.range("more", "10.97.0.0/16");
                assertThat(s.faults(applyCidr("more", "10.98.0.0/16")))
                    .containsExactly("spec.cidrs Immutable");
                assertThat(s.faults(applyCidr("more", "10.97.0.0/16", "fd00::/108")))
                    .containsExactly("spec.cidrs Immutable");
                assertThat(s.faults(applyCidr("default", "10.98.0.0/16", "fd00::/108")))
                    .containsExactly("spec.cidrs Immutable");
                assertThat(s.decide(applyCidr("default", "10.96.0.0/16", "fd00::/108")))
                    .isInstanceOf(ServiceOutcome.CidrStored.class);
                assertThat(s.faults(applyCidr("default", "10.96.0.0/16")))
                    .containsExactly("spec.cidrs Immutable");
              }),
          entry(
              "B23",
              () ->
                  assertThat(ServiceCidrRules.check("spec.cidrs", List.of("10.0.0.1/24")))
                      .extracting(Violation::field)
                      .containsExactly("spec.cidrs[0]")));

  private static ServiceCommand applyCidr(String name, String... cidrs) {
    return new ServiceCommand.ApplyCidr(DecidedServices.cidrDraft(name, cidrs), DryRun.NO);
  }

  private static void picksFromTheDynamicBand() {
    var last = new HashSet<Long>();
    for (int seed = 0; seed < 1_000; seed++) {
      last.add(pick("10.96.0.0/24", TreePSet.empty(), seed).low() & 255);
    }
    assertThat(last).allMatch(octet -> octet >= 17 && octet <= 254).hasSizeGreaterThan(200);
  }

  private static void fillsARangeWithoutDuplicates() {
    var used = TreePSet.<Address>empty();
    for (int i = 0; i < 254; i++) {
      var address = pick("10.96.0.0/24", used, i);
      assertThat(used).doesNotContain(address);
      // the dynamic band has 238 addresses: the static one is touched only when they are gone
      assertThat((address.low() & 255) <= 16).isEqualTo(i >= 238);
      used = used.plus(address);
    }
    assertThat(picker(used, 1).pick(List.of(Cidr.of("10.96.0.0/24")))).isEmpty();
  }

  private static void staysInsideAnIpv6Prefix() {
    var prefix = Cidr.of("fd00:10:96::/64");
    var picker = picker(TreePSet.empty(), 5);
    for (int i = 0; i < 1_000_000; i++) {
      var picked = picker.pick(List.of(prefix)).orElseThrow();
      if (picked.high() != prefix.base().high() || Long.compareUnsigned(picked.low(), 256) <= 0) {
        throw new AssertionError(picked + " is outside the dynamic band of " + prefix);
      }
    }
  }

  private static AddressPicker picker(TreePSet<Address> used, long seed) {
    return new AddressPicker(used, Set.of(), new LinkedHashSet<>(), new Random(seed));
  }

  private static Address pick(String range, TreePSet<Address> used, long seed) {
    return picker(used, seed).pick(List.of(Cidr.of(range))).orElseThrow();
  }

  static List<ConformanceRow> rows() {
    return ConformanceRow.of("allocation");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rows")
  void behavesAsKubernetes(ConformanceRow row) {
    var test = CASES.get(row.id());
    assertThat(test).as("a case for %s", row).isNotNull();
    test.run();
  }

  @ParameterizedTest(name = "B1: {0} has a static band {2}..{3} and a dynamic band {4}..{5}")
  @CsvSource({
    "10.96.0.0/12, 256, 10.96.0.1, 10.96.1.0, 10.96.1.1, 10.111.255.254, 1048318",
    "10.96.0.0/16, 256, 10.96.0.1, 10.96.1.0, 10.96.1.1, 10.96.255.254, 65278",
    "10.96.0.0/20, 256, 10.96.0.1, 10.96.1.0, 10.96.1.1, 10.96.15.254, 3838",
    "10.96.0.0/22, 64, 10.96.0.1, 10.96.0.64, 10.96.0.65, 10.96.3.254, 958",
    "10.96.0.0/24, 16, 10.96.0.1, 10.96.0.16, 10.96.0.17, 10.96.0.254, 238",
    "10.96.0.0/25, 16, 10.96.0.1, 10.96.0.16, 10.96.0.17, 10.96.0.126, 110",
    "10.96.0.0/26, 16, 10.96.0.1, 10.96.0.16, 10.96.0.17, 10.96.0.62, 46",
    "10.96.0.0/27, 16, 10.96.0.1, 10.96.0.16, 10.96.0.17, 10.96.0.30, 14",
    "10.96.0.0/28, 0, , , 10.96.0.1, 10.96.0.14, 14",
    "10.96.0.0/29, 0, , , 10.96.0.1, 10.96.0.6, 6",
    "10.96.0.0/30, 0, , , 10.96.0.1, 10.96.0.2, 2",
    "10.96.0.0/31, 0, , , , , 0",
    "10.96.0.0/32, 0, , , , , 0",
    "fd00:10:96::/64, 256, fd00:10:96::1, fd00:10:96::100, fd00:10:96::101, fd00:10:96::ffff:ffff:ffff:ffff, 18446744073709551359",
    "fd00:10:96::/108, 256, fd00:10:96::1, fd00:10:96::100, fd00:10:96::101, fd00:10:96::f:ffff, 1048319",
    "fd00:10:96::/120, 16, fd00:10:96::1, fd00:10:96::10, fd00:10:96::11, fd00:10:96::ff, 239",
    "fd00:10:96::/124, 0, , , fd00:10:96::1, fd00:10:96::f, 15",
  })
  void dividesARange(
      String range,
      int size,
      String firstStatic,
      String lastStatic,
      String firstDynamic,
      String lastDynamic,
      String count) {
    var bands = new AddressBands(Cidr.of(range));
    assertThat(bands.staticSize()).isEqualTo(size);
    assertThat(bands.staticBand()).isEqualTo(span(firstStatic, lastStatic));
    assertThat(bands.dynamicBand()).isEqualTo(span(firstDynamic, lastDynamic));
    assertThat(bands.dynamicBand().map(Span::size).map(Object::toString).orElse("0"))
        .isEqualTo(count);
  }

  private static Optional<Span> span(
      @org.jspecify.annotations.Nullable String first,
      @org.jspecify.annotations.Nullable String last) {
    return first == null || last == null
        ? Optional.empty()
        : Optional.of(new Span(Address.of(first), Address.of(last)));
  }

  @Test
  void hasNoCaseWithoutItsRow() {
    assertThat(rows())
        .extracting(ConformanceRow::id)
        .containsExactlyInAnyOrderElementsOf(CASES.keySet());
  }

  @Test
  void picksTheOnlyFreeAddressOfALargeRangeWithoutWalkingIt() {
    var range = new AddressBands(Cidr.of("10.96.0.0/16")).usable().orElseThrow();
    var free = Address.of("10.96.77.7");
    var all = new TreeSet<Address>();
    for (long low = range.first().low(); low <= range.last().low(); low++) {
      all.add(new Address(Family.IPV4, 0, low));
    }
    all.remove(free);
    var used = TreePSet.from(all);
    for (int i = 0;
        i < 2_000;
        i++) { // a walk over 65,000 each time would not end within the time-out
      assertThat(pick("10.96.0.0/16", used, i)).isEqualTo(free);
    }
  }

  @Test
  void takesFreshlyFreedAddressesLastAndTheOldestOfThemFirst() {
    var all = new AddressBands(Cidr.of("10.96.0.0/28")).usable().orElseThrow();
    var used = TreePSet.<Address>empty();
    for (long low = all.first().low(); low <= all.last().low(); low++) {
      used = used.plus(new Address(Family.IPV4, 0, low));
    }
    var older = Address.of("10.96.0.9");
    var newer = Address.of("10.96.0.3");
    var free = Address.of("10.96.0.12");
    var fresh = new LinkedHashSet<>(List.of(older, newer));
    used = used.minus(older).minus(newer).minus(free);
    var range = List.of(Cidr.of("10.96.0.0/28"));
    for (int seed = 0; seed < 50; seed++) {
      assertThat(new AddressPicker(used, Set.of(), fresh, new Random(seed)).pick(range))
          .contains(free);
    }
    assertThat(new AddressPicker(used.plus(free), Set.of(), fresh, new Random(1)).pick(range))
        .contains(older);
    assertThat(new AddressPicker(used.plus(free), Set.of(older), fresh, new Random(1)).pick(range))
        .contains(newer);
  }

  @Test
  void leavesTheStaticBandsOfAllRangesUntilNoDynamicBandHasAnAddress() {
    var small = Cidr.of("10.96.0.0/27");
    var used = TreePSet.<Address>empty();
    var bands = new AddressBands(small).dynamicBand().orElseThrow();
    for (long low = bands.first().low(); low <= bands.last().low(); low++) {
      used = used.plus(new Address(Family.IPV4, 0, low));
    }
    var second = Cidr.of("10.97.0.0/27");
    assertThat(picker(used, 3).pick(List.of(small, second))).get().matches(second::contains);
  }
}
