package io.fairlead.agent.probe;

import static io.fairlead.agent.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.probe.Prober.Finding;
import io.fairlead.agent.stream.TestEntries;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.RandomSource;
import io.fairlead.runtime.Metrics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ProberTest {
  private final FakeTime time = new FakeTime();
  private final LinkedBlockingQueue<Finding> findings = new LinkedBlockingQueue<>();
  private final Prober prober =
      new Prober(time, RandomSource.seeded(7), new ProbeMetrics(new Metrics()), findings::add);
  private final ServerSocket server = server();
  private Thread accepting = Thread.ofVirtual().unstarted(() -> {});

  private static ServerSocket server() {
    try {
      return new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @BeforeEach
  void accept() {
    accepting =
        Thread.ofVirtual()
            .start(() -> {
              while (!server.isClosed()) {
                try {
                  server.accept().close();
                } catch (IOException _) {
                  return;
                }
              }
            });
  }

  @AfterEach
  void close() throws Exception {
    prober.close();
    closeServer();
  }

  /** Closing it alone leaves it open until the thread that accepts has noticed. */
  private void closeServer() throws Exception {
    server.close();
    accepting.join();
  }

  private Pod.Probe probe(int port) {
    return new Pod.Probe(
        new Pod.TcpSocket(Optional.empty(), new PortRef.Number(port)),
        Duration.ofSeconds(5),
        Duration.ofSeconds(10),
        Duration.ofSeconds(1),
        1,
        2);
  }

  private Pod pod(Pod.Probe... probes) {
    var pod = TestEntries.pod("web", "api", Optional.empty());
    var containers = new ArrayList<Pod.Container>();
    for (int i = 0; i < probes.length; i++) {
      containers.add(
          new Pod.Container(
              "c" + i,
              "",
              List.of(),
              List.of(),
              new java.util.TreeMap<>(),
              List.of(),
              Optional.of(probes[i])));
    }
    return new Pod(
        pod.meta(),
        new Pod.Spec(pod.spec().nodeName(), false, Optional.empty(), Optional.empty(), containers),
        pod.status(),
        pod.source());
  }

  private void sleeping(int workers) {
    await("workers asleep").until(() -> time.sleepers() == workers);
  }

  private void take() {
    var finding = await("a finding").until(findings::poll, f -> f != null);
    prober.take(finding);
  }

  @Test
  void probesAfterTheInitialDelayAndThenPeriodically() throws Exception {
    var pod = pod(probe(server.getLocalPort()));
    prober.put(pod);
    sleeping(1);
    time.advance(Duration.ofSeconds(5));
    assertThat(prober.verdict(pod)).as("the first one is spread a little").isEmpty();
    time.advance(Duration.ofMillis(20));
    take();
    assertThat(prober.verdict(pod)).contains(new Verdict(true, "connected"));

    sleeping(1);
    closeServer();
    time.advance(Duration.ofSeconds(10));
    sleeping(1);
    assertThat(findings).as("one failure of two").isEmpty();
    time.advance(Duration.ofSeconds(10));
    take();
    assertThat(prober.verdict(pod)).contains(new Verdict(false, "connection refused"));
  }

  @Test
  void callsAPodReadyWhenAllItsContainersAre() throws IOException {
    var closed = server();
    closed.close();
    var pod = pod(probe(server.getLocalPort()), probe(closed.getLocalPort()));
    prober.put(pod);
    sleeping(2);
    time.advance(Duration.ofSeconds(6));
    take();
    assertThat(prober.verdict(pod)).as("E11: the other one is not known yet").isEmpty();
    sleeping(2);
    time.advance(Duration.ofSeconds(10));
    take();
    assertThat(prober.verdict(pod)).contains(new Verdict(false, "c1: connection refused"));
  }

  @Test
  void goesOnWhereNothingOfAProbeChangedAndStartsAnewWhereSomethingDid() {
    var pod = pod(probe(server.getLocalPort()));
    prober.put(pod);
    sleeping(1);
    time.advance(Duration.ofSeconds(6));
    take();
    prober.put(pod);
    assertThat(prober.verdict(pod)).isPresent();

    var other = pod(probe(1));
    prober.put(other);
    assertThat(prober.verdict(other)).as("what is on record holds until then").isEmpty();
    assertThat(prober.running()).isEqualTo(1);
    sleeping(1);
  }

  @Test
  void forgetsPodsThatWent() {
    var pod = pod(probe(server.getLocalPort()));
    prober.put(pod);
    sleeping(1);
    time.advance(Duration.ofSeconds(6));
    var late = await("a finding").until(findings::poll, f -> f != null);
    prober.remove(pod.name());
    assertThat(prober.take(late)).isEmpty();
    assertThat(prober.verdict(pod)).isEmpty();
    await("its thread ends").until(() -> time.sleepers() == 0);
  }

  @Test
  void goesOnAfterAProbeThatCannotEvenBeTried() {
    var pod = pod(probe(70_000)); // no port
    prober.put(pod);
    sleeping(1);
    time.advance(Duration.ofSeconds(6));
    sleeping(1);
    assertThat(prober.verdict(pod)).as("it says nothing about the Pod").isEmpty();
  }

  @Test
  void leavesPodsThatDoNotRunAlone() {
    var running = pod(probe(server.getLocalPort()));
    var finished =
        new Pod(
            running.meta(),
            running.spec(),
            new Pod.Status(Pod.Phase.SUCCEEDED, running.status().ips(), "", Optional.empty()),
            running.source());
    prober.put(running);
    prober.put(finished);
    assertThat(prober.running()).isZero();
  }
}
