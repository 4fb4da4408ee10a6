package io.fairlead.agent.nft;

import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.TableContents;
import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The point after each transaction. */
final class NftPoints implements NftGateway {
  private final NftGateway nft;
  private final FaultPoints points;

  NftPoints(NftGateway nft, FaultPoints points) {
    this.nft = nft;
    this.points = points;
  }

  @Override
  public void commit(Layout layout, List<Command> commands) {
    nft.commit(layout, commands);
    points.reached(FaultPoint.KERNEL_TRANSACTION);
  }

  @Override
  public Optional<TableContents> read(Layout layout) {
    return nft.read(layout);
  }

  @Override
  public OptionalLong generation() {
    return nft.generation();
  }

  @Override
  public void close() {
    nft.close();
  }
}
