package io.fairlead.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.model.Acknowledgement;
import io.fairlead.core.model.Acknowledgement.Member;
import io.fairlead.core.model.Acknowledgement.Role;
import io.fairlead.core.record.FeatureLevels;
import io.fairlead.v1.LogFollower;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LogFollowersTest {
  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
  }

  private static LogFollower follower(String service, String replica, int supported) {
    return LogFollower.newBuilder()
        .setService(service)
        .setReplica(replica)
        .setSupported(supported)
        .build();
  }

  @Test
  void tellsWhatMembersAndServersOfDnsSupport() {
    var a = replicas.start("a");
    var _ = replicas.with(new FeatureLevels(3, _ -> 1)).start("b");
    var sequence = new AtomicLong(); // it says so again and again, as servers do
    try (var dns = replicas.kafka.connect()) {
      Awaitility.await("it is heard")
          .atMost(Duration.ofSeconds(30))
          .untilAsserted(() -> {
            dns.acks()
                .publish(
                    List.of(
                        new Acknowledgement(
                            new Member(Role.DNS, "dns-1"),
                            0,
                            sequence.incrementAndGet(),
                            Optional.empty(),
                            "",
                            List.of(),
                            Duration.ofSeconds(5),
                            2)));
            assertThat(a.featureLevel().getFollowersList())
                .containsExactly(
                    follower("endpoints", "a", 1),
                    follower("endpoints", "b", 3),
                    follower("dns", "dns-1", 2));
            assertThat(a.featureLevel().getMissing()).isEmpty();
          });
    }
    assertThat(a.featureLevel().getLevel()).isEqualTo(1);
  }
}
