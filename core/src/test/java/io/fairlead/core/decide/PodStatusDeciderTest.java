package io.fairlead.core.decide;

import static io.fairlead.core.decide.TestPod.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.core.decide.PodCommand.ApplyPod;
import io.fairlead.core.decide.PodCommand.DeletePod;
import io.fairlead.core.decide.PodCommand.UpdatePodStatus;
import io.fairlead.core.decide.PodStatusDraft.ConditionDraft;
import io.fairlead.core.decide.PodStatusDraft.ContainerStatusDraft;
import io.fairlead.core.decide.PodStatusDraft.StateDraft;
import io.fairlead.core.image.ClusterDelta;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.ContainerStatus;
import io.fairlead.core.model.ObjectName;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Pod;
import io.fairlead.core.record.Change;
import io.fairlead.core.record.Envelope;
import io.fairlead.core.record.LogEntry;
import io.fairlead.core.record.LogEvent;
import io.fairlead.core.run.RandomSource;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(30)
class PodStatusDeciderTest {
  private static final ObjectName WEB = new ObjectName("shop", "web-0");
  private static final Instant STARTED = Instant.parse("2026-11-01T00:00:00Z");

  /** One character more than is allowed. */
  private static final String LONG = "x".repeat(4097);

  private final RandomSource random = RandomSource.seeded(12);
  private final Partitioning partitioning = new Partitioning(16);
  private ClusterImage image = ClusterImage.EMPTY;
  private Instant now = STARTED;
  private long next = 100;
  private int records;

  private PodOutcome decide(PodCommand command) {
    now = now.plus(Duration.ofSeconds(1));
    var decision = PodsDecider.decide(image, command, new PodsContext(now, random));
    records = decision.changes().size();
    for (var change : decision.changes()) {
      var envelope =
          new Envelope(
              random.uuid(), now, "test", Optional.empty(), Optional.empty(), Optional.empty());
      var delta = new ClusterDelta(image);
      delta.replay(
          new LogEntry(
              partitioning.of(change.key()),
              next++,
              now,
              switch (change) {
                case Change.Put(var object) -> new LogEvent.Stored(object, envelope);
                case Change.Remove(var key, var uid) -> new LogEvent.Deleted(key, uid, envelope);
              }));
      image = delta.apply();
    }
    return decision.reply();
  }

  private Pod web() {
    return image.pods().get(WEB).orElseThrow().object();
  }

  private PodOutcome apply(TestPod draft) {
    return decide(new ApplyPod(draft.draft()));
  }

  private PodOutcome update(String node, PodStatusDraft status) {
    return decide(new UpdatePodStatus(WEB, web().uid().toString(), node, status));
  }

  private static PodStatusDraft running(int restarts) {
    return status(
        "10.244.1.7",
        new ContainerStatusDraft(
            "main",
            restarts,
            Optional.of(new StateDraft.Running(Optional.of(STARTED))),
            restarts == 0
                ? Optional.empty()
                : Optional.of(
                    new StateDraft.Terminated(
                        1, "Error", "", Optional.of(STARTED), Optional.of(STARTED)))));
  }

  private static PodStatusDraft status(String ip, ContainerStatusDraft... containers) {
    return new PodStatusDraft("", ip, List.of(), "", "", List.of(containers));
  }

  private List<String> faults(PodOutcome outcome) {
    if (outcome instanceof PodOutcome.Refused(Refusal.Invalid(_, var violations))) {
      return violations.stream().map(v -> v.field() + " " + v.reason().text()).sorted().toList();
    }
    throw new AssertionError("unexpected: " + outcome);
  }

  private static Class<?> refusal(PodOutcome outcome) {
    if (outcome instanceof PodOutcome.Refused(var refusal)) {
      return refusal.getClass();
    }
    throw new AssertionError("unexpected: " + outcome);
  }

  @Test
  void bindsAPodAndTellsItsContainersWithARecordOnlyWhereSomethingDiffers() {
    apply(pod("web-0").node(""));
    update("node-b", running(0));
    assertThat(records).isEqualTo(1);
    assertThat(web().spec().nodeName()).contains("node-b");
    assertThat(web().status().phase()).isEqualTo(Pod.Phase.RUNNING);
    assertThat(web().status().ips()).containsExactly(Address.of("10.244.1.7"));
    assertThat(web().status().containers())
        .containsExactly(
            new ContainerStatus("main", 0, new ContainerStatus.Running(STARTED), Optional.empty()));
    assertThat(update("node-b", running(0)))
        .isEqualTo(new PodOutcome.Stored(Result.UNCHANGED, web(), version()));
    assertThat(records).isZero();
    update("", running(1));
    assertThat(web().status().containers().getFirst().restartCount()).isEqualTo(1);
    assertThat(faults(update("node-c", running(1)))).containsExactly("spec.nodeName Immutable");
  }

