package io.fairlead.agent.probe;

import static io.fairlead.agent.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.probe.Prober.Finding;
import io.fairlead.agent.stream.TestEntries;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.model.PortRef;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.runtime.Metrics;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ProberTest {
  private final FakeTime time = new FakeTime();
  private final LinkedBlockingQueue<Finding> findings = new LinkedBlockingQueue<>();
  private final Prober prober =
      new Prober(
          time,
          RandomSource.seeded(7),
          new ProbeMetrics(new Metrics()),
          Commands.none(),
          findings::add);
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
              new TreeMap<>(),
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
    prober.put(pod, Optional.empty());
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
    prober.put(pod, Optional.empty());
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
    prober.put(pod, Optional.empty());
    sleeping(1);
    time.advance(Duration.ofSeconds(6));
    take();
    prober.put(pod, Optional.empty());
    assertThat(prober.verdict(pod)).isPresent();

    var other = pod(probe(1));
    prober.put(other, Optional.empty());
    assertThat(prober.verdict(other)).as("what is on record holds until then").isEmpty();
    assertThat(prober.running()).isEqualTo(1);
    sleeping(1);
  }

  @Test
  void forgetsPodsThatWent() {
    var pod = pod(probe(server.getLocalPort()));
    prober.put(pod, Optional.empty());
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
    prober.put(pod, Optional.empty());
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
    prober.put(running, Optional.empty());
    prober.put(finished, Optional.empty());
    assertThat(prober.running()).isZero();
  }

  /** Says what it is told to, and which programs were asked for. */
  private static final class Script implements Commands {
    private final Map<String, ProbeResult> results = new ConcurrentHashMap<>();
    private final Queue<ProbeResult> first = new ConcurrentLinkedQueue<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();

    @Override
    public ProbeResult run(
        Pod pod, Pod.Container container, List<String> command, Duration timeout) {
      asked.add(command.getFirst());
      return Optional.ofNullable(first.poll())
          .or(() -> Optional.ofNullable(results.get(command.getFirst())))
          .orElse(new ProbeResult.Failed("exit code 1"));
    }

    void passes(String command) {
      results.put(command, new ProbeResult.Passed("exit code 0"));
    }
  }

  private final Script script = new Script();
  private final Prober scripted =
      new Prober(
          time, RandomSource.seeded(7), new ProbeMetrics(new Metrics()), script, findings::add);

  @AfterEach
  void closeScripted() {
    scripted.close();
  }

  private static Pod.Probe exec(String command, int failureThreshold) {
    return new Pod.Probe(
        new Pod.Exec(List.of(command)),
        Duration.ZERO,
        Duration.ofSeconds(10),
        Duration.ofSeconds(1),
        1,
        failureThreshold);
  }

  private static Pod startingPod(
      String name, Optional<Pod.Probe> startup, Optional<Pod.Probe> readiness) {
    var pod = TestEntries.pod(name, "api", Optional.empty());
    return new Pod(
        pod.meta(),
        new Pod.Spec(
            pod.spec().nodeName(),
            false,
            Optional.empty(),
            Optional.empty(),
            List.of(
                new Pod.Container(
                    "main",
                    "",
                    List.of(),
                    List.of(),
                    new TreeMap<>(),
                    List.of(),
                    readiness,
                    Optional.empty(),
                    startup,
                    Optional.empty()))),
        pod.status(),
        pod.source());
  }

  private static Pod running(Pod pod, Instant since) {
    return doing(pod, new ContainerStatus.Running(since));
  }

  private static Pod doing(Pod pod, ContainerStatus.State state) {
    return new Pod(
        pod.meta(),
        pod.spec(),
        new Pod.Status(
            pod.status().phase(),
            pod.status().ips(),
            "",
            "",
            List.of(new ContainerStatus("main", 0, state, Optional.empty())),
            Optional.empty()),
        pod.source());
  }

  private void takeScripted() {
    var finding = await("a finding").until(findings::poll, f -> f != null);
    scripted.take(finding);
  }

  /** A period goes by, and the probe that is due is made. */
  private void round() {
    sleeping(1);
    int before = script.asked.size();
    time.advance(Duration.ofSeconds(10));
    await("a probe").until(() -> script.asked.size() > before);
  }

  @Test
  void asksForReadinessOnlyOnceTheContainerHasStarted() {
    script.passes("ready");
    var pod = startingPod("web", Optional.of(exec("started", 30)), Optional.of(exec("ready", 3)));
    scripted.put(pod, Optional.empty());
    round();
    round();
    round();
    assertThat(script.asked).containsOnly("started");
    assertThat(scripted.verdict(pod)).isEmpty();
    script.passes("started");
    round();
    takeScripted();
    assertThat(scripted.verdict(pod)).contains(new Verdict(true, "exit code 0"));
    assertThat(script.asked).containsExactly("started", "started", "started", "started", "ready");
    round();
    assertThat(script.asked.getLast()).as("it starts once").isEqualTo("ready");
  }

  @Test
  void saysThatAContainerDidNotStartAndGoesOnAsking() {
    var pod = startingPod("web", Optional.of(exec("started", 2)), Optional.empty());
    scripted.put(pod, Optional.empty());
    round();
    assertThat(findings).as("one failure of two").isEmpty();
    round();
    takeScripted();
    assertThat(scripted.verdict(pod)).contains(new Verdict(false, "not started: exit code 1"));
    script.passes("started");
    round();
    takeScripted();
    assertThat(scripted.verdict(pod)).contains(new Verdict(true, "started"));
  }

  @Test
  void e10AContainerThatStartsAgainIsAskedAnew() {
    script.passes("started");
    script.passes("ready");
    var pod = startingPod("web", Optional.of(exec("started", 3)), Optional.of(exec("ready", 3)));
    var first = running(pod, time.now());
    scripted.put(first, Optional.empty());
    round();
    takeScripted();
    assertThat(scripted.verdict(first)).isPresent();

    scripted.put(doing(pod, new ContainerStatus.Waiting("CrashLoopBackOff", "")), Optional.empty());
    assertThat(scripted.running()).as("nothing runs that could be asked").isZero();
    var again = running(pod, time.now().plusSeconds(1));
    scripted.put(again, Optional.empty());
    assertThat(scripted.verdict(again)).as("what was found of the run before").isEmpty();
    round();
    takeScripted();
    assertThat(scripted.verdict(again)).isPresent();
    assertThat(script.asked).containsExactly("started", "ready", "started", "ready");
  }

  @Test
  void aRunThatTheRecordCallsReadyHasStarted() {
    script.passes("ready");
    var pod =
        running(
            startingPod("web", Optional.of(exec("started", 3)), Optional.of(exec("ready", 3))),
            time.now());
    scripted.put(pod, Optional.of(recorded(pod, pod.runs())));
    round();
    takeScripted();
    assertThat(script.asked).containsExactly("ready");
  }

  private static PodReadiness recorded(Pod pod, SortedMap<String, Instant> runs) {
    return new PodReadiness(
        pod.name(),
        pod.uid(),
        true,
        "node-a",
        5,
        1,
        "exit code 0",
        FakeTime.START,
        runs,
        1,
        List.of());
  }

  @Test
  void e8TriesThreeTimesWhereAProbeCannotBeMade() {
    script.first.add(new ProbeResult.NotMade("no answer"));
    script.first.add(new ProbeResult.NotMade("no answer"));
    script.passes("ready");
    var pod = startingPod("web", Optional.empty(), Optional.of(exec("ready", 3)));
    scripted.put(pod, Optional.empty());
    round();
    takeScripted();
    assertThat(scripted.verdict(pod)).isPresent();
    assertThat(script.asked).hasSize(3);
    for (int i = 0; i < 3; i++) {
      script.first.add(new ProbeResult.NotMade("no answer"));
    }
    round();
    sleeping(1);
    assertThat(script.asked).hasSize(6);
    assertThat(findings).as("the state is as it was").isEmpty();
  }

  /** Who describes the Pod sees why it does not become ready. */
  @Test
  void saysOnceWhyAPodCannotBeProbedWhereNothingIsKnownOfIt() {
    for (int i = 0; i < 6; i++) {
      script.first.add(new ProbeResult.NotMade("no address"));
    }
    script.passes("ready");
    var pod = startingPod("web", Optional.empty(), Optional.of(exec("ready", 3)));
    scripted.put(pod, Optional.empty());
    round();
    takeScripted();
    assertThat(scripted.verdict(pod)).contains(new Verdict(false, "not probed yet: no address"));
    round();
    sleeping(1);
    assertThat(findings).as("once").isEmpty();
    round();
    takeScripted();
    assertThat(scripted.verdict(pod).orElseThrow().ready()).isTrue();
    scripted.remove(pod.name());
    sleeping(0);
    for (int i = 0; i < 3; i++) {
      script.first.add(new ProbeResult.NotMade("no address"));
    }
    var known = startingPod("known", Optional.empty(), Optional.of(exec("ready", 3)));
    scripted.put(known, Optional.of(recorded(known, new TreeMap<>())));
    round();
    sleeping(1);
    assertThat(script.first).as("it was tried").isEmpty();
    assertThat(findings).as("what is on record stays").isEmpty();
  }

  /** After a restart of the agent, too: it may have become possible. */
  @Test
  void aPodThatCouldNotBeProbedIsProbedAtOnce() {
    script.passes("ready");
    var pod = startingPod("web", Optional.empty(), Optional.of(exec("ready", 3)));
    var never =
        new PodReadiness(
            pod.name(),
            pod.uid(),
            false,
            "node-a",
            5,
            1,
            "not probed yet: no address",
            FakeTime.START);
    scripted.put(pod, Optional.of(never));
    sleeping(1);
    time.advance(Duration.ofMillis(200));
    takeScripted();
    assertThat(scripted.verdict(pod).orElseThrow().ready()).isTrue();
  }

  @Test
  void aProbeThatThisNodeRefusesIsAFailureAtOnce() {
    script.results.put("ready", new ProbeResult.Refused("not allowed"));
    var pod = startingPod("web", Optional.empty(), Optional.of(exec("ready", 3)));
    scripted.put(pod, Optional.empty());
    round();
    takeScripted();
    assertThat(scripted.verdict(pod)).contains(new Verdict(false, "not allowed"));
  }

  @Test
  void afterARestartManyPodsAreProbedOverAWholePeriod() {
    script.passes("ready");
    int count = 500;
    for (int i = 0; i < count; i++) {
      var pod = startingPod("web-" + i, Optional.empty(), Optional.of(exec("ready", 3)));
      scripted.put(pod, Optional.of(recorded(pod, new TreeMap<>())));
    }
    sleeping(count);
    for (int second = 1; second <= 10; second++) {
      int before = script.asked.size();
      time.advance(Duration.ofSeconds(1));
      sleeping(count);
      assertThat(script.asked.size() - before)
          .as("probes in second %d of 10", second)
          .isBetween(20, 90);
    }
    assertThat(script.asked).hasSize(count);
  }

  @Test
  void fiveHundredProbedPodsHaveNoPlatformThreadEach() throws InterruptedException {
    var threads = ManagementFactory.getThreadMXBean(); // counts platform threads only
    int before = threads.getThreadCount();
    var probe =
        new Pod.Probe(
            new Pod.TcpSocket(Optional.empty(), new PortRef.Number(server.getLocalPort())),
            Duration.ZERO,
            Duration.ofSeconds(1),
            Duration.ofSeconds(30),
            1,
            3);
    int count = 500;
    int most = 0;
    try (var real =
        new Prober(
            Time.system(),
            RandomSource.seeded(7),
            new ProbeMetrics(new Metrics()),
            Commands.none(),
            findings::add)) {
      for (int i = 0; i < count; i++) {
        real.put(startingPod("web-" + i, Optional.empty(), Optional.of(probe)), Optional.empty());
      }
      assertThat(real.running()).isEqualTo(count);
      for (int found = 0; found < count; found++) {
        assertThat(findings.poll(40, TimeUnit.SECONDS)).as("a finding").isNotNull();
        most = Math.max(most, threads.getThreadCount());
      }
    }
    assertThat(most - before).as("platform threads more than without probes").isLessThan(50);
  }
}
