package io.fairlead.agent;

import static io.fairlead.agent.Waiting.await;
import static io.fairlead.agent.stream.FakeReplica.at;
import static io.fairlead.agent.stream.TestEntries.endpoint;
import static io.fairlead.agent.stream.TestEntries.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.nft.DataPlane;
import io.fairlead.agent.nft.DataPlaneConfig;
import io.fairlead.agent.nft.FakeFlows;
import io.fairlead.agent.nft.FakeNft;
import io.fairlead.agent.stream.FakeReplica;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.ConfigSchema.Complete;
import io.fairlead.runtime.Faults;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
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

  private AgentConfig config(String endpoints) {
    var parsed =
        AgentConfig.SCHEMA.parse(
            new String[] {
              "--node=node-a",
              "--node-ip=192.0.2.1",
              "--endpoints=" + endpoints,
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
            config("127.0.0.1:1"),
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

  /** Ordinary time, that can jump. */
  private static final class JumpingTime implements Time {
    private final AtomicLong ahead = new AtomicLong();

    @Override
    public Instant now() {
      return Time.system().now();
    }

    @Override
    public long nanoTime() {
      return Time.system().nanoTime() + ahead.get();
    }

    @Override
    public void sleep(Duration duration) throws InterruptedException {
      Time.system().sleep(duration);
    }
  }

  @Test // P121
  void isNotHealthyWhileAChangeWaitsTooLongForTheKernel() throws Exception {
    var time = new JumpingTime();
    var nft = new FakeNft();
    var stuck = new CountDownLatch(1);
    var isStuck = new AtomicBoolean();
    try (var replica = new FakeReplica();
        var agent =
            Agent.start(
                config(replica.address().toString()),
                time,
                RandomSource.seeded(1),
                () -> DataPlane.on(DataPlaneConfig.of("node-a"), time, () -> nft),
                FakeFlows::new)) {
      await("stream").until(() -> replica.greeted() >= 1);
      var stream = replica.streams.getFirst().welcome(5);
      stream.reset(1, at("s:10"), service("web", "10.96.0.1", "10.244.0.1"));
      await("healthy").until(() -> healthz(agent) == 200);
      nft.afterCommit((_, _) -> {
        isStuck.set(true);
        Uninterruptibly.await(stuck);
      });
      stream.delta(2, at("s:10"), at("s:11"), List.of(endpoint("web", "10.244.0.2")), List.of());
      await("the kernel works on it").until(isStuck::get);
      assertThat(healthz(agent)).isEqualTo(200);
      time.ahead.addAndGet(Agent.LATE.toNanos());
      assertThat(healthz(agent)).isEqualTo(503);
      stuck.countDown();
      await("healthy again").until(() -> healthz(agent) == 200);
    } finally {
      stuck.countDown();
    }
  }

  /** A thread that nobody interrupts. */
  private static final class Uninterruptibly {
    static void await(CountDownLatch latch) {
      try {
        latch.await();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }

  private static int healthz(Agent agent) throws Exception {
    try (var client = HttpClient.newHttpClient()) {
      return client
          .send(
              HttpRequest.newBuilder(
                      URI.create("http://127.0.0.1:" + agent.httpPort() + "/healthz"))
                  .build(),
              HttpResponse.BodyHandlers.discarding())
          .statusCode();
    }
  }
}
