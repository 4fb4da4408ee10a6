package io.fairlead.etcd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.run.GatewayException;
import io.fairlead.core.run.Time;
import io.fairlead.devkit.etcd.EtcdProcess;
import io.fairlead.devkit.etcd.EtcdProcess.Durability;
import io.fairlead.etcd.Coordination.ClaimOutcome;
import io.fairlead.etcd.Coordination.ClaimRequest;
import io.fairlead.etcd.Coordination.Member;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** The contract over a real etcd process, and what only such a one can show. */
@Tag("slow")
@Timeout(120)
class EtcdCoordinationTest extends CoordinationContract {
  private static final LogPartition S = LogPartition.SERVICES;

  @TempDir Path directory;
  private EtcdProcess.Config config;
  private EtcdProcess etcd;

  @BeforeEach
  void startEtcd() {
    config = EtcdProcess.Config.in(directory.resolve("etcd")).with(Durability.NO_FSYNC);
    etcd = EtcdProcess.start(config);
  }

  @AfterEach
  void stopEtcd() {
    etcd.kill();
  }

  @Override
  Coordination connect() {
    return EtcdCoordination.connect(
        new EtcdConfig(List.of(etcd.clientUrl()), Duration.ofSeconds(3)), Time.system());
  }

  @Override
  void down() {
    etcd.kill();
  }

  @Override
  void up() {
    etcd = EtcdProcess.start(config);
  }

  @Override
  void wipe() {
    etcd.kill();
    delete(config.dataDirectory());
    etcd = EtcdProcess.start(config);
  }

  @Override
  void pass(Duration duration) {
    // real time passes by itself
  }

