package io.fairlead.agent.stream;

import static io.fairlead.agent.Waiting.await;
import static io.fairlead.agent.stream.FakeReplica.LOG;
import static io.fairlead.agent.stream.FakeReplica.at;
import static io.fairlead.agent.stream.TestEntries.cidr;
import static io.fairlead.agent.stream.TestEntries.endpoint;
import static io.fairlead.agent.stream.TestEntries.port;
import static io.fairlead.agent.stream.TestEntries.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.fairlead.agent.nft.DataPlane;
import io.fairlead.agent.nft.DataPlaneConfig;
import io.fairlead.agent.nft.FakeFlows;
import io.fairlead.agent.nft.FakeNft;
import io.fairlead.agent.nft.FlowGateway;
import io.fairlead.agent.nft.FlowGateway.Found;
import io.fairlead.agent.ruleset.Command;
import io.fairlead.agent.ruleset.Command.ElementKey;
import io.fairlead.agent.stream.FakeReplica.Stream;
import io.fairlead.agent.stream.NodeLoop.OtherLogPolicy;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Family;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.run.RandomSource;
import io.fairlead.core.run.Time;
import io.fairlead.core.view.Endpoint;
import io.fairlead.core.view.Entry;
import io.fairlead.core.view.Entry.EndpointEntry;
import io.fairlead.core.view.NodeRules.Frontend;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.runtime.Metrics;
import io.fairlead.v1.Answer;
import io.fairlead.v1.NodeRulesReply;
import io.fairlead.v1.NodeRulesRequest;
import io.fairlead.v1.ProgrammedEndpoint;
import io.fairlead.v1.ProgrammedPort;
import io.fairlead.v1.Question;
import io.fairlead.v1.ServiceName;
import io.fairlead.v1.TraceFlowsRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What an agent answers to questions about its kernel. */
@Timeout(60)
class NodeQuestionsTest {
  private static final TraceFlowsRequest FLOWS =
      TraceFlowsRequest.newBuilder().setClient("10.244.0.9").setVip("10.96.0.1").build();

  @TempDir Path directory;

  private final FakeNft nft = new FakeNft();
  private final FakeFlows flows = new FakeFlows();
  private final FakeReplica replica = new FakeReplica();
  private DataPlane plane;
  private NodeLoop loop;
  private Stream stream;
  private long questions;

  @BeforeEach
  void start() {
    plane = DataPlane.on(DataPlaneConfig.of("node-a"), Time.system(), () -> nft);
    loop =
        NodeLoop.start(
            new NodeLoop.Settings(
                new NodeIdentity(
                    "node-a",
                    Optional.of("zone-1"),
                    List.of(Address.of("192.0.2.1")),
                    List.of(),
                    Set.of(),
                    "test"),
                List.of(replica.address()),
                OtherLogPolicy.REFUSE,
                directory,
                List.of()),
            plane,
            flows,
            new Metrics(),
            Time.system(),
            RandomSource.seeded(1),
            (what, cause) -> {
              throw new AssertionError(what, cause);
            },
            () -> {});
    await("stream").until(() -> replica.greeted() >= 1);
    stream = replica.streams.getFirst().welcome(5, LOG, 4);
  }

  @AfterEach
  void close() {
    loop.close();
    plane.close();
    replica.close();
  }

  private void programmed(String offsets, List<Entry> entries) {
    stream.reset(1, at(offsets), entries);
    await("acknowledged").until(() -> stream.acknowledged().equals(offsets));
  }

  private Answer part(long question, int number) {
    await("part " + number + " of the answer").until(() -> parts(question).size() >= number);
    return parts(question).get(number - 1);
  }

  private List<Answer> parts(long question) {
    return stream.answers.stream().filter(a -> a.getQuestion() == question).toList();
  }

  private NodeRulesReply rules(NodeRulesRequest.Builder request) {
    long id = ++questions;
    stream.ask(Question.newBuilder().setId(id).setRules(request));
    var answer = part(id, 1);
    assertThat(answer.getMore()).isFalse();
    return answer.getRules();
  }

