package io.fairlead.core.decide;

import io.fairlead.core.model.Address;
import io.fairlead.core.model.Cidr;
import io.fairlead.core.run.RandomSource;
import java.math.BigInteger;
import java.util.List;
import java.util.NavigableSet;
import java.util.Set;
import org.pcollections.TreePMap;

/**
 * Picks from a range of which a part is in use, as the decider does: for benchmarks. What is picked
 * stays free. Not thread-safe.
 */
public final class PickLoad {
  private final List<Cidr> ranges;
  private final NavigableSet<Address> used;
  private final AddressPicker picker;

  /**
   * Uses up the range.
   *
   * @param perMille of the range's addresses that are in use, spread evenly
   */
  public PickLoad(Cidr range, int perMille, long seed) {
    var random = RandomSource.seeded(seed).generator();
    var span = new AddressBands(range).usable().orElseThrow();
    var map = TreePMap.<Address, Boolean>empty(); // as the image holds them
    long size = span.size().longValueExact();
    for (long i = 0; i < size; i++) {
      if ((i * 7919) % 1000 < perMille) {
        map = map.plus(span.at(BigInteger.valueOf(i)), true);
      }
    }
    this.ranges = List.of(range);
    this.used = map.keySet();
    this.picker = new AddressPicker(used, Set.of(), Set.of(), random);
  }

  /** How many addresses are in use. */
  public int used() {
    return used.size();
  }

  /** A free one. */
  public Address pick() {
    return picker.pick(ranges).orElseThrow();
  }
}