  @Override
  void passReally(Duration duration) {
    try {
      Time.system().sleep(duration);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void delete(Path directory) {
    try {
      Files.walkFileTree(
          directory,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e)
                throws IOException {
              Files.delete(visited);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void startsBeforeEtcdDoes() {
    etcd.kill();
    try (var client = connect()) {
      var reads = new AtomicInteger();
      try (var _ = watch(client, reads)) {
        assertThat(within(client)).isFalse();
        up();
        await("etcd answers", () -> within(client));
        await("watch established", () -> reads.get() > 0);
      }
    }
  }

  private interface Closing extends AutoCloseable {
    @Override
    void close();
  }

  private static Closing watch(Coordination client, AtomicInteger calls) {
    var watch = client.watch(calls::incrementAndGet);
    return () -> {
      try {
        watch.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    };
  }

  private static boolean within(Coordination client) {
    try {
      return client.clusterState().revision() > 0;
    } catch (GatewayException _) {
      return false;
    }
  }

  @Test
  void isBackSoonAfterALongAbsence() {
    try (var client = connect()) {
      assertThat(within(client)).isTrue();
      etcd.kill();
      // long enough for gRPC's own back-off to have grown beyond the limit below
      for (int i = 0; i < 30; i++) {
        assertThat(within(client)).isFalse();
        passReally(Duration.ofMillis(400));
      }
      up();
      long back = System.nanoTime();
      await("etcd answers", () -> within(client));
      assertThat(Duration.ofNanos(System.nanoTime() - back)).isLessThan(Duration.ofSeconds(10));
    }
  }

  @Test
  void aPausedEtcdIsUnknownForAWriteThatWasSent() {
    try (var client = connect()) {
      assertThat(client.owner(S)).isEmpty(); // connected
      etcd.pause();
      try {
        assertThatThrownBy(() -> client.releaseOwnership(S, new UUID(0, 1)))
            .isInstanceOfSatisfying(
                GatewayException.class,
                e -> assertThat(e.outcome()).isEqualTo(GatewayException.Outcome.UNKNOWN));
        assertThatThrownBy(() -> client.owner(S)) // a read has no effect to be unsure about
            .isInstanceOfSatisfying(
                GatewayException.class,
                e -> assertThat(e.outcome()).isEqualTo(GatewayException.Outcome.KNOWN_FAILED));
      } finally {
        etcd.resume();
      }
      await("etcd answers", () -> client.owner(S).isEmpty());
    }
  }

  @Test
  void doesNotSpinWhileEtcdIsAwayAndLeavesNoThreads() {
    var before = liveThreads();
    try (var client = connect()) {
      var lost = new AtomicInteger();
      var _ = client.openLease(TTL, lost::incrementAndGet);
      var calls = new AtomicInteger();
      try (var _ = watch(client, calls)) {
        await("watching", () -> calls.get() > 0);
        etcd.kill();
        long from = cpuNanos();
        passReally(Duration.ofSeconds(6));
        double cores = (cpuNanos() - from) / 6e9;
        System.out.println("CPU while etcd is away: " + cores + " cores");
        assertThat(cores).isLessThan(0.5);
        await("told", () -> lost.get() == 1);
      }
    }
    await(
        "no threads left: " + liveThreads(),
        () -> liveThreads().stream().allMatch(before::contains));
  }

  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static List<String> liveThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(Thread::isAlive)
        .map(Thread::getName)
        // shared by all of gRPC and the JVM, ended by them when idle
        .filter(name ->
            !name.matches(
                "grpc-.*|.*ForkJoin.*|VirtualThread.*|Attach.*|.*-Reaper.*|process reaper.*|Common-Cleaner|awaitility.*|globalEventExecutor.*|.*unparker.*|Read-Poller|.*Poller.*|ObjectCleanerThread.*|junit-.*|surefire.*"))
        .sorted()
        .toList();
  }

  /** As somebody with a shell does. */
  private void put(String key, String value) throws Exception {
    var put =
        new ProcessBuilder("etcdctl", "--endpoints", etcd.clientUrl(), "put", key, value)
            .redirectErrorStream(true);
    put.environment().put("ETCDCTL_API", "3");
    var process = put.start();
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }

  /** As if nothing had been left. */
  @Test
  void whatAnOwnerLeftAndNobodyCanReadIsNothing() throws Exception {
    var values =
        List.of(
            "nonsense",
            "services.pods 7",
            "services 7 00000000000000070000000000000007",
            "services.pods 07 00000000000000070000000000000007",
            "services.pods 7 0000000000000007");
    try (var client = connect();
        var lease = client.openLease(Duration.ofSeconds(60), () -> {})) {
      for (var value : values) {
        put("/fairlead/v1/settled/fairlead.services/0", value);
        var taken = client.takeOwnership(S, "a", "a:1", new UUID(1, 1), lease);
        assertThat(taken.orElseThrow().settled()).as(value).isEmpty();
        client.releaseOwnership(S, new UUID(1, 1));
      }
    }
  }

  @Test
  void whatCannotBeReadIsPassedOverAndToldOnce() throws Exception {
    var logger = (Logger) LoggerFactory.getLogger(UnreadableKeys.class);
    var lines = new ListAppender<ILoggingEvent>();
    lines.start();
    logger.addAppender(lines);
    try (var client = connect();
        var lease = client.openLease(Duration.ofSeconds(60), () -> {})) {
      put("/fairlead/v1/ips/0a600001", "nonsense");
      put("/fairlead/v1/ips/zz", "nonsense");
      put("/fairlead/v1/owners/fairlead.pods/3", "nonsense");
      put("/fairlead/v1/members/shop/b", "");
      var uid = new UUID(7, 7);
      var takeover = new UUID(1, 1);
      client.putMember("shop", new Member("a", "a:1", "0.1", true), lease);
      assertThat(client.takeOwnership(LogPartition.SERVICES, "a", "a:1", takeover, lease))
          .isPresent();
      var mine = new ClaimRequest(Address.of("10.96.0.2"), uid, new ObjectName("shop", "web"));
      var other = new ClaimRequest(Address.of("10.96.0.1"), uid, new ObjectName("shop", "web"));
      var outcomes = client.claim(List.of(mine, other), LogPartition.SERVICES, takeover);
      for (int i = 0; i < 2; i++) {
        assertThat(client.members("shop").keySet()).containsExactly("a");
        assertThat(client.owners().keySet()).containsExactly(LogPartition.SERVICES);
        assertThat(client.claims().keySet()).containsExactly(mine.address());
      }
      assertThat(client.unreadableKeys()).isEqualTo(4);
      assertThat(lines.list).hasSize(4);
      assertThat(lines.list.toString()).contains("A key in etcd cannot be read");
      assertThat(lines.list.getFirst().getKeyValuePairs().toString())
          .contains("/fairlead/v1/members/shop/b");

      assertThat(outcomes.get(other.address()))
          .isInstanceOfSatisfying(
              ClaimOutcome.HeldByOther.class,
              held ->
                  assertThat(
                          client.replaceClaim(
                              other, held.holder(), LogPartition.SERVICES, takeover))
                      .isTrue());
      assertThat(client.claims()).containsOnlyKeys(mine.address(), other.address());
      assertThat(client.unreadableKeys()).isEqualTo(3);
    } finally {
      logger.detachAppender(lines);
    }
  }

  @Test
  void answersOfAnUnreadableValueNameTheKey() throws Exception {
    try (var client = connect()) {
      put("/fairlead/v1/owners/fairlead.services/0", "nonsense");
      assertThatThrownBy(() -> client.owner(LogPartition.SERVICES))
          .isInstanceOf(GatewayException.class)
          .hasMessageContaining("/fairlead/v1/owners/fairlead.services/0")
          .hasMessageContaining("nonsense");
    }
  }
}
