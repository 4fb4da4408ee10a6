package io.fairlead.agent;

import static io.fairlead.agent.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.nft.DataPlane;
import io.fairlead.agent.nft.DataPlaneConfig;
import io.fairlead.agent.nft.FakeFlows;
import io.fairlead.agent.nft.FakeNft;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.ConfigSchema.Complete;
import io.fairlead.runtime.Faults;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class AgentTest {
  @TempDir Path directory;

  /** Ordinary time, until its loop is to come to what nobody expects. */
  private static final class BreakingTime implements Time {
    volatile boolean broken;

    @Override
    public Instant now() {
      return Time.system().now();
    }

    @Override
    public long nanoTime() {
      if (broken && Thread.currentThread().getName().equals("agent-node-a")) {
        throw new IllegalStateException("on purpose");
      }
      return Time.system().nanoTime();
    }

    @Override
    public void sleep(Duration duration) throws InterruptedException {
      Time.system().sleep(duration);
    }
  }

  private AgentConfig config() {
    var parsed =
        AgentConfig.SCHEMA.parse(
            new String[] {
              "--node=node-a",
              "--node-ip=192.0.2.1",
              "--endpoints=127.0.0.1:1",
              "--http-listen=127.0.0.1:0",
              "--data-dir=" + directory
            },
            Map.of());
    assertThat(parsed).isInstanceOf(Complete.class);
    return AgentConfig.of(((Complete) parsed).values());
  }

  @Test
  void endsWithAFaultSoThatItIsStartedAgain() {
    var time = new BreakingTime();
    var nft = new FakeNft();
    try (var agent =
        Agent.start(
            config(),
            time,
            RandomSource.seeded(1),
            () -> DataPlane.on(DataPlaneConfig.of("node-a"), time, () -> nft),
            FakeFlows::new)) {
      assertThat(agent.isStopping()).isFalse();
      assertThat(agent.exitCode()).isZero();
      time.broken = true;
      await("ends").until(agent::isStopping);
      assertThat(agent.exitCode()).isEqualTo(Faults.EXIT_CODE);
    }
  }
}