  private NodeRulesReply rules() {
    return rules(NodeRulesRequest.newBuilder());
  }

  @Test
  void saysWhatTheKernelDoesAndWhy() {
    programmed("s:10,p3:4", service("web", "10.96.0.1", "10.244.0.1", "10.244.0.2"));
    var answer = rules();
    var head = answer.getHead();
    assertThat(head.getNode()).isEqualTo("node-a");
    assertThat(head.getWanted().getOffsets()).isEqualTo("s:10,p3:4");
    assertThat(head.getProgrammed().getOffsets()).isEqualTo("s:10,p3:4");
    assertThat(head.getFrontends()).isEqualTo(1);
    assertThat(head.getDiffering()).isZero();
    assertThat(head.getDifferencesList()).isEmpty();
    var port = answer.getPorts(0);
    assertThat(port.getVip() + " " + port.getProtocol() + " " + port.getPort())
        .isEqualTo("10.96.0.1 TCP 80");
    assertThat(port.getService().getNamespace() + "/" + port.getService().getName())
        .isEqualTo("default/web");
    assertThat(port.getPortName()).isEqualTo("http");
    assertThat(port.getTreatment() + " " + port.getBalancing()).isEqualTo("balance round-robin");
    assertThat(port.getWhy()).isEqualTo("all endpoints that are ready");
    assertThat(port.getDifference()).isEmpty();
    assertThat(port.getEndpointsList())
        .extracting(ProgrammedEndpoint::getAddress)
        .containsExactlyInAnyOrder("10.244.0.1", "10.244.0.2");
    assertThat(port.getEndpointsList().stream().flatMap(e -> e.getSlotsList().stream()).toList())
        .containsExactly(0, 1);
    assertThat(port.getEndpoints(0).getUid())
        .isEqualTo(TestEntries.uid(port.getEndpoints(0).getAddress()).toString());
  }

  @Test
  void anEndpointThatIsNotUsedIsToldWithItsCondition() {
    var entries = new ArrayList<>(service("web", "10.96.0.1"));
    var unready = endpoint("web", "10.244.0.3");
    entries.add(
        new EndpointEntry(
            unready.key(),
            unready.address(),
            unready.port(),
            unready.node(),
            unready.zone(),
            new Endpoint.Conditions(false, false, false),
            unready.hints()));
    programmed("s:10", entries);
    var port = rules().getPorts(0);
    assertThat(port.getTreatment()).isEqualTo("reject");
    assertThat(port.getWhy())
        .isEqualTo("no endpoint is ready, and none still serves while it terminates");
    assertThat(port.getEndpointsList()).hasSize(1);
    assertThat(port.getEndpoints(0).getSlotCount()).isZero();
    assertThat(port.getEndpoints(0).getReady()).isFalse();
  }

  @Test
  void readsTheKernelItselfSoThatWhatSomebodyTookAwayIsSeen() {
    programmed("s:10", service("web", "10.96.0.1", "10.244.0.1"));
    nft.refuse(_ -> true); // else it would be restored meanwhile
    nft.deleteElement(Family.IPV4, new ElementKey("services_tcp", "10.96.0.1 . 80"));
    var answer = rules();
    assertThat(answer.getHead().getDiffering()).isEqualTo(1);
    assertThat(answer.getPorts(0).getTreatment()).isEmpty();
    assertThat(answer.getPorts(0).getDifference()).isNotEmpty();
    nft.refuse(_ -> false);
    await("restored").until(() -> rules().getHead().getDiffering() == 0);
  }

  @Test
  void aTableThatIsGoneIsNamed() {
    programmed("s:10", service("web", "10.96.0.1", "10.244.0.1"));
    nft.refuse(_ -> true);
    nft.flushRuleset();
    var head = rules().getHead();
    assertThat(head.getDifferencesList()).hasSize(2);
    assertThat(head.getDifferences(0)).startsWith("IPv4: there is no table fairlead");
    assertThat(head.getDiffering()).isEqualTo(1);
  }

