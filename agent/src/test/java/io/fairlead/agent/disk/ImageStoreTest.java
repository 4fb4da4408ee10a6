package io.fairlead.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.fairlead.agent.disk.ImageStore.Base;
import io.fairlead.agent.disk.ImageStore.Change;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.Position;
import io.fairlead.v1.Entry;
import io.fairlead.v1.ServiceCidrEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ImageStoreTest {
  private static final LogIdentity LOG = new LogIdentity("services", "pods");

  @TempDir Path directory;

  private static ByteString entry(String key, String value) {
    return Entry.newBuilder()
        .setKey(key)
        .setServiceCidr(ServiceCidrEntry.newBuilder().addCidrs(value))
        .build()
        .toByteString();
  }

  private static Position at(long offset) {
    return Position.parse(LOG, "s:" + offset).orElseThrow();
  }

  private static Change delta(long offset, List<ByteString> set, String... removed) {
    return new Change(Base.CURRENT, set, List.of(removed), at(offset));
  }

  @Test
  void isEmptyAtFirst() {
    try (var store = ImageStore.open(directory)) {
      assertThat(store.position()).isEmpty();
      assertThat(store.entries()).isEmpty();
    }
  }

  @Test
  void comesBackWithWhatWasAppended() {
    try (var store = ImageStore.open(directory)) {
      store.append(
          new Change(Base.NOTHING, List.of(entry("a", "1"), entry("b", "1")), List.of(), at(1)));
      store.append(delta(2, List.of(entry("b", "2")), "a"));
    }
    try (var store = ImageStore.open(directory)) {
      assertThat(store.position()).contains(at(2));
      assertThat(store.entries()).containsExactly(entry("b", "2"));
      store.append(new Change(Base.NOTHING, List.of(entry("c", "3")), List.of(), at(3)));
    }
    try (var store = ImageStore.open(directory)) {
      assertThat(store.position()).contains(at(3));
      assertThat(store.entries()).containsExactly(entry("c", "3"));
    }
  }

  @Test
  void refusesASecondAgent() {
    try (var _ = ImageStore.open(directory)) {
      assertThatThrownBy(() -> ImageStore.open(directory))
          .hasMessageContaining("another agent uses");
    }
  }

  /**
   * A crash may cut the file anywhere: what counts is a prefix of the changes, and the store goes
   * on from it.
   */
  @RepeatedTest(5)
  void cutsATornEnd() throws IOException {
    long seed = System.nanoTime();
    System.out.println("ImageStoreTest seed " + seed);
    var random = new Random(seed);
    var states = new ArrayList<Map<String, ByteString>>();
    states.add(Map.of());
    try (var store = ImageStore.open(directory)) {
      for (int i = 1; i <= 20; i++) {
        var key = "k" + random.nextInt(5);
        var state = new HashMap<>(states.getLast());
        if (random.nextInt(3) == 0) {
          store.append(delta(i, List.of(), key));
          state.remove(key);
        } else {
          store.append(delta(i, List.of(entry(key, "v" + i))));
          state.put(key, entry(key, "v" + i));
        }
        states.add(state);
      }
    }
    var journal = directory.resolve("journal-0");
    var whole = Files.readAllBytes(journal);
    int cut = random.nextInt(whole.length);
    Files.write(journal, java.util.Arrays.copyOf(whole, cut));
    try (var store = ImageStore.open(directory)) {
      long offset = store.position().map(p -> p.next().firstEntry().getValue()).orElse(0L);
      assertThat(store.entries())
          .as("seed %s cut at %s", seed, cut)
          .containsExactlyInAnyOrderElementsOf(states.get((int) offset).values());
      store.append(delta(100, List.of(entry("new", "1"))));
    }
    try (var store = ImageStore.open(directory)) {
      assertThat(store.position()).as("seed %s cut at %s", seed, cut).contains(at(100));
      assertThat(store.entries()).contains(entry("new", "1"));
    }
  }

  @Test
  void aFlippedBitEndsTheJournalThere() throws IOException {
    try (var store = ImageStore.open(directory)) {
      store.append(delta(1, List.of(entry("a", "1"))));
      store.append(delta(2, List.of(entry("b", "1"))));
    }
    var journal = directory.resolve("journal-0");
    var bytes = Files.readAllBytes(journal);
    bytes[bytes.length - 3] ^= 1;
    Files.write(journal, bytes);
    try (var store = ImageStore.open(directory)) {
      assertThat(store.position()).contains(at(1));
      assertThat(store.entries()).containsExactly(entry("a", "1"));
    }
  }

  @Test
  void setsADamagedSnapshotAside() throws IOException {
    try (var store = ImageStore.open(directory)) {
      store.append(new Change(Base.NOTHING, List.of(entry("a", "1")), List.of(), at(1)));
    }
    Files.writeString(directory.resolve("snapshot"), "not an image");
    try (var store = ImageStore.open(directory)) {
      assertThat(store.position()).isEmpty();
      assertThat(store.entries()).isEmpty();
      assertThat(directory.resolve("snapshot.damaged")).exists();
      store.append(delta(2, List.of(entry("b", "1"))));
    }
    try (var store = ImageStore.open(directory)) {
      assertThat(store.entries()).containsExactly(entry("b", "1"));
    }
  }

  /** The journal's size stays within a bound that the image's size sets. */
  @Test
  void compactsAJournalThatOutgrowsTheImage() throws IOException {
    var value = "x".repeat(10_000);
    try (var store = ImageStore.open(directory)) {
      for (int i = 1; i <= 500; i++) {
        store.append(delta(i, List.of(entry("a", value + i))));
      }
    }
    long total = 0;
    try (var files = Files.newDirectoryStream(directory)) {
      for (var file : files) {
        total += Files.size(file);
      }
    }
    assertThat(total).isLessThan(2 << 20);
    try (var store = ImageStore.open(directory)) {
      assertThat(store.position()).contains(at(500));
      assertThat(store.entries()).containsExactly(entry("a", value + 500));
    }
  }
}
