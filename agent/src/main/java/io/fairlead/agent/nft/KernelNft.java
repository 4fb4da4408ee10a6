package io.fairlead.agent.nft;

import io.fairlead.agent.nft.Foreign.CallFailed;
import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.TableContents;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.GatewayException.Outcome;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The kernel's nftables: changes of elements and of chains of their own by messages of ours, which
 * cost microseconds; what makes tables, sets and other rules by the system's library, which knows
 * how these are encoded. What the kernel refuses is tried by the library, too, whose words people
 * understand. Confined to the thread that made it, whose network namespace it works in.
 */
final class KernelNft implements NftGateway {
  private final LibNft library;
  private final NetlinkNft messages;

  private KernelNft(LibNft library, NetlinkNft messages) {
    this.library = library;
    this.messages = messages;
  }

  /**
   * For the calling thread.
   *
   * @throws GatewayException KNOWN_FAILED with what is missing and what to do about it
   */
  static KernelNft open(Foreign foreign) {
    var library = LibNft.open();
    try {
      return new KernelNft(library, NetlinkNft.open(foreign));
    } catch (CallFailed e) {
      library.close();
      throw new GatewayException(
          Outcome.KNOWN_FAILED,
          "no netlink socket to nftables: does this kernel have nf_tables?",
          e);
    }
  }

  @Override
  public void commit(Layout layout, List<Command> commands) {
    switch (messages.commit(layout, commands)) {
      case DONE -> {}
      case REFUSED, UNKNOWN -> library.commit(layout, commands);
      case IN_DOUBT ->
          throw new GatewayException(
              Outcome.UNKNOWN,
              "the kernel's answer to a transaction was lost: it is done, or nothing of it is");
    }
  }

  @Override
  public Optional<TableContents> read(Layout layout) {
    return messages.read(layout);
  }

  /** The same, all of one moment, whoever writes meanwhile. */
  Optional<TableContents> readAtOnce(Layout layout) {
    return messages.readAtOnce(layout);
  }

  /** One map of our table, without the rest; the table must exist. Costs what the map holds. */
  TableContents readMap(Layout layout, String map) {
    return messages.readMap(layout, map);
  }

  @Override
  public OptionalLong generation() {
    return messages.generation();
  }

  @Override
  public void close() {
    messages.close();
    library.close();
  }
}
