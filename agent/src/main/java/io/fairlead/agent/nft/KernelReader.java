package io.fairlead.agent.nft;

import io.fairlead.agent.ruleset.Elements;
import io.fairlead.agent.ruleset.FamilyState;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.agent.ruleset.PortState;
import io.fairlead.agent.ruleset.TableContents;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.view.NodeRules.Frontend;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads what an agent's tables hold and changes nothing: a second pair of eyes, for tools and
 * tests. Looks at the network namespace of the thread that opened it; one thread only.
 */
public final class KernelReader implements AutoCloseable {
  private final KernelNft nft;
  private final Set<Family> tables = EnumSet.noneOf(Family.class);

  private KernelReader(KernelNft nft) {
    this.nft = nft;
  }

  /**
   * For the calling thread's network namespace.
   *
   * @throws io.fairlead.core.run.GatewayException KNOWN_FAILED with what is missing and what to do
   *     about it
   */
  public static KernelReader open() {
    return new KernelReader(KernelNft.open(new Foreign()));
  }

  /** Everything in our tables; a family without one is absent. Costs what exists. */
  public KernelState read() {
    var families = new TreeMap<Family, FamilyState>();
    for (var family : Family.values()) {
      var layout = Layout.of(family);
      nft.readAtOnce(layout)
          .ifPresent(contents -> families.put(family, FamilyState.of(layout, contents)));
    }
    return new KernelState(Collections.unmodifiableSortedMap(families));
  }

  /**
   * What new connections of one protocol are sent to, by frontend: only the maps that decide it are
   * read. Empty where there is no table.
   *
   * @throws io.fairlead.core.run.GatewayException KNOWN_FAILED: the table went meanwhile
   */
  public Map<Frontend, PortState> ports(Family family, Protocol protocol) {
    var layout = Layout.of(family);
    if (!tables.contains(family)) {
      if (nft.read(layout).isEmpty()) {
        return Map.of();
      }
      tables.add(family);
    }
    var sets = new HashMap<String, Map<String, Optional<String>>>();
    for (var map :
        List.of(
            Elements.PROGRAMS,
            Elements.services(protocol),
            Elements.endpoints(protocol),
            Elements.choices(protocol),
            Elements.ids(protocol))) {
      sets.putAll(nft.readMap(layout, map).sets());
    }
    return FamilyState.of(layout, new TableContents(Map.of(), sets)).ports();
  }

  /**
   * Changes with every transaction of anybody in the namespace, so that a reader need not read
   * again while it stays. Empty where the kernel does not say.
   */
  public OptionalLong generation() {
    return nft.generation();
  }

  @Override
  public void close() {
    nft.close();
  }
}
