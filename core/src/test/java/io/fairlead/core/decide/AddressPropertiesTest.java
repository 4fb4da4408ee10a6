package io.fairlead.core.decide;

import static io.fairlead.core.decide.TestService.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.model.Family;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pcollections.TreePSet;

/** What holds of addresses in whatever range; seeds stand in the names of the cases. */
@Timeout(120)
class AddressPropertiesTest {
  static Stream<Cidr> everyPrefixLength() {
    return Stream.of(Family.values())
        .flatMap(family ->
            IntStream.rangeClosed(0, family.bits()).mapToObj(prefix -> block(family, prefix, 77)));
  }

  private static Cidr block(Family family, int prefix, long seed) {
    var value = new BigInteger(family.bits(), new Random(seed));
    int host = family.bits() - prefix;
    return new Cidr(Address.ofValue(family, value.shiftRight(host).shiftLeft(host)), prefix);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("everyPrefixLength")
  void theBandsOfARangeAreAllItsAddressesButThoseOfTheNetworkItself(Cidr range) {
    var bands = new AddressBands(range);
    var size = BigInteger.ONE.shiftLeft(range.family().bits() - range.prefix());
    int never = range.family() == Family.IPV4 ? 2 : 1; // the network, and the broadcast address
    var usable = size.subtract(BigInteger.valueOf(never)).max(BigInteger.ZERO);
    int staticSize =
        size.bitLength() <= 5 // 16 or fewer
            ? 0
            : Math.clamp(size.shiftRight(4).min(BigInteger.valueOf(1_000)).intValue(), 16, 256);
    assertThat(bands.staticSize()).isEqualTo(staticSize);
    var counted =
        Stream.of(bands.staticBand(), bands.dynamicBand())
            .flatMap(java.util.Optional::stream)
            .map(AddressBands.Span::size)
            .reduce(BigInteger.ZERO, BigInteger::add);
    assertThat(counted).isEqualTo(usable);
    assertThat(bands.usable().isPresent()).isEqualTo(usable.signum() > 0);
    if (usable.signum() == 0) {
      return;
    }
    var all = bands.usable().orElseThrow();
    var dynamic = bands.dynamicBand().orElseThrow();
    assertThat(all.first().value()).isEqualTo(range.base().value().add(BigInteger.ONE));
    assertThat(all.size()).isEqualTo(usable);
    assertThat(dynamic.last()).isEqualTo(all.last());
    bands
        .staticBand()
        .ifPresentOrElse(
            band -> {
              assertThat(band.first()).isEqualTo(all.first());
              assertThat(band.last().value().add(BigInteger.ONE))
                  .isEqualTo(dynamic.first().value());
            },
            () -> assertThat(dynamic.first()).isEqualTo(all.first()));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("everyPrefixLength")
  void aRangeIsTakenWhereItHasAnAddressAndIsNoWiderThanAnIpv6Subnet(Cidr range) {
    int prefix = range.prefix();
    boolean taken = range.family() == Family.IPV4 ? prefix <= 30 : prefix >= 64 && prefix <= 127;
    assertThat(ServiceCidrRules.check("spec.cidrs", List.of(range.toString())).isEmpty())
        .isEqualTo(taken);
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "10.9.8.0/30",
        "10.9.8.16/28",
        "10.9.8.32/27",
        "10.9.8.0/25",
        "fd00::/124",
        "fd00::/122"
      })
  void whenARangeIsFullTheOneAddressThatIsFreedIsGivenOutNext(String cidr) {
    var range = Cidr.of(cidr);
    var span = new AddressBands(range).usable().orElseThrow();
    var used = TreePSet.<Address>empty();
    for (var free = picker(used, used.size()).pick(List.of(range));
        free.isPresent();
        free = picker(used, used.size()).pick(List.of(range))) {
      assertThat(used).doesNotContain(free.get());
      used = used.plus(free.get());
    }
    assertThat(BigInteger.valueOf(used.size())).isEqualTo(span.size());
    assertThat(used.first()).isEqualTo(span.first());
    assertThat(used.last()).isEqualTo(span.last());
    for (var freed : used) {
      assertThat(picker(used.minus(freed), 3).pick(List.of(range))).contains(freed);
      assertThat(
              new AddressPicker(
                      used.minus(freed), Set.of(), new LinkedHashSet<>(Set.of(freed)), new Random())
                  .pick(List.of(range)))
          .as("also where it was freed just now")
          .contains(freed);
    }
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(strings = {"10.9.8.16/28", "10.9.8.32/27", "fd00::/124"})
  void whenARangeIsFullWhoAsksForTheOneAddressThatIsFreedGetsIt(String cidr) {
    var s = DecidedServices.in(cidr);
    var given = new ArrayList<String>();
    while (true) {
      var name = "s-" + given.size();
      if (!(s.decide(service(name).create()) instanceof ServiceOutcome.Stored stored)) {
        break;
      }
      given.add(stored.service().spec().clusterIps().getFirst().toString());
    }
    for (int i = 0; i < given.size(); i++) {
      var ip = given.get(i);
      assertThat(s.refused(service("asks").clusterIp(ip).create()))
          .isInstanceOf(Refusal.AddressTaken.class);
      s.delete("s-" + i);
      assertThat(s.ip(service("s-" + i).clusterIp(ip).create())).isEqualTo(ip);
      assertThat(s.refused(service("asks").create())).isInstanceOf(Refusal.RangeFull.class);
    }
  }

  /** A million addresses and a thousand free ones: each pick is one of them, each as likely. */
  @Test
  void aRangeThatIsAllButFullGivesOutWhatIsFree() {
    var range = Cidr.of("10.0.0.0/12");
    var all = new AddressBands(range).usable().orElseThrow();
    var random = new Random(31);
    var used = new ArrayList<Address>();
    var free = new HashSet<Address>();
    long firstDynamic = all.first().low() + 256;
    for (long low = all.first().low(); low <= all.last().low(); low++) {
      var address = new Address(Family.IPV4, 0, low);
      if (low >= firstDynamic && random.nextInt(1_000) == 0) {
        free.add(address);
      } else {
        used.add(address);
      }
    }
    assertThat(free).hasSizeBetween(900, 1_200);
    var picker = picker(TreePSet.from(used), 32);
    int picks = 20_000;
    var counts = new HashMap<Address, Integer>();
    for (int i = 0; i < picks; i++) {
      counts.merge(picker.pick(List.of(range)).orElseThrow(), 1, Integer::sum);
    }
    assertThat(counts.keySet()).isSubsetOf(free);
    double expected = (double) picks / free.size();
    double chiSquare = 0;
    for (var address : free) {
      double off = counts.getOrDefault(address, 0) - expected;
      chiSquare += off * off / expected;
    }
    int freedom = free.size() - 1;
    assertThat(chiSquare).isLessThan(freedom + 6 * Math.sqrt(2.0 * freedom));
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void whatWasFreedLatelyIsGivenOutWhenNothingElseIsLeftTheOldestFirst(long seed) {
    var random = new Random(seed);
    var range = Cidr.of(random.nextBoolean() ? "10.9.8.0/26" : "fd00::/122");
    var all = new AddressBands(range).usable().orElseThrow();
    var others = new HashSet<Address>();
    var lately = new ArrayList<Address>();
    var used = TreePSet.<Address>empty();
    for (long i = 0; i < all.size().longValueExact(); i++) {
      var address = all.at(BigInteger.valueOf(i));
      switch (random.nextInt(4)) {
        case 0 -> others.add(address);
        case 1 -> lately.add(address);
        default -> used = used.plus(address);
      }
    }
    Collections.shuffle(lately, random);
    var fresh = new LinkedHashSet<>(lately);
    for (int i = others.size() + lately.size(); i > 0; i--) {
      var picked =
          new AddressPicker(used, Set.of(), fresh, random).pick(List.of(range)).orElseThrow();
      if (others.isEmpty()) {
        assertThat(picked).isEqualTo(lately.removeFirst());
      } else {
        assertThat(others.remove(picked)).as("%s before what was freed", picked).isTrue();
      }
      used = used.plus(picked);
    }
    assertThat(new AddressPicker(used, Set.of(), fresh, random).pick(List.of(range))).isEmpty();
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void rangesThatOverlapGiveNoAddressTwiceAndEachAddressOnce(long seed) {
    var random = new Random(seed);
    var s = DecidedServices.in(within24(random).toString());
    int more = random.nextInt(1, 5);
    for (int i = 0; i < more; i++) {
      s.range("more-" + i, within24(random).toString());
    }
    var there = new TreeSet<Address>();
    s.image
        .serviceCidrs()
        .ranges()
        .flatMap(range -> new AddressBands(range).usable().stream())
        .forEach(span -> {
          for (long low = span.first().low(); low <= span.last().low(); low++) {
            there.add(new Address(Family.IPV4, 0, low));
          }
        });
    // the control plane's, which nobody else gets
    s.image
        .serviceCidrs()
        .get("default")
        .flatMap(c -> ServiceRanges.firstAddress(c.object().cidrs().getFirst()))
        .ifPresent(there::remove);
    var given = new TreeSet<Address>();
    var names = new ArrayList<String>();
    while (given.size() < there.size()) {
      if (!names.isEmpty() && random.nextInt(4) == 0) {
        var name = names.remove(random.nextInt(names.size()));
        given.removeAll(
            s.image
                .services()
                .get(service(name).draft().objectName())
                .orElseThrow()
                .object()
                .spec()
                .clusterIps());
        s.delete(name);
      }
      var name = "s-" + s.log.size();
      assertThat(given.add(Address.of(s.ip(service(name).create())))).isTrue();
      names.add(name);
    }
    assertThat(given).isEqualTo(there);
    assertThat(s.refused(service("one-more").create())).isInstanceOf(Refusal.RangeFull.class);
  }

  /** A block of 8 to 128 addresses somewhere in 10.96.0.0/24. */
  private static Cidr within24(Random random) {
    int prefix = random.nextInt(25, 30);
    int host = 32 - prefix;
    long base = 0x0a600000L | ((long) random.nextInt(256) >> host << host);
    return new Cidr(new Address(Family.IPV4, 0, base), prefix);
  }

  /**
   * Ranges with free addresses that lie very unevenly: a walk to the next free one from a random
   * start would prefer those behind long runs of used ones.
   */
  static Stream<Arguments> unevenlyUsed() {
    return Stream.of(
        Arguments.of("a /24 with runs of used addresses", "10.96.0.0/24", 0.6, 11L, 1_000_000),
        Arguments.of("a /24 that is empty", "10.96.0.0/24", 0.0, 15L, 1_000_000),
        Arguments.of("a /120 half used", "fd00:96::/120", 0.5, 14L, 1_000_000),
        Arguments.of("a /118 all but full", "fd00:96::/118", 0.99, 16L, 20_000),
        Arguments.of("a /20, 19 of 20 used", "10.96.0.0/20", 0.95, 12L, 100_000),
        Arguments.of("a /22 all but full", "10.96.0.0/22", 0.99, 13L, 20_000));
  }

  /**
   * Chi-square over the free addresses. The sum has mean {@code n - 1} and variance {@code 2 (n -
   * 1)}; six standard deviations beyond the mean are less likely than one in a million, and with
   * these seeds it is the same every time.
   */
  @ParameterizedTest(name = "{0}, {2} used, seed {3}, {4} picks")
  @MethodSource("unevenlyUsed")
  void picksAreInRangeAndUniformOverWhatIsFree(
      String name, String cidr, double share, long seed, int picks) {
    var range = Cidr.of(cidr);
    var band = new AddressBands(range).dynamicBand().orElseThrow();
    var random = new Random(seed);
    var used = new TreeSet<Address>();
    var free = new ArrayList<Address>();
    int size = band.size().intValueExact();
    boolean run = true;
    for (int i = 0; i < size; i++) {
      if (random.nextInt(8) == 0) { // runs of about eight
        run = random.nextDouble() < share;
      }
      var address = band.at(BigInteger.valueOf(i));
      if (run) {
        used.add(address);
      } else {
        free.add(address);
      }
    }
    var avoided = new HashSet<>(free.subList(0, Math.min(5, free.size() / 4)));
    var fresh =
        new LinkedHashSet<>(
            free.subList(free.size() / 4, free.size() / 4 + Math.min(5, free.size() / 4)));
    free.removeAll(avoided);
    free.removeAll(fresh);
    assertThat(free).as(name).hasSizeGreaterThan(2);
    var picker = new AddressPicker(TreePSet.from(used), avoided, fresh, random);
    var counts = new int[size];
    for (int i = 0; i < picks; i++) {
      var picked = picker.pick(List.of(range)).orElseThrow();
      counts[picked.value().subtract(band.first().value()).intValueExact()]++;
    }
    double expected = (double) picks / free.size();
    double chiSquare = 0;
    long inFree = 0;
    for (var address : free) {
      int count = counts[address.value().subtract(band.first().value()).intValueExact()];
      inFree += count;
      chiSquare += (count - expected) * (count - expected) / expected;
    }
    assertThat(inFree).as("picks of free addresses").isEqualTo(picks);
    int freedom = free.size() - 1;
    assertThat(chiSquare).isLessThan(freedom + 6 * Math.sqrt(2.0 * freedom));
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(strings = {"10.0.0.0/12", "fd00:96::/108", "fd00:96::/64"})
  void picksOfALargeRangeAreSpreadEvenlyOverIt(String cidr) {
    var range = Cidr.of(cidr);
    var band = new AddressBands(range).dynamicBand().orElseThrow();
    int parts = 256;
    var counts = new int[parts];
    var picker = picker(TreePSet.empty(), 21);
    int picks = 200_000;
    for (int i = 0; i < picks; i++) {
      var picked = picker.pick(List.of(range)).orElseThrow();
      if (!band.contains(picked)) {
        throw new AssertionError(picked + " is outside the dynamic band of " + range);
      }
      var offset = picked.value().subtract(band.first().value());
      counts[offset.multiply(BigInteger.valueOf(parts)).divide(band.size()).intValueExact()]++;
    }
    double expected = (double) picks / parts;
    double chiSquare = 0;
    for (int count : counts) {
      chiSquare += (count - expected) * (count - expected) / expected;
    }
    assertThat(chiSquare).isLessThan(parts - 1 + 6 * Math.sqrt(2.0 * (parts - 1)));
  }

  private static AddressPicker picker(TreePSet<Address> used, long seed) {
    return new AddressPicker(used, Set.of(), new LinkedHashSet<>(), new Random(seed));
  }
}