  @Test
  void whatTheKernelRefusesIsToldWithItsWords() {
    nft.refuse(command ->
        command instanceof Command.AddElement(var element, _)
            && element.key().startsWith("10.96.0.2 . 80"));
    var entries = new ArrayList<>(service("web", "10.96.0.1", "10.244.0.1"));
    entries.add(port("bad", "10.96.0.2"));
    entries.add(endpoint("bad", "10.244.0.9"));
    programmed("s:10", entries);
    var answer = rules(NodeRulesRequest.newBuilder().setOnlyDiffering(true));
    assertThat(answer.getHead().getFrontends()).isEqualTo(1);
    assertThat(answer.getPortsList())
        .extracting(ProgrammedPort::getVip)
        .containsExactly("10.96.0.2");
    assertThat(answer.getPorts(0).getRefused()).isNotEmpty();
  }

  @Test
  void onlyWhatIsAskedForIsTold() {
    var entries = new ArrayList<>(service("web", "10.96.0.1", "10.244.0.1"));
    entries.add(port("other", "10.96.0.2"));
    programmed("s:10", entries);
    assertThat(rules().getPortsList()).hasSize(2);
    var named = NodeRulesRequest.newBuilder();
    named.setService(ServiceName.newBuilder().setNamespace("default").setName("other"));
    assertThat(rules(named).getPortsList())
        .extracting(ProgrammedPort::getVip)
        .containsExactly("10.96.0.2");
    assertThat(rules(NodeRulesRequest.newBuilder().setVip("10.96.0.1")).getPortsList()).hasSize(1);
    assertThat(rules(NodeRulesRequest.newBuilder().setVip("10.96.0.1").setPort(81)).getPortsList())
        .isEmpty();
  }

  @Test
  void aLargeAnswerComesInPartsOfWhichEachIsAskedFor() {
    var entries = new ArrayList<Entry>(List.of(cidr()));
    for (int i = 0; i < 3000; i++) {
      var vip = "10.96.%d.%d".formatted(i / 200, 1 + i % 200);
      entries.add(port("web-" + i, vip));
      entries.add(endpoint("web-" + i, "10.244.0.1"));
    }
    programmed("s:10", entries);
    stream.ask(Question.newBuilder().setId(77).setRules(NodeRulesRequest.getDefaultInstance()));
    var ports = new ArrayList<ProgrammedPort>();
    int number = 0;
    while (true) {
      var part = part(77, ++number);
      assertThat(part.getSerializedSize()).isLessThan(400 << 10);
      ports.addAll(part.getRules().getPortsList());
      if (!part.getMore()) {
        break;
      }
      var small = rules(NodeRulesRequest.newBuilder().setVip("10.96.0.1"));
      assertThat(small.getPortsList()).hasSize(1);
      assertThat(parts(77)).as("nothing that was not asked for").hasSize(number);
      stream.ask(Question.newBuilder().setId(77).setNext(Question.NextPart.getDefaultInstance()));
    }
    assertThat(number).isGreaterThan(1);
    assertThat(ports).extracting(ProgrammedPort::getVip).doesNotHaveDuplicates().hasSize(3000);
  }

  @Test
  void saysWhereAClientsConnectionsGo() {
    programmed("s:10", service("web", "10.96.0.1", "10.244.0.1"));
    var web = new Frontend(Address.of("10.96.0.1"), Protocol.TCP, 80);
    flows.sent(4711, web, new Target(Address.of("10.244.0.1"), 8080));
    flows.sent(4712, web, new Target(Address.of("10.244.0.7"), 8080));
    var request =
        TraceFlowsRequest.newBuilder().setClient("10.244.0.9").setVip("10.96.0.1").setPort(80);
    stream.ask(Question.newBuilder().setId(3).setFlows(request));
    var found = part(3, 1).getFlows();
    assertThat(found.getFlowsList()).hasSize(2);
    var known = found.getFlows(0);
    assertThat(known.getClient() + " " + known.getClientPort()).isEqualTo("10.244.0.9 4711");
    assertThat(known.getEndpoint() + " " + known.getEndpointPort()).isEqualTo("10.244.0.1 8080");
    assertThat(known.getTranslated()).isTrue();
    assertThat(known.getService().getName()).isEqualTo("web");
    assertThat(known.getUid()).isEqualTo(TestEntries.uid("10.244.0.1").toString());
    assertThat(found.getFlows(1).getUid()).as("no endpoint of it any more").isEmpty();
    stream.ask(Question.newBuilder().setId(4).setFlows(request.setLimit(1)));
    assertThat(part(4, 1).getFlows().getFlowsList()).hasSize(1);
    assertThat(part(4, 1).getFlows().getMore()).isTrue();
    flows.fail(Optional.of("errno 1"));
    stream.ask(Question.newBuilder().setId(5).setFlows(request));
    assertThat(part(5, 1).getFailure()).contains("errno 1");
  }

