package io.fairlead.agent.ruleset;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.nft.Views;
import io.fairlead.core.view.NodeRules.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class SlotsTest {
  @ParameterizedTest(name = "{0}: {1} wants {2}")
  @CsvSource({
    "first time, '', abc, abc",
    "nothing new, cab, abc, cab",
    "one more goes to the end, ba, abc, bac",
    "the last one goes into the hole, abcd, bcd, dbc",
    "the last one goes, abcd, abc, abc",
    "a new one takes the place of an old one, abc, abd, abd",
    "fewer and new, abcd, de, de",
    "all others, abc, de, de",
    "down to one, abc, c, c"
  })
  void asFewAsPossibleChangeTheirSlot(String why, String current, String wanted, String expected) {
    assertThat(Slots.assign(targets(current), targets(wanted), 0))
        .as(why)
        .isEqualTo(targets(expected));
  }

  @Test
  void fromNothingTheOrderIsRotated() {
    assertThat(Slots.assign(List.of(), targets("abc"), 4)).isEqualTo(targets("bca"));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 100})
  void aTableOfHashesIsFairAndNoMatterOfOrder(int n) {
    var targets = many(n);
    var table = Maglev.table(targets);
    assertThat(table).hasSize(Maglev.SIZE);
    var shares = new HashMap<Target, Integer>();
    table.forEach(t -> shares.merge(t, 1, Integer::sum));
    assertThat(shares).hasSize(n);
    assertThat(shares.values()).allMatch(s -> Math.abs(s - Maglev.SIZE / n) <= 1);
    var shuffled = new ArrayList<>(targets);
    Collections.shuffle(shuffled, new Random(5));
    assertThat(Maglev.table(shuffled)).isEqualTo(table);
  }

  @Test
  void aTargetLessMovesFewOthers() {
    var targets = many(10);
    var before = Maglev.table(targets);
    var gone = targets.get(3);
    var after = Maglev.table(targets.stream().filter(t -> !t.equals(gone)).toList());
    int moved = 0;
    for (int i = 0; i < Maglev.SIZE; i++) {
      moved += !before.get(i).equals(gone) && !before.get(i).equals(after.get(i)) ? 1 : 0;
    }
    assertThat(moved).as("of those that could stay").isLessThan(Maglev.SIZE / 4);
  }

  private static List<Target> many(int n) {
    return Stream.iterate(1, i -> i + 1)
        .limit(n)
        .flatMap(i -> Views.targets("10.244.1." + i + ":80").stream())
        .toList();
  }

  private static List<Target> targets(String letters) {
    return Arrays.stream(letters.split("", -1))
        .filter(l -> !l.isEmpty())
        .flatMap(l -> Views.targets("10.244.0." + (l.charAt(0) - 'a' + 1) + ":80").stream())
        .toList();
  }
}
