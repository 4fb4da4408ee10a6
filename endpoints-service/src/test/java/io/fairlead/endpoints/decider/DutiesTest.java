package io.fairlead.endpoints.decider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.fairlead.core.decide.PodCommand;
import io.fairlead.core.decide.PodOutcome;
import io.fairlead.core.image.ClusterImage;
import io.fairlead.core.image.TestObjects;
import io.fairlead.core.model.DomainObject;
import io.fairlead.core.model.LogIdentity;
import io.fairlead.core.model.LogPartition;
import io.fairlead.core.model.Node;
import io.fairlead.core.model.Partitioning;
import io.fairlead.core.model.Pod;
import io.fairlead.core.model.Position;
import io.fairlead.core.run.FakeTime;
import io.fairlead.core.run.Time;
import io.fairlead.decider.Answer;
import io.fairlead.decider.Decider;
import io.fairlead.decider.Request;
import io.fairlead.etcd.Coordination.Owner;
import io.fairlead.etcd.FakeEtcd;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(60)
class DutiesTest {
  /** A node without a key in etcd is lost at once, and looked for all the time. */
  private static final NodeLossSettings AT_ONCE =
      new NodeLossSettings(
          Duration.ZERO,
          Duration.ZERO,
          10,
          1.0 / 3,
          Duration.ofMinutes(5),
          Duration.ofMillis(5),
          Duration.ofMinutes(5));

  private final FakeEtcd etcd = new FakeEtcd(Time.system());
  private final ClusterImage image = TestObjects.image(TestObjects.node("n1", Optional.empty()));
  private final Owning decider = new Owning();
  private Optional<Duties> duties = Optional.empty();

  /** Owns every partition and answers when it is told to. */
  private static final class Owning implements Decider<PodCommand, PodOutcome> {
    final List<PodCommand> asked = new CopyOnWriteArrayList<>();
    final List<CompletableFuture<Answer<PodOutcome>>> answers = new CopyOnWriteArrayList<>();
    volatile boolean refusing;

    @Override
    public CompletableFuture<Answer<PodOutcome>> submit(
        LogPartition partition, Request<PodCommand> request) {
      var answer = new CompletableFuture<Answer<PodOutcome>>();
      if (refusing) {
        answer.complete(new Answer.NotOwner<>(Optional.empty(), 1));
      }
      answers.add(answer);
      asked.add(request.command());
      return answer;
    }

    /** Answers of commands to collect Pods. */
    List<CompletableFuture<Answer<PodOutcome>>> collecting() {
      return IntStream.range(0, asked.size())
          .filter(i -> asked.get(i) instanceof PodCommand.CollectPods)
          .mapToObj(answers::get)
          .toList();
    }

    @Override
    public CompletableFuture<Answer<Confirmed>> confirm(LogPartition partition) {
      throw new UnsupportedOperationException("not asked here");
    }

    @Override
    public Optional<Owner> owner(LogPartition partition) {
      return Optional.of(new Owner("a", "a:1", new UUID(0, 1), 1));
    }

    @Override
    public CompletableFuture<Optional<Owner>> ownerOtherThan(
        LogPartition partition, long revision) {
      throw new UnsupportedOperationException("not asked here");
    }
  }

  @AfterEach
  void close() {
    duties.ifPresent(Duties::close);
    etcd.close();
  }

  private Duties start(Supplier<ClusterImage> images) {
    return start(images, new Duties.Inbox(new PodLeases(), Time.system()), Time.system());
  }

  private Duties start(Supplier<ClusterImage> images, Duties.Inbox inbox, Time time) {
    var started =
        Duties.start(
            "a", new Partitioning(3), decider, etcd.client(), images, inbox, AT_ONCE, time);
    duties = Optional.of(started);
    return started;
  }

  @Test
  void goesOnAfterADefect() {
    var looks = new AtomicInteger();
    var started =
        start(() -> {
          if (looks.incrementAndGet() <= 5) {
            throw new IllegalStateException("on purpose");
          }
          return image;
        });
    await().until(() -> !decider.asked.isEmpty());
    assertThat(decider.asked.getFirst())
        .isInstanceOfSatisfying(
            PodCommand.LoseNode.class, lose -> assertThat(lose.node()).isEqualTo("n1"));
    assertThat(started.failures()).isEqualTo(5);
  }

  @Test
  void doesNotAskAgainForWhatIsUnderWay() {
    var looks = new AtomicInteger();
    var _ =
        start(() -> {
          looks.incrementAndGet();
          return image;
        });
    await().until(() -> !decider.asked.isEmpty());
    int before = looks.get();
    await().until(() -> looks.get() > before + 30);
    assertThat(decider.asked).hasSize(1);
    // the partition was given to another replica meanwhile, which did nothing yet
    decider.answers.getFirst().complete(new Answer.NotOwner<>(Optional.empty(), 1));
    await().until(() -> decider.asked.size() == 2);
  }

