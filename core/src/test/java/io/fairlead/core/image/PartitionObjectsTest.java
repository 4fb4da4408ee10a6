package io.fairlead.core.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.image.PartitionObjects.Difference;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.record.LogEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class PartitionObjectsTest {
  private static final Partitioning PARTITIONING = new Partitioning(4);

  private static PartitionObjects after(List<LogEntry> log, int next) {
    var delta = new ClusterDelta(ClusterImage.EMPTY);
    log.subList(0, next).forEach(delta::replay);
    return PartitionObjects.at(
        next, PartitionObjects.of(delta.apply(), PARTITIONING, LogPartition.SERVICES));
  }

  /** One entry at each offset. */
  private static List<LogEntry> log(Random random) {
    var log = new ArrayList<LogEntry>();
    for (int offset = 0; offset < 60; offset++) {
      var service =
          TestObjects.service("n" + random.nextInt(5), "10.96.0." + random.nextInt(1, 250));
      log.add(
          random.nextInt(3) == 0
              ? TestObjects.deleted(LogPartition.SERVICES, offset, service)
              : TestObjects.stored(LogPartition.SERVICES, offset, service));
    }
    return log;
  }

  private static PartitionObjects without(PartitionObjects objects, String key) {
    var left = new TreeMap<>(objects.objects());
    left.remove(key);
    return new PartitionObjects(objects.next(), left);
  }

  private static PartitionObjects with(
      PartitionObjects objects, Map<String, PartitionObjects.State> more) {
    var all = new TreeMap<>(objects.objects());
    all.putAll(more);
    return new PartitionObjects(objects.next(), all);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void findsWhatDiffersAndNothingElseWhileTheLogGoesOn(long seed) {
    var random = new Random(seed);
    for (int round = 0; round < 50; round++) {
      var log = log(random);
      int[] at = random.ints(3, 1, log.size() + 1).sorted().toArray();
      var earlier = after(log, at[0]);
      var other = after(log, at[1]);
      var later = after(log, at[2]);
      assertThat(PartitionObjects.differences(Optional.of(earlier), later, other))
          .as("equal readers, seed %s", seed)
          .isEmpty();
      // what nobody wrote since the first look is found, whoever lacks it
      for (var object : earlier.objects().entrySet()) {
        var key = object.getKey();
        if (object.getValue().equals(later.objects().get(key))) {
          assertThat(PartitionObjects.differences(Optional.of(earlier), later, without(other, key)))
              .containsExactly(
                  new Difference(key, Optional.of(object.getValue()), Optional.empty()));
          assertThat(
                  PartitionObjects.differences(
                      Optional.of(without(earlier, key)), without(later, key), other))
              .containsExactly(
                  new Difference(key, Optional.empty(), Optional.of(object.getValue())));
        }
      }
    }
  }

  @Test
  void namesAnObjectOfTheSameVersionWithOtherContent() {
    var log = log(new Random(1));
    var mine = after(log, log.size());
    var key = mine.objects().firstKey();
    var state = Objects.requireNonNull(mine.objects().get(key));
    var other =
        with(
            mine,
            Map.of(
                key,
                new PartitionObjects.State(state.offset(), state.digest().plus(state.digest()))));
    assertThat(PartitionObjects.differences(Optional.empty(), mine, other))
        .singleElement()
        .satisfies(difference ->
            assertThat(difference.words("a", "b"))
                .isEqualTo(
                    "%s: version %d with digest %s at a, version %d with digest %s at b"
                        .formatted(
                            key,
                            state.offset(),
                            state.digest(),
                            state.offset(),
                            state.digest().plus(state.digest()))));
  }
}
