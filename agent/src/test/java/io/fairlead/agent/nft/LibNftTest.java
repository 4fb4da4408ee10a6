package io.fairlead.agent.nft;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class LibNftTest {
  @Test
  void findsTheVersion() {
    assertThat(
            LibNft.version(
                "{\"nftables\": [{\"metainfo\": {\"version\": \"1.0.6\", \"release_name\": \"x\"}}]}"))
        .contains("1.0.6");
    assertThat(LibNft.version("table ip fairlead")).isEmpty();
  }
}