  @Test
  void tellsOnceWhatItAsksForUntilItIsDone() {
    decider.refusing = true;
    var time = new FakeTime();
    var inbox = new Duties.Inbox(new PodLeases(), time);
    var delta = TestObjects.delta(image, TestLeases.leased("dns-0", "2"));
    inbox.update(delta, delta.apply(), List.of());
    var looks = new AtomicInteger();
    var lines = new CopyOnWriteArrayList<String>();
    try (var _ = listening(lines)) {
      var _ =
          start(
              () -> {
                looks.incrementAndGet();
                return delta.apply();
              },
              inbox,
              time);
      for (int i = 0; i < 8; i++) { // less than half of the lease each, which would begin anew
        int before = looks.get();
        await().until(() -> looks.get() > before + 8);
        time.advance(Duration.ofMillis(500));
      }
      await()
          .until(() ->
              decider.asked.stream().filter(PodCommand.ExpirePod.class::isInstance).count() > 5);
      assertThat(lines).contains("Pod was not applied again within its lease", "Node has no lease");
      assertThat(lines).doesNotHaveDuplicates();
    }
  }

  /** Whoever accepted the deletion has a clock that is an hour ahead. */
  @Test
  void aGracePeriodRunsFromWhenItsRecordWasReadWhateverTheClocksSay() {
    var time = new FakeTime();
    var inbox = new Duties.Inbox(new PodLeases(), time);
    var accepted = time.now().plus(Duration.ofHours(1));
    var pod = ending(accepted.plusSeconds(30));
    var delta = TestObjects.delta(image, pod);
    inbox.update(delta, delta.apply(), List.of(GracePeriodsTest.stored(pod, accepted)));
    var looks = new AtomicInteger();
    var ended = delta.apply();
    var _ =
        start(
            () -> {
              looks.incrementAndGet();
              return ended;
            },
            inbox,
            time);
    time.advance(Duration.ofSeconds(29));
    int before = looks.get();
    await().until(() -> looks.get() > before + 8);
    assertThat(decider.asked).noneMatch(PodCommand.DeletePod.class::isInstance);
    time.advance(Duration.ofSeconds(1));
    await().until(() -> decider.asked.stream().anyMatch(PodCommand.DeletePod.class::isInstance));
  }

  /** They were held back, then given up; that they are lost says nothing of their Pods. */
  @Test
  void podsOfManyLostNodesStayUntilFewerAreMissing() {
    var lost = new ArrayList<DomainObject>();
    for (int i = 0; i < 12; i++) {
      var node = "n" + i;
      lost.add(OrphanedPodsTest.node(node, 7, Node.State.LOST, "manifests/" + node));
      var pod = TestObjects.pod("p" + i, "web", node, "10.244.0." + i);
      lost.add(new Pod(pod.meta(), pod.spec(), pod.status(), "manifests/" + node));
    }
    var images = new AtomicReference<>(TestObjects.image(lost.toArray(DomainObject[]::new)));
    var looks = new AtomicInteger();
    var started =
        Duties.start(
            "a",
            new Partitioning(3),
            decider,
            etcd.client(),
            () -> {
              looks.incrementAndGet();
              return images.get();
            },
            new Duties.Inbox(new PodLeases(), Time.system()),
            AT_ONCE.withPodsKept(Duration.ZERO),
            Time.system());
    duties = Optional.of(started);
    await().until(() -> looks.get() > 20);
    assertThat(decider.asked).noneMatch(PodCommand.CollectPods.class::isInstance);
    images.set(TestObjects.image(lost.subList(0, 6).toArray(DomainObject[]::new)));
    await().until(() -> decider.asked.stream().anyMatch(PodCommand.CollectPods.class::isInstance));
  }

  /** What it saw may be gone, or there again, by the time at which it is decided. */
  @Test
  void countsThePodsThatWentAndNotThoseThatWereToGo() {
    var pod = TestObjects.pod("p", "web", "n1", "10.244.0.1");
    var orphan = new Pod(pod.meta(), pod.spec(), pod.status(), "manifests/n1");
    var lost = OrphanedPodsTest.node("n1", 7, Node.State.LOST, "manifests/n1");
    var images = TestObjects.image(lost, orphan);
    var started =
        Duties.start(
            "a",
            new Partitioning(3),
            decider,
            etcd.client(),
            () -> images,
            new Duties.Inbox(new PodLeases(), Time.system()),
            AT_ONCE.withPodsKept(Duration.ZERO),
            Time.system());
    duties = Optional.of(started);
    collected(0, 0);
    assertThat(started.collected()).isZero();
    collected(1, 2);
    assertThat(started.collected()).isEqualTo(2);
  }

  /** Answers the n-th such command, which is asked again then. */
  private void collected(int index, int pods) {
    await().until(() -> decider.collecting().size() == index + 1);
    var position = Position.start(new LogIdentity("s", "p"));
    var _ =
        decider
            .collecting()
            .get(index)
            .complete(new Answer.Decided<>(new PodOutcome.Collected(pods), position));
    await().until(() -> decider.collecting().size() == index + 2);
  }

  private static Pod ending(Instant deadline) {
    var pod = TestObjects.pod("web-1", "web", "n1", "10.244.1.10");
    return new Pod(pod.meta(), pod.spec(), pod.status().deletedBy(deadline), pod.source());
  }

  private interface Listening extends AutoCloseable {
    @Override
    void close();
  }

  /** What the duties say, from now on. */
  private static Listening listening(List<String> lines) {
    var logger = (Logger) LoggerFactory.getLogger(Duties.class);
    var appender =
        new AppenderBase<ILoggingEvent>() {
          @Override
          protected void append(ILoggingEvent event) {
            lines.add(event.getMessage());
          }
        };
    appender.start();
    logger.addAppender(appender);
    return () -> logger.detachAppender(appender);
  }
}
