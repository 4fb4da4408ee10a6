package io.fairlead.decider;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Topic;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class RendezvousTest {
  private static final List<LogPartition> PARTITIONS =
      IntStream.range(0, 1000).mapToObj(i -> new LogPartition(Topic.PODS, i)).toList();

  private static List<String> owners(List<String> replicas) {
    return PARTITIONS.stream()
        .map(p -> Rendezvous.owner("endpoints", p, replicas).orElseThrow())
        .toList();
  }

  @Test
  void nobodyOwnsWhereNobodyIs() {
    assertThat(Rendezvous.owner("endpoints", LogPartition.NODES, List.of())).isEmpty();
  }

  @Test
  void allSharesAreAboutEqual() {
    var owners = owners(List.of("replica-0", "replica-1", "replica-2"));
    for (var replica : List.of("replica-0", "replica-1", "replica-2")) {
      assertThat(owners.stream().filter(replica::equals).count()).isBetween(250L, 420L);
    }
  }

  @Test
  void theOrderInWhichMembersAreSeenDoesNotMatter() {
    assertThat(owners(List.of("a", "b", "c"))).isEqualTo(owners(List.of("c", "a", "b")));
  }

  @Test
  void aMemberThatGoesMovesOnlyItsOwnShare() {
    var three = owners(List.of("a", "b", "c"));
    var two = owners(List.of("a", "b"));
    for (int i = 0; i < three.size(); i++) {
      if (!three.get(i).equals("c")) {
        assertThat(two.get(i)).isEqualTo(three.get(i));
      }
    }
  }
}
