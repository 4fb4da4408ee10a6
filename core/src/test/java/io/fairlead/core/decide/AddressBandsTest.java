package io.fairlead.core.decide;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import java.math.BigInteger;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Edges of ranges; the sizes of bands are rows of {@link AllocationConformanceTest}. */
@Timeout(60)
class AddressBandsTest {
  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "10.96.0.0/24, 10.96.0.1, 10.96.0.254",
    "10.96.0.0/30, 10.96.0.1, 10.96.0.2",
    "fd00:96::/120, fd00:96::1, fd00:96::ff",
    "fd00:96::/127, fd00:96::1, fd00:96::1",
  })
  void networkAddressAndIpv4BroadcastAreNotGivenOut(String range, String first, String last) {
    var bands = new AddressBands(Cidr.of(range));
    assertThat(bands.usable()).contains(new AddressBands.Span(Address.of(first), Address.of(last)));
    assertThat(bands.dynamicBand().orElseThrow().last()).isEqualTo(Address.of(last));
    assertThat(bands.usable(Address.of(first))).isTrue();
    assertThat(bands.usable(Address.of(last))).isTrue();
    assertThat(bands.usable(Cidr.of(range).at(BigInteger.ZERO))).isFalse();
  }

  @Test
  void theBroadcastAddressIsNotEvenGivenToThoseWhoAskForIt() {
    assertThat(new AddressBands(Cidr.of("10.96.0.0/24")).usable(Address.of("10.96.0.255")))
        .isFalse();
    assertThat(new AddressBands(Cidr.of("fd00:96::/120")).usable(Address.of("fd00:96::ff")))
        .as("IPv6 has none")
        .isTrue();
  }

  @Test
  void rangesThatAreTooSmallHaveNoAddress() {
    for (var range : List.of("10.96.0.0/31", "10.96.0.0/32", "fd00:96::/128")) {
      var bands = new AddressBands(Cidr.of(range));
      assertThat(bands.usable()).as(range).isEmpty();
      assertThat(bands.dynamicBand()).as(range).isEmpty();
    }
  }
}
