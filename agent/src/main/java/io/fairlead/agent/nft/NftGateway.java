package io.fairlead.agent.nft;

import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.TableContents;
import io.fairlead.core.run.GatewayException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What the data plane needs of nftables: the seam between planning and the kernel. Called by one
 * thread only, which is also the one that opened it.
 */
public interface NftGateway extends AutoCloseable {
  /**
   * Does all of the commands on our table of that family in one transaction, or none of them.
   *
   * @throws GatewayException KNOWN_FAILED with the kernel's words where it refuses; UNKNOWN where
   *     its answer was lost: a reading tells what there is
   */
  void commit(Layout layout, List<Command> commands);

  /** Everything in our table of that family; empty where there is none. */
  Optional<TableContents> read(Layout layout);

  /**
   * A number that every transaction in the network namespace, whoever's, moves by one; empty where
   * the kernel does not tell.
   */
  OptionalLong generation();

  /** Ends the use of the library; rules stay. */
  @Override
  void close();
}