  private java.util.OptionalLong version() {
    return java.util.OptionalLong.of(image.pods().get(WEB).orElseThrow().offset());
  }

  @Test
  void applyingTheManifestAgainErasesNeitherNodeNorStatus() {
    apply(pod("web-0").node(""));
    update("node-b", running(0));
    var before = web();
    apply(pod("web-0").node(""));
    assertThat(records).isZero();
    apply(pod("web-0").node("").labels(Map.of("app", "other")).ip("10.244.9.9").phase("Failed"));
    assertThat(web().meta().labels()).containsEntry("app", "other");
    assertThat(web().status()).isEqualTo(before.status());
    assertThat(web().spec()).isEqualTo(before.spec());
  }

  @Test
  void anAddressThatAManifestGaveStaysWhereTheNextOneSaysNothing() {
    apply(pod("web-0").ip("10.244.1.7"));
    apply(pod("web-0"));
    assertThat(records).isZero();
  }

  @Test
  void aSpecDoesNotChangeExceptThatThePodIsBound() {
    apply(pod("web-0").node(""));
    assertThat(faults(apply(pod("web-0").httpProbe("http").hostname("other"))))
        .containsExactly("spec.containers Forbidden", "spec.hostname Forbidden");
    apply(pod("web-0").node("node-a"));
    assertThat(web().spec().nodeName()).contains("node-a");
  }

  @Test
  void isAboutOnePodOfOneSource() {
    assertThat(refusal(decide(new UpdatePodStatus(WEB, random.uuid().toString(), "", running(0)))))
        .isEqualTo(Refusal.NotFound.class);
    apply(pod("web-0"));
    assertThat(refusal(decide(new UpdatePodStatus(WEB, random.uuid().toString(), "", running(0)))))
        .isEqualTo(Refusal.Stale.class);
    assertThat(faults(decide(new UpdatePodStatus(WEB, "", "", running(0)))))
        .containsExactly("uid Required");
    decide(new DeletePod(WEB, "", OptionalInt.of(0)));
    apply(pod("web-0").source("manifests/node-a").ip("10.244.1.7"));
    assertThat(refusal(update("", running(0)))).isEqualTo(Refusal.NotYours.class);
  }

  @Test
  void onlyAPodThatSomethingRunsIsGivenTimeToEnd() {
    apply(pod("web-0").ip("10.244.1.7"));
    decide(new DeletePod(WEB, "", OptionalInt.empty()));
    assertThat(image.pods().get(WEB)).isEmpty();

    apply(pod("web-0"));
    update("", running(0));
    decide(new DeletePod(WEB, "", OptionalInt.empty()));
    assertThat(web().status().deleting()).contains(now.plus(Duration.ofSeconds(30)));
    update("", running(1));
    assertThat(web().status().deleting()).as("what runs it may go on telling").isPresent();
    decide(new DeletePod(WEB, web().uid().toString(), OptionalInt.of(0)));
    assertThat(image.pods().get(WEB)).isEmpty();

    apply(pod("web-0"));
    update("", new PodStatusDraft("Succeeded", "", List.of(), "", "", running(0).containers()));
    decide(new DeletePod(WEB, "", OptionalInt.empty()));
    assertThat(image.pods().get(WEB)).as("it ended").isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = Pod.Phase.class,
      names = {"SUCCEEDED", "FAILED"})
  void whatEndedDoesNotComeBack(Pod.Phase last) {
    apply(pod("web-0"));
    update("", running(0));
    var ended = running(0).containers();
    var told = new PodStatusDraft(last.text(), "10.244.1.7", List.of(), "Evicted", "", ended);
    update("", told);
    var before = web();
    assertThat(before.status().phase()).isEqualTo(last);

    assertThat(faults(update("", running(1)))).containsExactly("status.phase Immutable");
    var other = last == Pod.Phase.FAILED ? "Succeeded" : "Failed";
    assertThat(faults(update("", new PodStatusDraft(other, "", List.of(), "", "", ended))))
        .containsExactly("status.phase Immutable");
    assertThat(web()).isEqualTo(before);

    update("", new PodStatusDraft(last.text(), "10.244.1.7", List.of(), "Evicted", "why", ended));
    assertThat(web().status().message()).as("more about the same end").isEqualTo("why");
  }

  record Case(String fault, PodStatusDraft status) {}

