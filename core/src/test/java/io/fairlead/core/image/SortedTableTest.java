package io.fairlead.core.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SortedTableTest {
  private record Put(Integer key, Optional<String> value, Map<Integer, Optional<String>> seen)
      implements SortedTable.Edit<Integer, String> {
    @Override
    public @Nullable String after(@Nullable String before) {
      assertThat(seen.put(key, Optional.ofNullable(before))).as("asked twice").isNull();
      return value.orElse(null);
    }
  }

  /** Whatever is changed at once, it is a sorted map, it is balanced, and old ones stay. */
  @RepeatedTest(50)
  void isASortedMapUnderAnyRunOfEdits() {
    long seed = System.nanoTime();
    System.out.println("SortedTableTest seed " + seed);
    var random = new Random(seed);
    var table = SortedTable.<Integer, String>empty();
    var model = new TreeMap<Integer, String>();
    int keys = 1 + random.nextInt(3000);
    for (int round = 0; round < 40; round++) {
      var before = table;
      var beforeModel = new TreeMap<>(model);
      var wanted = new TreeMap<Integer, Optional<String>>();
      boolean shrinking = random.nextInt(4) == 0;
      for (int i = random.nextInt(1 + random.nextInt(1000)); i > 0; i--) {
        boolean gone = random.nextInt(10) < (shrinking ? 9 : 2);
        wanted.put(
            random.nextInt(keys), gone ? Optional.empty() : Optional.of("v" + random.nextInt(9)));
      }
      var seen = new HashMap<Integer, Optional<String>>();
      var edits = new ArrayList<Put>();
      wanted.forEach((key, value) -> {
        edits.add(new Put(key, value, seen));
        value.ifPresentOrElse(v -> model.put(key, v), () -> model.remove(key));
      });
      table = table.edited(edits);

      assertThat(table).as("seed %s", seed).isEqualTo(model);
      assertThat(List.copyOf(table.keySet())).as("seed %s", seed).isEqualTo(keysOf(model));
      assertThat(table.size()).isEqualTo(model.size());
      assertThat(table.isBalanced()).as("balanced, seed %s", seed).isTrue();
      assertThat(seen.keySet()).as("seed %s", seed).isEqualTo(wanted.keySet());
      seen.forEach(
          (key, found) -> assertThat(found).isEqualTo(Optional.ofNullable(beforeModel.get(key))));
      assertThat(before).as("the one before, seed %s", seed).isEqualTo(beforeModel);

      int from = random.nextInt(keys);
      int to = from + random.nextInt(keys);
      assertThat(table.range(from, to)).as("seed %s", seed).isEqualTo(model.subMap(from, to));
      assertThat(table.range(from, to).isBalanced()).as("seed %s", seed).isTrue();
      assertThat(table.range(from, null)).isEqualTo(model.tailMap(from));
      assertThat(table.range(null, to)).isEqualTo(model.headMap(to));
      if (!model.isEmpty()) {
        assertThat(table.firstKey()).isEqualTo(model.firstKey());
        assertThat(table.lastKey()).isEqualTo(model.lastKey());
      }
    }
  }

  private static List<Integer> keysOf(Map<Integer, String> model) {
    return List.copyOf(model.keySet());
  }

  @Test
  void oneByOneIsAsAllAtOnce() {
    var one = SortedTable.<String, Integer>empty();
    for (int i = 0; i < 100; i++) {
      one = one.plus("k" + i % 40, i);
    }
    assertThat(one).hasSize(40).containsEntry("k7", 87);
    assertThat(one.minus("k7")).hasSize(39).doesNotContainKey("k7");
    assertThat(one.minus("nobody")).isSameAs(one);
    assertThat(one.edited(List.of())).isSameAs(one);
    assertThat(one.find("k8")).contains(88);
    assertThat(one.find("nobody")).isEmpty();
  }

  @Test
  void nothingHasNoFirst() {
    assertThat(SortedTable.<String, Integer>empty()).isEmpty();
    assertThatThrownBy(() -> SortedTable.<String, Integer>empty().firstKey())
        .isInstanceOf(NoSuchElementException.class);
    assertThatThrownBy(() -> SortedTable.<String, Integer>empty().entrySet().iterator().next())
        .isInstanceOf(NoSuchElementException.class);
  }

  @Test
  void namesAreASortedSet() {
    var names =
        SortedNames.<String>empty()
            .edited(
                List.of(
                    new SortedNames.Edit<>("a", SortedNames.Becomes.PRESENT),
                    new SortedNames.Edit<>("b", SortedNames.Becomes.ABSENT),
                    new SortedNames.Edit<>("c", SortedNames.Becomes.PRESENT),
                    new SortedNames.Edit<>("d", SortedNames.Becomes.PRESENT)));
    assertThat(names)
        .containsExactly("a", "c", "d")
        .isEqualTo(new TreeSet<>(List.of("a", "c", "d")));
    assertThat(names.contains("c")).isTrue();
    assertThat(names.contains("b")).isFalse();
    assertThat(names.subSet("b", "d")).containsExactly("c");
    assertThat(names.headSet("c")).containsExactly("a");
    assertThat(names.tailSet("c")).containsExactly("c", "d");
    assertThat(names.first()).isEqualTo("a");
    assertThat(names.last()).isEqualTo("d");
    assertThat(names.edited(List.of(new SortedNames.Edit<>("c", SortedNames.Becomes.ABSENT))))
        .containsExactly("a", "d");
  }
}
