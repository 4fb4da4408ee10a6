package io.fairlead.agent.ruleset;

import io.fairlead.core.view.NodeRules.Target;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A hash table that changes little when the set of targets does (Eisenbud et al., "Maglev", NSDI
 * 2016, section 3.4): each target walks the slots in an order of its own and takes the next free
 * one in turn. A pure function of the set of targets, so every node sends a client to the same
 * endpoint, also after a restart.
 */
public final class Maglev {
  /**
   * Slots of a table. A prime, as the walk has to reach every slot; with 100 targets the shares
   * differ by a tenth at most.
   */
  public static final int SIZE = 1021;

  private Maglev() {}

  /**
   * The target of each slot; {@code targets} must be distinct and not empty, their order does not
   * matter.
   */
  public static List<Target> table(List<Target> targets) {
    var sorted = targets.stream().sorted().toList();
    int n = sorted.size();
    var next = new int[n];
    var skip = new int[n];
    for (int i = 0; i < n; i++) {
      var hash = ByteBuffer.wrap(Rule.sha256(sorted.get(i).address() + "|" + sorted.get(i).port()));
      next[i] = Math.floorMod(hash.getLong(), SIZE);
      skip[i] = 1 + Math.floorMod(hash.getLong(), SIZE - 1);
    }
    var owner = new int[SIZE];
    Arrays.fill(owner, -1);
    for (int filled = 0; filled < SIZE; ) {
      for (int i = 0; i < n && filled < SIZE; i++) {
        while (owner[next[i]] >= 0) {
          next[i] = (next[i] + skip[i]) % SIZE;
        }
        owner[next[i]] = i;
        filled++;
      }
    }
    var table = new ArrayList<Target>(SIZE);
    for (int i : owner) {
      table.add(sorted.get(i));
    }
    return List.copyOf(table);
  }
}