  @Test
  void looksForOneQuestionOfAKindAtATimeAlsoWhereItWasDropped() {
    programmed("s:10", service("web", "10.96.0.1", "10.244.0.1"));
    var goOn = new CountDownLatch(1);
    flows.findsInstead(
        Optional.of(() -> {
          try {
            goOn.await();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
          return new Found(List.of(), false, 1);
        }));
    stream.ask(Question.newBuilder().setId(101).setFlows(FLOWS));
    stream.ask(Question.newBuilder().setId(101).setDropped(Question.Dropped.getDefaultInstance()));
    stream.ask(Question.newBuilder().setId(102).setFlows(FLOWS));
    assertThat(part(102, 1).getFailure()).contains("busy with another question");
    assertThat(rules().getPortsList()).as("the other kind").hasSize(1);
    goOn.countDown();
    await("free again")
        .until(() -> {
          stream.ask(Question.newBuilder().setId(++questions).setFlows(FLOWS));
          return part(questions, 1).hasFlows();
        });
    assertThat(parts(101)).isEmpty();
  }

  @Test
  @SuppressWarnings("NullAway") // the defect
  void anAnswerThatCannotBeMadeIsAFailureAndNoneOfTheAgent() {
    programmed("s:10", service("web", "10.96.0.1", "10.244.0.1"));
    var nowhere = new Target(Address.of("10.244.0.9"), 4711);
    flows.findsInstead(
        Optional.of(() ->
            new Found(
                List.of(
                    new FlowGateway.Flow(
                        new Frontend(Address.of("10.96.0.1"), Protocol.TCP, 80),
                        nowhere,
                        nowhere,
                        nowhere,
                        new AtomicReference<String>().get(), // none, which is a defect
                        Duration.ZERO,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty())),
                false,
                1)));
    stream.ask(Question.newBuilder().setId(3).setFlows(FLOWS));
    assertThat(part(3, 1).getFailure()).contains("could not make the answer");
    flows.findsInstead(Optional.empty());
    stream.ask(Question.newBuilder().setId(4).setFlows(FLOWS));
    assertThat(part(4, 1).hasFlows()).isTrue();
  }

  @Test
  void aPartThatCannotBeMadeIsAFailureAndTheLast() {
    var outbox = new Outbox();
    assertThat(outbox.ask(1)).isTrue();
    var words = List.of("first").iterator();
    outbox.answer(
        1,
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return true;
          }

          @Override
          public Answer.Builder next() {
            return Answer.newBuilder().setFailure(words.next());
          }
        });
    assertThat(outbox.nextPart(1).orElseThrow().getFailure()).isEqualTo("first");
    var last = outbox.nextPart(1).orElseThrow();
    assertThat(last.getFailure()).contains("could not make the answer");
    assertThat(last.getQuestion()).isEqualTo(1);
    assertThat(last.getMore()).isFalse();
    assertThat(outbox.nextPart(1)).isEmpty();
  }

  @Test
  void aQuestionThatItDoesNotKnowIsAnsweredSo() {
    stream.ask(Question.newBuilder().setId(9));
    assertThat(part(9, 1).getFailure()).contains("does not know this question");
  }
}
