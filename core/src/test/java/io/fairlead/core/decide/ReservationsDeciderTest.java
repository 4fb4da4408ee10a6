package io.fairlead.core.decide;

import static io.fairlead.core.decide.TestService.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.decide.ReservationDraft.AnyStatic;
import io.fairlead.core.decide.ServiceCommand.Authority;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Reservation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class ReservationsDeciderTest {
  private static final String HASH = "0f".repeat(32);
  private static final ObjectName WEB = new ObjectName("shop", "web");

  private final DecidedServices services = DecidedServices.in("10.96.0.0/24", "fd00:10:96::/108");

  private static ServiceCommand.Reserve reserve(String holder, String... addresses) {
    return new ServiceCommand.Reserve(
        new ReservationDraft(
            "shop", holder, List.of(addresses), Optional.empty(), Optional.empty(), HASH));
  }

  private static ServiceCommand.Reserve reserveAny(String holder, int count, String family) {
    return new ServiceCommand.Reserve(
        new ReservationDraft(
            "shop",
            holder,
            List.of(),
            Optional.of(new AnyStatic(count, family)),
            Optional.of(Duration.ofMinutes(1)),
            HASH));
  }

  private Reservation reserved(ServiceCommand.Reserve command) {
    var outcome = services.decide(command);
    if (outcome instanceof ServiceOutcome.Reserved(var reservation, _)) {
      return reservation;
    }
    throw new AssertionError("refused: " + outcome);
  }

  @Test
  void holdsWhatWasAskedForAndClaimsItUnderItsToken() {
    var reservation = reserved(reserve("web", "10.96.0.10", "fd00:10:96::a"));
    assertThat(reservation.addresses())
        .extracting(Address::toString)
        .containsExactly("10.96.0.10", "fd00:10:96::a");
    assertThat(reservation.holder()).isEqualTo(WEB);
    assertThat(reservation.ttl()).isEqualTo(ReservationsDecider.DEFAULT_TTL);
    assertThat(services.last.hold()).contains(new Decision.Hold(reservation, HASH));
    assertThat(services.last.claims()).isEmpty();
    assertThat(services.image.reservations().get(reservation.uid().toString())).isPresent();
  }

  record Fault(String name, ServiceCommand.Reserve command, String fault) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Fault> faults() {
    var any = Optional.of(new AnyStatic(1, ""));
    var none = Optional.<AnyStatic>empty();
    return List.of(
        new Fault(
            "a name that is none",
            draft("Web", List.of("10.96.0.9"), none, 600, HASH),
            "holderName Invalid"),
        new Fault("no address", reserve("web"), "addresses Invalid"),
        new Fault(
            "named and any",
            draft("web", List.of("10.96.0.9"), any, 600, HASH),
            "addresses Invalid"),
        new Fault("no IP address", reserve("web", "10.96.0"), "addresses[0] Invalid"),
        new Fault("twice", reserve("web", "10.96.0.9", "10.96.0.9"), "addresses[1] Duplicate"),
        new Fault("outside", reserve("web", "10.97.0.9"), "addresses[0] Invalid"),
        new Fault("broadcast", reserve("web", "10.96.0.255"), "addresses[0] Invalid"),
        new Fault("too short", draft("web", List.of("10.96.0.9"), none, 4, HASH), "ttl Invalid"),
        new Fault(
            "too long", draft("web", List.of("10.96.0.9"), none, 86_401, HASH), "ttl Invalid"),
        new Fault(
            "no token", draft("web", List.of("10.96.0.9"), none, 600, ""), "tokenHash Required"),
        new Fault("none of any", reserveAny("web", 0, ""), "anyStatic.count Invalid"),
        new Fault("too many of any", reserveAny("web", 65, ""), "anyStatic.count Invalid"),
        new Fault(
            "no such family", reserveAny("web", 1, "IPv5"), "anyStatic.ipFamily NotSupported"),
        new Fault(
            "too many",
            reserve(
                "web",
                IntStream.range(10, 75).mapToObj(i -> "10.96.0." + i).toArray(String[]::new)),
            "addresses TooLong"));
  }

  private static ServiceCommand.Reserve draft(
      String name, List<String> addresses, Optional<AnyStatic> any, int seconds, String hash) {
    return new ServiceCommand.Reserve(
        new ReservationDraft(
            "shop", name, addresses, any, Optional.of(Duration.ofSeconds(seconds)), hash));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void namesTheFieldThatIsWrong(Fault fault) {
    assertThat(services.faults(fault.command())).containsExactly(fault.fault());
  }

  @Test
  void saysHowLongAReservationMayLive() {
    var refusal =
        (Refusal.Invalid)
            services.refused(draft("web", List.of("10.96.0.9"), Optional.empty(), 1, HASH));
    assertThat(refusal.violations().getFirst().message()).contains("from 5s to 24h");
  }

  @Test
  void picksTheLowestFreeAddressesOfTheStaticBand() {
    services.stored(service("a").clusterIp("10.96.0.3").create());
    var _ = reserved(reserve("dns", "10.96.0.4"));
    assertThat(reserved(reserveAny("web", 3, "")).addresses())
        .extracting(Address::toString)
        .containsExactly("10.96.0.2", "10.96.0.5", "10.96.0.6"); // .1 is the control plane's
    assertThat(reserved(reserveAny("web", 1, "IPv6")).addresses())
        .extracting(Address::toString)
        .containsExactly("fd00:10:96::1");
  }

  @Test
  void givesAllOrNothingOfTheStaticBand() {
    assertThat(services.refused(reserveAny("web", 16, "")))
        .isInstanceOfSatisfying(
            Refusal.BandFull.class, full -> assertThat(full.free()).isEqualTo(15));
  }

  @Test
  void refusesAnAddressOfAService() {
    services.stored(service("a").clusterIp("10.96.0.3").create());
    assertThat(services.refused(reserve("web", "10.96.0.3")))
        .isInstanceOfSatisfying(
            Refusal.AddressTaken.class,
            taken -> assertThat(taken.holder()).isEqualTo(new ObjectName("shop", "a")));
    assertThat(services.refused(reserve("web", "10.96.0.1")))
        .isInstanceOf(Refusal.AddressTaken.class);
  }

  @Test
  void namesHolderAndExpiryOfWhatEtcdSaysIsReserved() {
    var expires = Instant.parse("2026-11-01T00:10:00Z");
    var id = UUID.randomUUID();
    services.reserved.put(Address.of("10.96.0.10"), new ReservedAddress(WEB, id, expires));
    for (var refusal :
        List.of(
            services.refused(reserve("other", "10.96.0.10")),
            services.refused(service("other").clusterIp("10.96.0.10").create()))) {
      assertThat(refusal)
          .isInstanceOfSatisfying(
              Refusal.AddressReserved.class,
              reserved -> {
                assertThat(reserved.holder()).isEqualTo(WEB);
                assertThat(reserved.expires()).isEqualTo(expires);
                assertThat(reserved.reservation()).isEqualTo(id);
              });
    }
  }

  @Test
  void leavesItToEtcdWhetherAReservationOfTheLogStillLives() {
    var _ = reserved(reserve("web", "10.96.0.10"));
    assertThat(services.ip(service("other").clusterIp("10.96.0.10").create()))
        .isEqualTo("10.96.0.10");
    assertThat(services.last.claims()).hasSize(1);
  }

  @Test
  void aDryRunGoesByTheLog() {
    var _ = reserved(reserve("web", "10.96.0.10"));
    assertThat(services.refused(service("other").clusterIp("10.96.0.10").dryRun()))
        .isInstanceOf(Refusal.AddressReserved.class);
    assertThat(services.decide(service("web").clusterIp("10.96.0.10").dryRun()))
        .isInstanceOf(ServiceOutcome.Stored.class);
  }

  @Test
  void aServiceThatNamesNoAddressTakesWhatIsReservedForIt() {
    var _ = reserved(reserve("web", "10.96.0.10"));
    assertThat(services.ip(service("web").create())).isEqualTo("10.96.0.10");
  }

  @Test
  void dynamicPicksPassALargeReservedBlock() {
    var small = DecidedServices.in("10.96.0.0/25");
    for (int from = 17; from < 126; from += 32) {
      var block =
          IntStream.range(from, Math.min(126, from + 32))
              .mapToObj(i -> "10.96.0." + i)
              .toArray(String[]::new);
      assertThat(small.decide(reserve("web", block))).isInstanceOf(ServiceOutcome.Reserved.class);
    }
    assertThat(small.ip(service("a").create())).isEqualTo("10.96.0.126");
    assertThat(Address.of(small.ip(service("b").create())))
        .isLessThan(Address.of("10.96.0.17")); // the dynamic band is reserved
  }

  @Test
  void endsOnlyByTokenOrForce() {
    var id = reserved(reserve("web", "10.96.0.10")).uid();
    assertThat(services.refused(new ServiceCommand.Release(id.toString(), Authority.NONE)))
        .isInstanceOf(Refusal.WrongToken.class);
    assertThat(services.decide(new ServiceCommand.Release(id.toString(), Authority.TOKEN)))
        .isInstanceOf(ServiceOutcome.ReservationEnded.class);
    assertThat(services.image.reservations().size()).isZero();
    assertThat(services.image.reservations().named()).isEmpty();
    assertThat(services.refused(new ServiceCommand.Release(id.toString(), Authority.TOKEN)))
        .isInstanceOf(Refusal.NotFound.class);
    assertThat(services.refused(new ServiceCommand.EndReservation(id)))
        .isInstanceOf(Refusal.NotFound.class);
  }

  @Test
  void boundsHowManyThereAre() {
    var large = DecidedServices.in("10.96.0.0/16");
    for (int i = 0; i < ReservationsDecider.MOST; i++) {
      var _ = large.decide(reserve("web", "10.96.%d.%d".formatted(1 + i / 200, 1 + i % 200)));
    }
    assertThat(large.refused(reserve("web", "10.96.200.1"))).isInstanceOf(Refusal.Limit.class);
  }

  @Test
  void boundsHowManyAddressesThereAre() {
    var large = DecidedServices.in("10.96.0.0/16");
    for (int i = 0; i < ReservationsDecider.MOST_ADDRESSES / 64; i++) {
      int block = i;
      var addresses =
          IntStream.range(0, 64)
              .mapToObj(j -> "10.96.%d.%d".formatted(1 + block, 1 + j))
              .toArray(String[]::new);
      assertThat(large.decide(reserve("web", addresses)))
          .isInstanceOf(ServiceOutcome.Reserved.class);
    }
    assertThat(large.refused(reserve("web", "10.96.200.1"))).isInstanceOf(Refusal.Limit.class);
  }

  @Test
  void remembersWhatItAnsweredByItsRecord() {
    var reservation = reserved(reserve("web", "10.96.0.10"));
    assertThat(ServicesDecider.recall(services.log.getLast()))
        .isInstanceOfSatisfying(
            ServiceOutcome.Reserved.class,
            outcome -> assertThat(outcome.reservation()).isEqualTo(reservation));
    services.decide(new ServiceCommand.Release(reservation.uid().toString(), Authority.FORCE));
    assertThat(ServicesDecider.recall(services.log.getLast()))
        .isInstanceOf(ServiceOutcome.ReservationEnded.class);
  }
}
