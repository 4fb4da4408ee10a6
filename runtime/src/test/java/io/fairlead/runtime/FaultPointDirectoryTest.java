package io.fairlead.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.run.FaultPoint;
import io.fairlead.core.run.FaultPoints;
import io.fairlead.core.run.Time;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class FaultPointDirectoryTest {
  @TempDir Path directory;
  private final AtomicInteger deaths = new AtomicInteger();

  private FaultPointDirectory process() {
    return new FaultPointDirectory(directory, Time.system(), deaths::incrementAndGet);
  }

  private void order(FaultPoint point, String text) throws IOException {
    Files.writeString(directory.resolve(point.toString()), text);
  }

  private boolean taken(FaultPoint point) {
    return Files.exists(directory.resolve(point + ".reached"));
  }

  @Test
  void withoutADirectoryNobodyListens() {
    assertThat(FaultPointDirectory.of(Optional.empty(), Time.system())).isSameAs(FaultPoints.NONE);
  }

  @Test
  void killsAtTheArmedPointOnlyAndOnce() throws IOException {
    var process = process();
    process.reached(FaultPoint.COMMIT_CLAIMED);
    order(FaultPoint.COMMIT_CLAIMED, "kill");
    process.reached(FaultPoint.COMMIT_APPENDED);
    assertThat(deaths).hasValue(0);
    assertThat(taken(FaultPoint.COMMIT_CLAIMED)).isFalse();
    process.reached(FaultPoint.COMMIT_CLAIMED);
    assertThat(deaths).hasValue(1);
    assertThat(taken(FaultPoint.COMMIT_CLAIMED)).isTrue();
    process().reached(FaultPoint.COMMIT_CLAIMED);
    assertThat(deaths).hasValue(1);
  }

  @Test
  void killsTheNthTime() throws IOException {
    var process = process();
    order(FaultPoint.SERVING, "kill 3\n");
    process.reached(FaultPoint.SERVING);
    process.reached(FaultPoint.SERVING);
    assertThat(deaths).hasValue(0);
    process.reached(FaultPoint.SERVING);
    assertThat(deaths).hasValue(1);
  }

  @Test
  void holdsUntilTheFileIsGone() throws Exception {
    order(FaultPoint.COMMIT_APPENDING, "hold");
    var passed = new CountDownLatch(1);
    var process = process();
    var thread =
        Thread.ofVirtual()
            .start(() -> {
              process.reached(FaultPoint.COMMIT_APPENDING);
              passed.countDown();
            });
    Awaitility.await("held").until(() -> taken(FaultPoint.COMMIT_APPENDING));
    assertThat(passed.getCount()).isEqualTo(1);
    Files.delete(directory.resolve(FaultPoint.COMMIT_APPENDING + ".reached"));
    thread.join();
    assertThat(passed.getCount()).isZero();
  }

  @Test
  void passesAndLeavesATrace() throws IOException {
    order(FaultPoint.TAKEOVER_READ, "pass");
    process().reached(FaultPoint.TAKEOVER_READ);
    assertThat(taken(FaultPoint.TAKEOVER_READ)).isTrue();
    assertThat(deaths).hasValue(0);
  }

  @Test
  void obeysNoOrderThatItDoesNotKnow() throws IOException {
    order(FaultPoint.TAKEOVER_READ, "explode");
    process().reached(FaultPoint.TAKEOVER_READ);
    assertThat(taken(FaultPoint.TAKEOVER_READ)).isFalse();
    assertThat(deaths).hasValue(0);
  }

  @Test
  void refusesWhatIsNoDirectoryOfPoints() throws IOException {
    assertThat(FaultPointDirectory.refusal(directory)).isEmpty();
    order(FaultPoint.TAKEOVER_READ, "kill");
    Files.writeString(directory.resolve("serving.reached"), "");
    assertThat(FaultPointDirectory.refusal(directory)).isEmpty();
    var file = Files.writeString(directory.resolve("commit.nowhere"), "kill");
    assertThat(FaultPointDirectory.refusal(directory))
        .hasValueSatisfying(
            words -> assertThat(words).contains("commit.nowhere").contains("commit.claimed"));
    assertThat(FaultPointDirectory.refusal(file)).contains(file + " is not a directory");
  }
}
