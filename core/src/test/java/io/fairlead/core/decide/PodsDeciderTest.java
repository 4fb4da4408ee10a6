package io.fairlead.core.decide;

import static io.fairlead.core.decide.TestPod.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.decide.PodCommand.ApplyPod;
import io.fairlead.core.decide.PodCommand.CollectPods;
import io.fairlead.core.decide.PodCommand.DeleteNode;
import io.fairlead.core.decide.PodCommand.DeletePod;
import io.fairlead.core.decide.PodCommand.ExpirePod;
import io.fairlead.core.decide.PodCommand.LoseNode;
import io.fairlead.core.decide.PodCommand.NodeLostPods;
import io.fairlead.core.decide.PodCommand.OpenNode;
import io.fairlead.core.decide.PodCommand.ReconcileSource;
import io.fairlead.core.decide.PodCommand.Report;
import io.fairlead.core.decide.PodCommand.ReportReadiness;
import io.fairlead.core.decide.PodDraft.ContainerPortDraft;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.Versioned;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.PodLease;
import io.fairlead.core.model.PodReadiness;
import io.fairlead.core.record.Change;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.view.PodCondition;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class PodsDeciderTest {
  private static final ObjectName WEB = new ObjectName("shop", "web-0");
  private static final Map<String, String> LEASE = Map.of(PodLease.ANNOTATION, "30");

  private final RandomSource random = RandomSource.seeded(11);
  private final Partitioning partitioning = new Partitioning(16);
  private ClusterImage image = ClusterImage.EMPTY;
  private Instant now = Instant.parse("2026-11-01T00:00:00Z");
  private long next = 100;
  private Decision<PodOutcome> last =
      Decision.answer(new PodOutcome.Reported(List.of(), java.util.OptionalLong.empty()));

  /** Decides at the next second, appends, and answers as the caller sees it. */
  private PodOutcome decide(PodCommand command) {
    now = now.plus(Duration.ofSeconds(1));
    last = PodsDecider.decide(image, command, new PodsContext(now, random));
    long first = next;
    last.changes().forEach(this::append);
    return last.changes().isEmpty() ? last.reply() : last.reply().at(first);
  }

  private void append(Change change) {
    var envelope =
        new Envelope(
            random.uuid(), now, "test", Optional.empty(), Optional.empty(), Optional.empty());
    var event =
        switch (change) {
          case Change.Put(var object) -> new LogEvent.Stored(object, envelope);
          case Change.Remove(var key, var uid) -> new LogEvent.Deleted(key, uid, envelope);
        };
    var delta = new ClusterDelta(image);
    delta.replay(new LogEntry(partitioning.of(change.key()), next++, now, event));
    image = delta.apply();
  }

  private Pod stored(TestPod draft) {
    var outcome = decide(new ApplyPod(draft.draft()));
    if (outcome instanceof PodOutcome.Stored s) {
      return s.pod();
    }
    throw unexpected(outcome);
  }

  private List<String> faults(TestPod draft) {
    if (refused(new ApplyPod(draft.draft())) instanceof Refusal.Invalid invalid) {
      return invalid.violations().stream()
          .map(v -> v.field() + " " + v.reason().text())
          .sorted()
          .toList();
    }
    throw unexpected(last.reply());
  }

  private Refusal refused(PodCommand command) {
    var outcome = decide(command);
    if (outcome instanceof PodOutcome.Refused(var refusal)) {
      return refusal;
    }
    throw unexpected(outcome);
  }

  private static AssertionError unexpected(Object outcome) {
    return new AssertionError("unexpected: " + outcome);
  }

  private long open(String node) {
    return open(node, "", 0);
  }

  private long open(String node, String instance, long previousSession) {
    var draft = draft(node, instance, previousSession);
    if (decide(new OpenNode(draft)) instanceof PodOutcome.NodeStored opened) {
      return opened.resourceVersion().getAsLong();
    }
    throw unexpected(last.reply());
  }

  private static NodeDraft draft(String node, String instance, long previousSession) {
    return new NodeDraft(
        node,
        Map.of(),
        Map.of(),
        "zone-1",
        List.of("192.0.2.5", "fd00::5"),
        List.of("10.244.1.0/24"),
        "1",
        instance,
        previousSession,
        List.of("manifests/" + node));
  }

  private PodOutcome report(long session, long sequence, boolean ready, String reason) {
    var uid = image.pods().get(WEB).orElseThrow().object().uid().toString();
    return decide(
        new ReportReadiness(
            "shop", "node-a", session, sequence, List.of(new Report("web-0", uid, ready, reason))));
  }

  private List<String> dropped(PodOutcome outcome) {
    if (outcome instanceof PodOutcome.Reported reported) {
      return reported.dropped().stream().map(PodOutcome.Dropped::reason).toList();
    }
    throw unexpected(outcome);
  }

  private PodReadiness readiness() {
    return image.pods().readiness(WEB).orElseThrow().object();
  }

  @Test
  void e3ProbesHaveKubernetesDefaults() {
    var probe =
        stored(pod("web-0").httpProbe("http"))
            .spec()
            .containers()
            .getFirst()
            .readinessProbe()
            .orElseThrow();
    assertThat(probe.initialDelay()).isEqualTo(Duration.ZERO);
    assertThat(probe.timeout()).isEqualTo(Duration.ofSeconds(1));
    assertThat(probe.period()).isEqualTo(Duration.ofSeconds(10));
    assertThat(probe.successThreshold()).isEqualTo(1);
    assertThat(probe.failureThreshold()).isEqualTo(3);
    assertThat(probe.action())
        .isInstanceOfSatisfying(
            Pod.HttpGet.class,
            get -> {
              assertThat(get.path()).isEqualTo("/");
              assertThat(get.scheme()).isEqualTo(Pod.Scheme.HTTP);
              assertThat(get.host()).isEmpty();
            });
  }

  @Test
  void e16ANegativeTimeoutIsRefusedAndZeroBecomesOne() {
    var field = "spec.containers[0].readinessProbe";
    assertThat(faults(pod("web-0").probe(TestPod.httpGet("80", OptionalInt.of(-1)))))
        .containsExactly(field + ".timeoutSeconds Invalid");
    assertThat(
            stored(pod("web-0").probe(TestPod.httpGet("80", OptionalInt.of(0))))
                .spec()
                .containers()
                .getFirst()
                .readinessProbe()
                .orElseThrow()
                .timeout())
        .isEqualTo(Duration.ofSeconds(1));
    assertThat(faults(pod("web-0").httpProbe("")))
        .containsExactly(field + ".httpGet.port Required");
    assertThat(faults(pod("web-0").tcpProbe("70000")))
        .containsExactly(field + ".tcpSocket.port Invalid");
  }

  private PodOutcome reportOf(long session, long sequence, Instant run) {
    var uid = image.pods().get(WEB).orElseThrow().object().uid().toString();
    return decide(
        new ReportReadiness(
            "shop",
            "node-a",
            session,
            sequence,
            List.of(new Report("web-0", uid, true, "tcp", Map.of("main", run, "other", run)))));
  }

  @Test
  void remembersHowOftenAndWhenThePodTurnedAndNoMoreThanTheLatest() {
    long session = open("node-a");
    stored(pod("web-0").ip("10.244.1.7").tcpProbe("80"));
    report(session, 1, false, "connection refused");
    assertThat(readiness().turns()).as("it was not ready before, either").isZero();
    for (int i = 0; i < 10; i++) {
      report(session, 2 + 2 * i, true, "connected");
      report(session, 3 + 2 * i, false, "timeout " + i);
    }
    assertThat(readiness().turns()).isEqualTo(20);
    assertThat(readiness().latest()).hasSize(PodReadiness.LATEST);
    assertThat(readiness().latest().getLast().reason()).isEqualTo("timeout 9");
    assertThat(readiness().latest().getLast().at()).isEqualTo(readiness().since());
    var before = readiness();
    report(session, 30, false, "another reason");
    assertThat(readiness().turns()).isEqualTo(20);
    assertThat(readiness().since()).isEqualTo(before.since());
  }

  @Test
  void anotherRunOfAContainerIsAnotherReportAndATurn() {
    long session = open("node-a");
    stored(pod("web-0").ip("10.244.1.7").tcpProbe("80"));
    reportOf(session, 1, Instant.EPOCH);
    assertThat(readiness().runs())
        .as("names of no container are left out")
        .isEqualTo(Map.of("main", Instant.EPOCH));
    var first = readiness();
    reportOf(session, 2, Instant.EPOCH);
    assertThat(readiness()).isEqualTo(first);
    reportOf(session, 3, Instant.EPOCH.plusSeconds(9));
    assertThat(readiness().runs()).isEqualTo(Map.of("main", Instant.EPOCH.plusSeconds(9)));
    assertThat(readiness().turns()).isEqualTo(2);
    assertThat(readiness().since()).isAfter(first.since());
  }

  @Test
  void e17WithoutGraceThePodAndItsReadinessVanishAtOnce() {
    long session = open("node-a");
    var web = stored(pod("web-0").ip("10.244.1.7"));
    report(session, 1, true, "");
    assertThat(decide(new DeletePod(WEB, web.uid().toString(), OptionalInt.of(0))))
        .isInstanceOf(PodOutcome.Deleted.class);
    assertThat(image.pods().get(WEB)).isEmpty();
    assertThat(image.pods().readiness(WEB)).isEmpty();
    assertThat(refused(new DeletePod(WEB, "", OptionalInt.empty())))
        .isInstanceOf(Refusal.NotFound.class);
  }

  @Test
  void withGraceThePodIsTerminatingAndOnlyAnEarlierEndChangesIt() {
    var created = stored(pod("web-0").ip("10.244.1.7"));
    decide(new DeletePod(WEB, "", OptionalInt.of(30)));
    var deadline = now.plus(Duration.ofSeconds(30));
    assertThat(image.pods().get(WEB).orElseThrow().object().status().deleting()).contains(deadline);
    decide(new DeletePod(WEB, "", OptionalInt.of(30)));
    assertThat(last.changes()).isEmpty();
    decide(new DeletePod(WEB, "", OptionalInt.of(5)));
    assertThat(last.changes()).hasSize(1);
    assertThat(stored(pod("web-0").ip("10.244.1.7").labels(Map.of("x", "y"))).status().deleting())
        .isPresent();
    assertThat(refused(new DeletePod(WEB, new UUID(0, 1).toString(), OptionalInt.empty())))
        .isInstanceOf(Refusal.Stale.class);
    assertThat(refused(new DeletePod(WEB, created.uid().toString(), OptionalInt.of(-1))))
        .isInstanceOf(Refusal.Invalid.class);
  }

  @Test
  void namesAllFaultsOfADraftAtOnce() {
    assertThat(
            faults(
                pod("Web")
                    .node("Node_A")
                    .withoutContainers()
                    .ip("127.0.0.1")
                    .phase("Sleeping")
                    .hostname("a.b")
                    .uid("7")))
        .containsExactly(
            "metadata.name Invalid",
            "metadata.uid Invalid",
            "spec.containers Required",
            "spec.hostname Invalid",
            "spec.nodeName Invalid",
            "status.phase NotSupported",
            "status.podIP Invalid");
    assertThat(
            faults(
                pod("web-0")
                    .ports(
                        new ContainerPortDraft("http", "tcp", 0),
                        new ContainerPortDraft("http", "", 65_536))))
        .containsExactly(
            "spec.containers[0].ports[0].containerPort Required",
            "spec.containers[0].ports[0].protocol NotSupported",
            "spec.containers[0].ports[1].containerPort Invalid",
            "spec.containers[0].ports[1].name Duplicate");
    assertThat(faults(pod("web-0").ips("10.244.1.7", "10.244.1.8")))
        .containsExactly("status.podIPs[1].ip Invalid");
    assertThat(faults(pod("web-0").ip("10.244.1.9").ips("10.244.1.7")))
        .containsExactly("status.podIPs Invalid");
    assertThat(faults(pod("web-0").source("no space"))).containsExactly("source Invalid");
  }

  @Test
  void aPodIsPendingUntilItHasAnAddress() {
    var pending = stored(pod("web-0").phase("Running"));
    assertThat(pending.status().phase()).isEqualTo(Pod.Phase.PENDING);
    assertThat(pending.status().reason()).contains("no address");
    var running = stored(pod("web-0").ip("10.244.1.7"));
    assertThat(running.status().phase()).isEqualTo(Pod.Phase.RUNNING);
    assertThat(running.status().reason()).isEmpty();
    assertThat(running.uid()).isEqualTo(pending.uid());
    decide(new ApplyPod(pod("web-0").ip("10.244.1.7").draft()));
    assertThat(last.changes()).isEmpty();
  }

  @Test
  void aHostNetworkPodHasTheAddressesOfItsNode() {
    open("node-a");
    assertThat(stored(pod("web-0").onHostNetwork()).status().ips())
        .containsExactly(Address.of("192.0.2.5"), Address.of("fd00::5"));
  }

  @Test
  void aPodStaysWhereItIsAndBelongsToItsSource() {
    stored(pod("web-0").source("manifests/node-a"));
    assertThat(refused(new ApplyPod(pod("web-0").draft()))).isInstanceOf(Refusal.NotYours.class);
    assertThat(faults(pod("web-0").source("manifests/node-a").node("node-b")))
        .containsExactly("spec.nodeName Immutable");
    assertThat(
            refused(
                new ApplyPod(pod("web-0").source("manifests/node-a").resourceVersion("7").draft())))
        .isInstanceOf(Refusal.Stale.class);
  }

  @Test
  void writesReadinessOnlyWhereItChanges() {
    long session = open("node-a");
    stored(pod("web-0").ip("10.244.1.7").httpProbe("http"));
    report(session, 1, true, "http 200");
    assertThat(readiness().ready()).isTrue();
    var since = readiness().since();
    report(session, 2, true, "http 204");
    assertThat(last.changes()).isEmpty();
    report(session, 3, false, "http 503");
    assertThat(readiness().since()).isAfter(since);
    report(session, 4, false, "connection refused");
    assertThat(readiness().reason()).isEqualTo("connection refused");
  }

  @Test
  void dropsWhatAnEarlierReportOrSessionSays() {
    long first = open("node-a");
    stored(pod("web-0").ip("10.244.1.7"));
    report(first, 5, true, "");
    assertThat(dropped(report(first, 5, false, "late")))
        .containsExactly("a later report is known already");
    long second = open("node-a");
    assertThat(second).isGreaterThan(first);
    var uid = image.pods().get(WEB).orElseThrow().object().uid().toString();
    assertThat(
            refused(
                new ReportReadiness(
                    "shop", "node-a", first, 9, List.of(new Report("web-0", uid, false, "")))))
        .isInstanceOf(Refusal.SessionEnded.class);
    report(second, 1, false, "http 500");
    assertThat(readiness().session()).isEqualTo(second);
  }

  @Test
  void ofTwoAgentsWithOneNameTheOneThatCameLaterHasTheNodeForGood() {
    long first = open("node-a", "older", 0);
    long second = open("node-a", "newer", 0);
    var refused = refused(new OpenNode(draft("node-a", "older", first)));
    assertThat(refused).isInstanceOf(Refusal.Superseded.class);
    assertThat(refused)
        .hasFieldOrPropertyWithValue("session", first)
        .hasFieldOrPropertyWithValue("address", Address.of("192.0.2.5"));
    long third = open("node-a", "newer", second); // as after a broken stream
    assertThat(third).isGreaterThan(second);
    // an answer that was lost: the record is one's own
    assertThat(open("node-a", "newer", second)).isGreaterThan(third);
    // started again it is the newest
    assertThat(open("node-a", "older again", 0)).isGreaterThan(third);
  }

  @Test
  void aSessionOfWhoeverDoesNotSayWhichAgentItIsSupersedesNobody() {
    long first = open("node-a", "this", 0);
    long second = open("node-a", "", 0); // by way of a replica that does not know of instances
    assertThat(open("node-a", "this", first)).isGreaterThan(second);
  }

  @Test
  void aSessionThatAnotherAgentIsJustOpeningSupersedesToo() {
    long first = open("node-a", "older", 0);
    var before = image;
    var opening = decide(new OpenNode(draft("node-a", "newer", 0)));
    assertThat(opening).isInstanceOf(PodOutcome.NodeStored.class);
    image = before.with(last.changes()); // of the same batch: its offset is not known yet
    assertThat(refused(new OpenNode(draft("node-a", "older", first))))
        .isInstanceOf(Refusal.Superseded.class);
  }

  @Test
  void refusesAPodThatClaimsWhatAnotherOfItsNodeHas() {
    var web = stored(pod("web-0").ip("10.244.1.7")); // 8080
    var refused = refused(new ApplyPod(pod("web-1").namespace("other").ip("10.244.1.7").draft()));
    assertThat(refused)
        .isInstanceOfSatisfying(
            Refusal.PortTaken.class,
            taken -> {
              assertThat(taken.object().objectName()).isEqualTo(new ObjectName("other", "web-1"));
              assertThat(taken.taken())
                  .hasToString("10.244.1.7:8080/TCP is claimed by Pod shop/web-0");
            });
    stored(pod("web-1").node("node-b").ip("10.244.1.7"));
    stored(pod("web-2").ip("10.244.1.8"));
    assertThat(refused(new ApplyPod(pod("web-2").ip("10.244.1.7").draft())))
        .as("one that moves there, older or not")
        .isInstanceOf(Refusal.PortTaken.class);
    stored(pod("web-0").ip("10.244.1.7").labels(Map.of("app", "other")));
    decide(new DeletePod(web.name(), "", OptionalInt.of(0)));
    stored(pod("web-2").ip("10.244.1.7"));
  }

  /** The record of the one that had the address before may go a moment later. */
  @Test
  void whatRunsAPodIsBelievedAlsoWhereAnotherClaimsTheSame() {
    stored(pod("web-0").ip("10.244.1.7"));
    now = now.plusSeconds(1);
    var other = stored(pod("web-1"));
    var status = new PodStatusDraft("Running", "10.244.1.7", List.of(), "", "", List.of());
    decide(new PodCommand.UpdatePodStatus(other.name(), other.uid().toString(), "", status));
    assertThat(last.changes()).hasSize(1);
    assertThat(ready("web-0")).isTrue();
    assertThat(ready("web-1")).isFalse();
    decide(new DeletePod(new ObjectName("shop", "web-0"), "", OptionalInt.of(0)));
    assertThat(ready("web-1")).isTrue();
  }

  private boolean ready(String pod) {
    var found = image.pods().get(new ObjectName("shop", pod)).orElseThrow().object();
    return PodCondition.of(image.pods(), found).ready();
  }

  @Test
  void aSourceMayNameAPodAnewButNotTwoForOneAddressAndPort() {
    long session = open("node-a");
    var first = pod("old-name").source("manifests/node-a").ip("192.0.2.5");
    var second = pod("new-name").source("manifests/node-a").ip("192.0.2.5");
    stored(first);
    assertThat(reconciled(session, 1, second)).isEmpty();
    assertThat(image.pods().all())
        .extracting(p -> p.object().name().name())
        .containsExactly("new-name");
    assertThat(reconciled(session, 2, first, second))
        .containsExactly("192.0.2.5:8080/TCP is claimed by Pod shop/new-name");
    assertThat(reconciled(session, 3, first)).as("the other is gone").isEmpty();
  }

  @Test
  void podsOfOneSourceMaySwapTheirPorts() {
    long session = open("node-a");
    assertThat(reconciled(session, 1, at(8080, "a"), at(9090, "b"), at(7070, "c"))).isEmpty();
    assertThat(reconciled(session, 2, at(9090, "a"), at(7070, "b"), at(8080, "c"))).isEmpty();
    assertThat(ports()).isEqualTo(Map.of("a", 9090, "b", 7070, "c", 8080));
    assertThat(reconciled(session, 3, at(7070, "c"), at(8080, "b"))).as("one goes").isEmpty();
    assertThat(ports()).isEqualTo(Map.of("b", 8080, "c", 7070));
  }

  @Test
  void whoIsRefusedKeepsWhatItHasAndOnlyWhoWantsThatIsRefusedToo() {
    long session = open("node-a");
    stored(at(6060, "foreign").source("api"));
    assertThat(reconciled(session, 1, at(8080, "a"), at(9090, "b"), at(7070, "c"))).isEmpty();
    var named = new TestPod[] {at(9090, "a"), at(6060, "b"), at(8080, "c"), at(5050, "d")};
    for (long sequence = 2; sequence < 4; sequence++) {
      assertThat(reconciled(session, sequence, named))
          .containsExactly(
              "192.0.2.5:9090/TCP is claimed by Pod shop/b",
              "192.0.2.5:6060/TCP is claimed by Pod shop/foreign",
              "192.0.2.5:8080/TCP is claimed by Pod shop/a");
      assertThat(ports())
          .isEqualTo(Map.of("a", 8080, "b", 9090, "c", 7070, "d", 5050, "foreign", 6060));
    }
    decide(new DeletePod(new ObjectName("shop", "foreign"), "", OptionalInt.of(0)));
    assertThat(reconciled(session, 4, named)).isEmpty();
    assertThat(ports()).isEqualTo(Map.of("a", 9090, "b", 6060, "c", 8080, "d", 5050));
  }

  /**
   * Hundreds that want one port of their node: one has it, and saying so of the others is quick.
   */
  @Test
  void ofManyThatWantTheSameTheFirstHasIt() {
    long session = open("node-a");
    var named = new TestPod[1_500];
    for (int i = 0; i < named.length; i++) {
      named[i] = at(8080, "web-" + i);
    }
    assertThat(reconciled(session, 1, named))
        .hasSize(named.length - 1)
        .containsOnly("192.0.2.5:8080/TCP is claimed by Pod shop/web-0");
    assertThat(ports()).isEqualTo(Map.of("web-0", 8080));
    assertThat(reconciled(session, 2, named)).as("again").hasSize(named.length - 1);
  }

  @Test
  void whatIsInTheWayOfOneThatIsRefusedIsNotRefusedForIt() {
    long session = open("node-a");
    stored(at(6060, "foreign").source("api"));
    var both =
        at(6060, "a")
            .ports(new ContainerPortDraft("", "", 6060), new ContainerPortDraft("", "", 9090));
    assertThat(reconciled(session, 1, both, at(9090, "b")))
        .containsExactly("192.0.2.5:6060/TCP is claimed by Pod shop/foreign");
    assertThat(ports()).isEqualTo(Map.of("b", 9090, "foreign", 6060));
  }

  /** Whichever of the two reconciliations is decided first. */
  @Test
  void podsOfOneSourceInTwoNamespacesMaySwapTheirPorts() {
    long session = open("node-a");
    assertThat(reconciled(session, 1, at(8080, "a"))).isEmpty();
    now = now.plusSeconds(1);
    assertThat(reconciled("other", session, 1, at(9090, "b"))).isEmpty();
    assertThat(reconciled(session, 2, at(9090, "a"))).isEmpty();
    assertThat(reconciled("other", session, 2, at(8080, "b"))).isEmpty();
    assertThat(ports()).isEqualTo(Map.of("a", 9090, "b", 8080));
    assertThat(image.pods().all())
        .allMatch(pod -> PodCondition.of(image.pods(), pod.object()).ready());
    assertThat(reconciled("other", session, 3, at(9090, "b"))).as("the view decides").isEmpty();
    assertThat(image.pods().all())
        .filteredOn(pod -> PodCondition.of(image.pods(), pod.object()).ready())
        .extracting(pod -> pod.object().name().name())
        .containsExactly("a");
  }

  private static TestPod at(int port, String name) {
    return pod(name)
        .source("manifests/node-a")
        .ip("192.0.2.5")
        .ports(new ContainerPortDraft("", "", port));
  }

  private Map<String, Integer> ports() {
    return image.pods().all().stream()
        .collect(
            Collectors.toMap(
                pod -> pod.object().name().name(),
                pod -> pod.object().ports().findFirst().orElseThrow().containerPort()));
  }

  private List<String> reconciled(long session, long sequence, TestPod... pods) {
    return reconciled("shop", session, sequence, pods);
  }

  /** Why Pods were refused. */
  private List<String> reconciled(String namespace, long session, long sequence, TestPod... pods) {
    var outcome =
        decide(
            new ReconcileSource(
                namespace,
                "manifests/node-a",
                "node-a",
                session,
                sequence,
                List.of(pods).stream().map(pod -> pod.namespace(namespace).draft()).toList()));
    if (outcome instanceof PodOutcome.Reconciled(var refused, _)) {
      return refused.stream().map(PodOutcome.Dropped::reason).toList();
    }
    throw unexpected(outcome);
  }

  private List<String> collected(String node, Orphaning why) {
    var before = image;
    var outcome = decide(new CollectPods("shop", node, why));
    var gone =
        before.pods().all().stream()
            .map(pod -> pod.object().name())
            .filter(name -> image.pods().get(name).isEmpty())
            .map(ObjectName::name)
            .toList();
    assertThat(outcome).isEqualTo(new PodOutcome.Collected(gone.size()));
    image = before;
    return gone;
  }

  @Test
  void collectsThePodsThatCameFromANodeWhereTheReasonStillHolds() {
    long session = open("node-a"); // which has manifests/node-a
    stored(pod("manifest").source("manifests/node-a").ip("10.244.1.7"));
    stored(pod("container").source("docker/node-a").ip("10.244.1.8"));
    stored(pod("by-api").ip("10.244.1.9"));
    stored(pod("leased").source("docker/node-a").ip("10.244.1.10").annotations(LEASE));
    stored(pod("elsewhere").node("node-b").source("manifests/node-b").ip("10.244.2.7"));
    stored(pod("far").namespace("other").source("manifests/node-a").ip("10.244.1.11"));
    var living = image;

    var lost = new Orphaning.NodeLost(session);
    assertThat(collected("node-a", lost)).as("it is there").isEmpty();
    assertThat(collected("node-a", new Orphaning.NodeGone())).as("it is there").isEmpty();
    assertThat(collected("node-a", new Orphaning.SourceGone(session, "docker/node-a")))
        .containsExactly("container");
    assertThat(collected("node-a", new Orphaning.SourceGone(session - 1, "docker/node-a")))
        .as("said in an older session")
        .isEmpty();
    assertThat(collected("node-a", new Orphaning.SourceGone(session, "manifests/node-a")))
        .as("it has that source")
        .isEmpty();

    decide(new LoseNode("node-a", session, "no lease for 40 s"));
    assertThat(collected("node-a", lost)).containsExactly("container", "manifest");
    assertThat(collected("node-a", new Orphaning.NodeLost(session - 1))).isEmpty();
    decide(delete("node-a"));
    assertThat(collected("node-a", lost)).as("who came first says why").isEmpty();
    assertThat(collected("node-a", new Orphaning.NodeGone()))
        .containsExactly("container", "manifest");
    image = living;
    open("node-a");
    assertThat(collected("node-a", lost)).as("it is back").isEmpty();
  }

  @Test
  void whatIsRunOnANodeGoesWithIt() {
    long session = open("node-a");
    var run = stored(pod("web-0").ip("10.244.1.7"));
    assertThat(run.goesWithItsNode()).isFalse();
    append(
        new Change.Put(
            new Pod(
                run.meta(),
                run.spec(),
                new Pod.Status(
                    Pod.Phase.RUNNING,
                    run.status().ips(),
                    "",
                    "",
                    List.of(
                        new ContainerStatus(
                            "main", 0, new ContainerStatus.Running(now), Optional.empty())),
                    Optional.empty()),
                run.source())));
    decide(new LoseNode("node-a", session, "no lease for 40 s"));
    assertThat(collected("node-a", new Orphaning.NodeLost(session))).containsExactly("web-0");
  }

  private static DeleteNode delete(String node) {
    return new DeleteNode(node, "", "", DryRun.NO, Optional.empty());
  }

  @Test
  void deletesANodeOnlyOnceItIsLostAndNobodyHoldsItsStream() {
    assertThat(refused(delete("node-a"))).isInstanceOf(Refusal.NotFound.class);
    long session = open("node-a");
    assertThat(refused(delete("node-a"))).isInstanceOf(Refusal.NodeLives.class);
    decide(new LoseNode("node-a", session, "no lease for 40 s"));
    var lost = image.nodes().get("node-a").orElseThrow();
    var uid = lost.object().uid();
    assertThat(refused(new DeleteNode("node-a", "", "", DryRun.NO, Optional.of("replica-1"))))
        .isEqualTo(new Refusal.NodeLives(lost.object().key(), Optional.of("replica-1")));
    assertThat(refused(new DeleteNode("node-a", "", "" + session, DryRun.NO, Optional.empty())))
        .isInstanceOf(Refusal.Stale.class);
    assertThat(refused(new DeleteNode("node-a", "another", "", DryRun.NO, Optional.empty())))
        .isInstanceOf(Refusal.Stale.class);
    decide(new DeleteNode("node-a", uid.toString(), "", DryRun.YES, Optional.empty()));
    assertThat(last.changes()).as("a trial").isEmpty();
    var deleted =
        decide(
            new DeleteNode(
                "node-a",
                uid.toString(),
                Long.toString(lost.offset()),
                DryRun.NO,
                Optional.empty()));
    assertThat(deleted)
        .isInstanceOfSatisfying(
            PodOutcome.NodeDeleted.class,
            answer -> {
              assertThat(answer.name()).isEqualTo("node-a");
              assertThat(answer.uid()).isEqualTo(uid);
            });
    assertThat(image.nodes().all()).isEmpty();
    assertThat(open("node-a")).isGreaterThan(session);
    assertThat(image.nodes().get("node-a").orElseThrow().object().uid()).isNotEqualTo(uid);
  }

  @Test
  void whoDeletedANodeIsToldSoAgainFromItsRecord() {
    long session = open("node-a");
    decide(new LoseNode("node-a", session, "no lease for 40 s"));
    var answer = decide(delete("node-a"));
    var remove = (Change.Remove) last.changes().getFirst();
    var envelope =
        new Envelope(
            random.uuid(), now, "test", Optional.empty(), Optional.empty(), Optional.empty());
    var record =
        new LogEntry(
            partitioning.of(remove.key()),
            next - 1,
            now,
            new LogEvent.Deleted(remove.key(), remove.uid(), envelope));
    assertThat(PodsDecider.recall(record)).isEqualTo(answer);
  }

  @Test
  void dropsReportsOfOtherPodsAndNodesAndKeepsTheRest() {
    long session = open("node-a");
    stored(pod("elsewhere").node("node-b"));
    stored(pod("web-0").ip("10.244.1.7"));
    var uid = image.pods().get(WEB).orElseThrow().object().uid().toString();
    var elsewhere =
        image
            .pods()
            .get(new ObjectName("shop", "elsewhere"))
            .orElseThrow()
            .object()
            .uid()
            .toString();
    var outcome =
        decide(
            new ReportReadiness(
                "shop",
                "node-a",
                session,
                1,
                List.of(
                    new Report("absent", uid, true, ""),
                    new Report("elsewhere", elsewhere, true, ""),
                    new Report("web-0", new UUID(0, 9).toString(), true, ""))));
    assertThat(dropped(outcome))
        .satisfiesExactly(
            a -> assertThat(a).contains("no such Pod"),
            b -> assertThat(b).contains("node-b"),
            c -> assertThat(c).contains(uid));
    assertThat(dropped(report(session, 2, true, ""))).isEmpty();
    assertThat(readiness().ready()).isTrue();
  }

  @Test
  void aLostNodeTakesItsPodsWithItUntilItOpensAnotherSession() {
    long session = open("node-a");
    stored(pod("web-0").ip("10.244.1.7"));
    report(session, 1, true, "");
    decide(new LoseNode("node-a", session - 1, "late")); // another session: nothing
    assertThat(last.changes()).isEmpty();
    decide(new LoseNode("node-a", session, "no lease for 40 s"));
    assertThat(image.nodes().get("node-a").orElseThrow().object().state())
        .isEqualTo(Node.State.LOST);
    decide(new LoseNode("node-a", session, "again"));
    assertThat(last.changes()).isEmpty();
    decide(new NodeLostPods("shop", "node-a", session));
    assertThat(readiness().ready()).isFalse();
    assertThat(readiness().reason()).isEqualTo("node lost");
    decide(new NodeLostPods("shop", "node-a", session));
    assertThat(last.changes()).isEmpty();
    var uid = image.pods().get(WEB).orElseThrow().object().uid().toString();
    assertThat(
            refused(
                new ReportReadiness(
                    "shop", "node-a", session, 99, List.of(new Report("web-0", uid, true, "")))))
        .isInstanceOf(Refusal.SessionEnded.class);
    long again = open("node-a");
    decide(new NodeLostPods("shop", "node-a", session)); // comes late
    assertThat(last.changes()).isEmpty();
    report(again, 1, true, "");
    assertThat(readiness().ready()).isTrue();
  }

  @Test
  void aLossThatComesAfterTheNodesNextSessionLeavesItsPodsReady() {
    long session = open("node-a");
    stored(pod("web-0").ip("10.244.1.7"));
    report(session, 1, true, "");
    decide(new LoseNode("node-a", session, "no lease for 40 s"));
    open("node-a"); // before the namespace's owner wrote anything
    decide(new NodeLostPods("shop", "node-a", session));
    assertThat(last.changes()).isEmpty();
    assertThat(readiness().ready()).isTrue();
  }

  @Test
  void aSourceLeavesThePodsThatItsNamesakeOnAnotherNodeSays() {
    long session = open("node-a");
    open("node-b");
    stored(pod("here").source("manifests").ip("10.244.1.7"));
    stored(pod("there").source("manifests").node("node-b").ip("10.244.2.7"));
    decide(new ReconcileSource("shop", "manifests", "node-a", session, 1, List.of()));
    assertThat(image.pods().all())
        .extracting(Versioned::object)
        .extracting(p -> p.name().name())
        .containsExactly("there");
  }

  @Test
  void aSourceReconcilesItsOwnPodsOnly() {
    long session = open("node-a");
    stored(pod("mine-old").source("manifests/node-a").ip("10.244.1.7"));
    stored(pod("others").ip("10.244.1.8"));
    stored(pod("taken").source("docker/node-a"));
    var outcome =
        decide(
            new ReconcileSource(
                "shop",
                "manifests/node-a",
                "node-a",
                session,
                1,
                List.of(
                    pod("mine-new").source("manifests/node-a").ip("10.244.1.9").draft(),
                    pod("taken").source("manifests/node-a").draft(),
                    pod("Bad_Name").source("manifests/node-a").draft(),
                    pod("astray").source("manifests/node-a").node("node-b").draft())));
    assertThat(outcome)
        .isInstanceOfSatisfying(
            PodOutcome.Reconciled.class,
            r ->
                assertThat(r.refused())
                    .extracting(d -> d.pod().name())
                    .containsExactly("taken", "Bad_Name", "astray"));
    assertThat(image.pods().all())
        .extracting(Versioned::object)
        .extracting(p -> p.name().name())
        .containsExactly("mine-new", "others", "taken");
    decide(
        new ReconcileSource(
            "shop",
            "manifests/node-a",
            "node-a",
            session,
            2,
            List.of(pod("mine-new").source("manifests/node-a").ip("10.244.1.9").draft())));
    assertThat(last.changes()).isEmpty();
    assertThat(
            refused(
                new ReconcileSource(
                    "shop", "manifests/node-a", "node-a", session - 1, 3, List.of())))
        .isInstanceOf(Refusal.SessionEnded.class);
  }

  @Test
  void aPodOfASourceHasNoLease() {
    long session = open("node-a");
    var leased = pod("web-0").source("manifests").ip("10.244.1.7").annotations(LEASE).draft();
    assertThat(
            decide(new ReconcileSource("shop", "manifests", "node-a", session, 1, List.of(leased))))
        .isInstanceOfSatisfying(
            PodOutcome.Reconciled.class,
            r ->
                assertThat(r.refused())
                    .singleElement()
                    .satisfies(dropped ->
                        assertThat(dropped.reason())
                            .contains("fairlead.io/lease-seconds", "leave the annotation out")));
    assertThat(image.pods().all()).isEmpty();
  }

  @Test
  void aPodExpiresAsItWasWhenItsLeaseRanOut() {
    var leased = stored(pod("web-0").ip("10.244.1.7").annotations(LEASE));
    assertThat(refused(new ExpirePod(leased.name(), random.uuid())))
        .as("another Pod")
        .isInstanceOf(Refusal.NotFound.class);
    stored(pod("web-0").ip("10.244.1.7"));
    assertThat(refused(new ExpirePod(leased.name(), leased.uid())))
        .as("applied without a lease meanwhile")
        .isInstanceOf(Refusal.NotFound.class);
    stored(pod("web-0").ip("10.244.1.7").annotations(LEASE));
    decide(new ExpirePod(leased.name(), leased.uid()));
    assertThat(image.pods().all()).isEmpty();
  }

  @Test
  void anotherPodOfTheSameNameIsNotReadyByWhatWasSaidOfTheFirst() {
    long session = open("node-a");
    stored(pod("web-0").source("docker/node-a").ip("10.244.1.7"));
    report(session, 1, true, "");
    decide(
        new ReconcileSource(
            "shop",
            "docker/node-a",
            "node-a",
            session,
            2,
            List.of(
                pod("web-0")
                    .source("docker/node-a")
                    .uid(new UUID(0x4000, 5).toString())
                    .ip("10.244.1.9")
                    .draft())));
    assertThat(image.pods().get(WEB).orElseThrow().object().uid()).isEqualTo(new UUID(0x4000, 5));
    assertThat(image.pods().readiness(WEB)).isEmpty();
  }

  @Test
  void remembersWhatARecordAnswered() {
    var envelope =
        new Envelope(
            random.uuid(), now, "test", Optional.empty(), Optional.empty(), Optional.empty());
    var web = stored(pod("web-0").ip("10.244.1.7"));
    var entry =
        new LogEntry(
            partitioning.of(web.key()),
            7,
            now,
            new LogEvent.Deleted(web.key(), web.uid(), envelope));
    assertThat(PodsDecider.recall(entry))
        .isEqualTo(new PodOutcome.Deleted(WEB, web.uid(), java.util.OptionalLong.of(7)));
  }
}
