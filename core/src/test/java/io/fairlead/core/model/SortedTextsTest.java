package io.fairlead.core.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SortedTextsTest {
  @RepeatedTest(20)
  void isASortedMap() {
    long seed = System.nanoTime();
    System.out.println("SortedTextsTest seed " + seed);
    var random = new Random(seed);
    var model = new TreeMap<String, String>();
    for (int i = random.nextInt(12); i > 0; i--) {
      model.put("k" + random.nextInt(20), "v" + random.nextInt(3));
    }
    var texts = SortedTexts.copyOf(Map.copyOf(model));
    assertThat(texts).as("seed %s", seed).isEqualTo(model);
    assertThat(model).as("seed %s", seed).isEqualTo(texts);
    assertThat(texts.hashCode()).isEqualTo(model.hashCode());
    assertThat(texts.keySet()).containsExactlyElementsOf(model.keySet());
    for (int i = 0; i < 20; i++) {
      var key = "k" + i;
      assertThat(texts.get(key)).as("%s, seed %s", key, seed).isEqualTo(model.get(key));
      assertThat(texts.containsKey(key)).isEqualTo(model.containsKey(key));
      assertThat(texts.headMap(key)).as("seed %s", seed).isEqualTo(model.headMap(key));
      assertThat(texts.tailMap(key)).as("seed %s", seed).isEqualTo(model.tailMap(key));
      if (key.compareTo("k5x") <= 0) {
        assertThat(texts.subMap(key, "k5x"))
            .as("seed %s", seed)
            .isEqualTo(model.subMap(key, "k5x"));
      }
    }
    var walked = new TreeMap<String, String>();
    texts.forEach(walked::put);
    assertThat(walked).isEqualTo(model);
  }

  @Test
  void doesNotChange() {
    var map = new TreeMap<>(Map.of("a", "1", "b", "2"));
    var texts = SortedTexts.copyOf(map);
    map.put("c", "3");
    assertThat(texts).hasSize(2);
    assertThat(SortedTexts.copyOf(texts)).isSameAs(texts);
    assertThatThrownBy(() -> texts.put("c", "3")).isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> texts.remove("a")).isInstanceOf(UnsupportedOperationException.class);
    assertThat(texts.firstKey()).isEqualTo("a");
    assertThat(texts.lastKey()).isEqualTo("b");
    assertThatThrownBy(() -> SortedTexts.copyOf(Map.of()).firstKey())
        .isInstanceOf(NoSuchElementException.class);
  }
}
