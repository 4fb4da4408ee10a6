package io.fairlead.agent.nft;

import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FakeNftTest extends NftGatewayContract {
  private final FakeNft nft = new FakeNft();

  @Override
  NftGateway nft() {
    return nft;
  }
}
