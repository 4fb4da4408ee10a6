package io.fairlead.agent.nft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ListingTest {
  /** As libnftables 1.0.6 prints it, shortened. */
  private static final String LISTING =
      """
      table ip6 fairlead {
      	map log_position {
      		type mark : mark
      		elements = { 0x00000001 : 0xffffffff, 0x00010000 : 0x00000005 }
      	}

      	set vips {
      		type ipv6_addr
      		elements = { fd00:96::10,
      			     ::1.2.3.4 }
      	}

      	set service_cidrs {
      		type ipv6_addr
      		flags interval
      		elements = { fd00:1::5, fd00:96::/112 }
      	}

      	map programs {
      		typeof meta priority : verdict
      		elements = { 1:3 : goto random_3 }
      	}

      	map services_tcp {
      		typeof ip6 daddr . tcp dport : meta priority
      	}

      	map endpoints_tcp {
      		typeof ip6 daddr . tcp dport . numgen random mod 2 : ip6 daddr . tcp dport
      		elements = { fd00:96::10 . 80 . 0 : fd00:244::1 . 8080,
      			     fd00:96::10 . 80 . 1 : ::ffff:10.0.0.1 . 8080 }
      	}

      	map affinity_1 {
      		typeof ip6 saddr : meta priority
      		size 65535
      		flags dynamic,timeout
      		elements = { fd00:244::9 timeout 3h expires 2h59m59s992ms : 0:7 }
      	}

      	chain random_3 {
      		meta priority set none comment "01234567"
      		drop
      	}

      	chain output {
      		type nat hook output priority -100; policy accept;
      		goto services comment "89abcdef"
      	}
      }
      """;

  @Test
  void readsNamesFingerprintsAndElements() {
    var contents = Listing.contents(LISTING);
    assertThat(contents.chains())
        .isEqualTo(Map.of("random_3", List.of("01234567", ""), "output", List.of("89abcdef")));
    assertThat(contents.elements("log_position"))
        .isEqualTo(Map.of("1", Optional.of("4294967295"), "65536", Optional.of("5")));
    assertThat(contents.elements("vips").keySet())
        .containsExactlyInAnyOrder("fd00:96::10", "::102:304");
    assertThat(contents.elements("service_cidrs").keySet())
        .containsExactlyInAnyOrder("fd00:1::5/128", "fd00:96::/112");
    assertThat(contents.elements("programs"))
        .isEqualTo(Map.of("1:3", Optional.of("goto random_3")));
    assertThat(contents.elements("endpoints_tcp"))
        .isEqualTo(
            Map.of(
                "fd00:96::10 . 80 . 0", Optional.of("fd00:244::1 . 8080"),
                "fd00:96::10 . 80 . 1", Optional.of("::ffff:a00:1 . 8080")));
  }

  @Test
  void whatTheKernelRemembersOfClientsIsNotRead() {
    var contents = Listing.contents(LISTING);
    assertThat(contents.sets()).containsKeys("affinity_1", "services_tcp");
    assertThat(contents.elements("affinity_1")).isEmpty();
  }
}
