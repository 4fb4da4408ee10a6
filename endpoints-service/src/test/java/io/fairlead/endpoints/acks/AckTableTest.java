package io.fairlead.endpoints.acks;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Member;
import io.fairlead.core.model.Acknowledgement.Role;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class AckTableTest {
  private final AckTable table = new AckTable(3);

  private static Acknowledgement word(String node, long session, long sequence, String error) {
    return Acknowledgement.ofNode(node, session, sequence, Optional.empty(), error, List.of());
  }

  private Optional<String> error(String node) {
    return table.of(Role.NODE, node).map(heard -> heard.word().error());
  }

  @Test
  void keepsTheNewestBySessionThenSequenceInWhateverOrderTheyCome() {
    table.take(word("a", 2, 1, "2.1"), 0);
    table.take(word("a", 1, 9, "1.9"), 0);
    assertThat(error("a")).contains("2.1");
    table.take(word("a", 2, 3, "2.3"), 0);
    table.take(word("a", 2, 2, "2.2"), 0);
    assertThat(error("a")).contains("2.3");
    table.take(word("a", 3, 1, "3.1"), 0);
    assertThat(error("a")).contains("3.1");
  }

  @Test
  void ofServersWhoeverSpeaksLastIsRight() {
    for (long sequence : new long[] {7, 1}) { // it was restarted
      table.take(
          new Acknowledgement(
              new Member(Role.DNS, "dns"),
              0,
              sequence,
              Optional.empty(),
              "said " + sequence,
              List.of(),
              Duration.ZERO),
          0);
    }
    assertThat(table.all(Role.DNS)).extracting(h -> h.word().error()).containsExactly("said 1");
  }

  @Test
  void ofTooManyForgetsThoseNotHeardOfForLongest() {
    for (var node : List.of("a", "b", "c")) {
      table.take(word(node, 1, 1, node), 0);
    }
    table.take(word("a", 1, 1, "a"), 1); // again
    table.take(word("d", 1, 1, "d"), 2);
    assertThat(table.size()).isEqualTo(3);
    assertThat(error("b")).isEmpty();
    assertThat(error("a")).contains("a");
  }

  @Test
  void forgetsWhoIsNotHeardOfAnyMore() {
    table.take(word("a", 1, 1, "a"), 0);
    long later = AckTable.KEPT.toNanos() + 1;
    table.take(word("b", 1, 1, "b"), later);
    assertThat(error("a")).isEmpty();
    assertThat(error("b")).contains("b");
  }

  @Test
  void wakesThoseWhoWaitOnlyWhereSomethingNewIsSaid() throws InterruptedException {
    table.take(word("a", 1, 1, "a"), 0);
    long seen = table.changes();
    table.take(word("a", 1, 2, "a"), 0);
    assertThat(table.changes()).isEqualTo(seen);
    table.take(word("a", 1, 3, "other"), 0);
    table.awaitChange(seen, Duration.ofSeconds(20)); // would take longer than the test may
    assertThat(table.changes()).isEqualTo(seen + 1);
  }
}