  static Stream<Case> faulty() {
    var waiting = Optional.<StateDraft>of(new StateDraft.Waiting("Pulling", ""));
    return Stream.of(
        new Case(
            "status.containerStatuses[0].name NotSupported",
            status("", new ContainerStatusDraft("side", 0, waiting, Optional.empty()))),
        new Case(
            "status.containerStatuses[1].name Duplicate",
            status(
                "",
                new ContainerStatusDraft("main", 0, waiting, Optional.empty()),
                new ContainerStatusDraft("main", 0, waiting, Optional.empty()))),
        new Case(
            "status.containerStatuses[0].restartCount Invalid",
            status("", new ContainerStatusDraft("main", -1, waiting, Optional.empty()))),
        new Case(
            "status.containerStatuses[0].state Required",
            status("", new ContainerStatusDraft("main", 0, Optional.empty(), Optional.empty()))),
        new Case(
            "status.containerStatuses[0].lastState Invalid",
            status("", new ContainerStatusDraft("main", 0, waiting, waiting))),
        new Case(
            "status.containerStatuses[0].state.terminated.exitCode Invalid",
            status(
                "",
                new ContainerStatusDraft(
                    "main",
                    0,
                    Optional.of(
                        new StateDraft.Terminated(
                            256, "", "", Optional.empty(), Optional.of(STARTED))),
                    Optional.empty()))),
        new Case(
            "status.phase NotSupported",
            new PodStatusDraft("Sleeping", "", List.of(), "", "", List.of())),
        new Case(
            "status.message TooLong",
            new PodStatusDraft("", "", List.of(), "", "x".repeat(5000), List.of())),
        new Case(
            "status.reason TooLong", new PodStatusDraft("", "", List.of(), LONG, "", List.of())),
        new Case("status.containerStatuses[0].state.waiting.reason TooLong", waits(LONG, "")),
        new Case("status.containerStatuses[0].state.waiting.message TooLong", waits("", LONG)),
        new Case("status.containerStatuses[0].state.terminated.reason TooLong", ended(LONG, "")),
        new Case("status.containerStatuses[0].state.terminated.message TooLong", ended("", LONG)),
        new Case("status.podIP Invalid", status("127.0.0.1")));
  }

  private static PodStatusDraft waits(String reason, String message) {
    return main(new StateDraft.Waiting(reason, message));
  }

  private static PodStatusDraft ended(String reason, String message) {
    return main(
        new StateDraft.Terminated(1, reason, message, Optional.empty(), Optional.of(STARTED)));
  }

  private static PodStatusDraft main(StateDraft state) {
    return status("", new ContainerStatusDraft("main", 0, Optional.of(state), Optional.empty()));
  }

  @ParameterizedTest
  @MethodSource("faulty")
  void refusesWhatIsFaulty(Case row) {
    apply(pod("web-0"));
    assertThat(faults(update("", row.status()))).containsExactly(row.fault());
  }

  private PodOutcome conditions(ConditionDraft... said) {
    return decide(
        new UpdatePodStatus(WEB, web().uid().toString(), "", Optional.empty(), List.of(said)));
  }

  private static ConditionDraft condition(String type, String status) {
    return new ConditionDraft(type, status, "Said", "", Optional.empty());
  }

  @Test
  void conditionsAreAnybodysOfWhateverSourceThePodIs() {
    apply(pod("web-0").source("manifests/node-a").ip("10.244.1.7"));
    conditions(condition("example.com/b", "True"), condition("example.com/a", "False"));
    assertThat(web().status().conditions())
        .extracting(Pod.Condition::type)
        .containsExactly("example.com/a", "example.com/b");
    assertThat(web().status().ips()).containsExactly(Address.of("10.244.1.7"));
    var since = web().status().conditions().getLast().since();
    conditions(condition("example.com/b", "True"));
    assertThat(records).as("nothing differs").isZero();
    conditions(condition("example.com/b", "Unknown"));
    assertThat(web().status().conditions().getLast().since()).isAfter(since);
    assertThat(web().status().conditions()).as("the other one stays").hasSize(2);
    apply(pod("web-0").source("manifests/node-a").ip("10.244.1.8"));
    assertThat(web().status().conditions()).as("its source says nothing of them").hasSize(2);
  }

  @Test
  void whatRunsAPodLeavesConditionsAsTheyAre() {
    apply(pod("web-0").node("node-b"));
    conditions(condition("example.com/a", "True"));
    update("", running(0));
    assertThat(web().status().conditions()).hasSize(1);
    assertThat(web().status().containers()).hasSize(1);
  }

  @Test
  void refusesConditionsThatFollowFromOtherFactsAndThoseThatAreNone() {
    apply(pod("web-0"));
    assertThat(
            faults(
                conditions(
                    condition("Ready", "True"),
                    condition("a b", "True"),
                    condition("example.com/a", "Maybe"),
                    condition("", "True"))))
        .containsExactly(
            "status.conditions[0].type Forbidden",
            "status.conditions[1].type Invalid",
            "status.conditions[2].status NotSupported",
            "status.conditions[3].type Required");
    assertThat(web().status().conditions()).isEmpty();
  }
}
