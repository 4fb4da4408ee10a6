package io.fairlead.agent.nft;

import io.fairlead.agent.ruleset.FamilyState;
import io.fairlead.agent.ruleset.Layout;
import io.fairlead.core.model.Family;
import java.util.Collections;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Reads what an agent's tables hold and changes nothing: a second pair of eyes, for tools and
 * tests. Looks at the network namespace of the thread that opened it; one thread only.
 */
public final class KernelReader implements AutoCloseable {
  private final LibNft nft;

  private KernelReader(LibNft nft) {
    this.nft = nft;
  }

  /**
   * For the calling thread's network namespace.
   *
   * @throws io.fairlead.core.run.GatewayException KNOWN_FAILED with what is missing and what to do
   *     about it
   */
  public static KernelReader open() {
    return new KernelReader(LibNft.open(new Foreign()));
  }

  /** Everything in our tables; a family without one is absent. Costs what exists. */
  public KernelState read() {
    var families = new TreeMap<Family, FamilyState>();
    for (var family : Family.values()) {
      var layout = Layout.of(family);
      nft.read(layout)
          .ifPresent(contents -> families.put(family, FamilyState.of(layout, contents)));
    }
    return new KernelState(Collections.unmodifiableSortedMap(families));
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
