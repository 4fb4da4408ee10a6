package io.fairlead.endpoints;

import static io.fairlead.core.image.TestObjects.service;
import static io.fairlead.endpoints.Replicas.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fairlead.api.ErrorReport;
import io.fairlead.api.PositionCodec;
import io.fairlead.api.Reason;
import io.fairlead.core.model.LogPartition;
import io.fairlead.endpoints.Replicas.Replica;
import io.fairlead.endpoints.TestAgent.Acks;
import io.fairlead.v1.Answer;
import io.fairlead.v1.ApplyPodRequest;
import io.fairlead.v1.Container;
import io.fairlead.v1.Flow;
import io.fairlead.v1.NodeRulesHead;
import io.fairlead.v1.NodeRulesReply;
import io.fairlead.v1.NodeRulesRequest;
import io.fairlead.v1.ObjectMeta;
import io.fairlead.v1.Pod;
import io.fairlead.v1.PodReply;
import io.fairlead.v1.PodSpec;
import io.fairlead.v1.PodStatus;
import io.fairlead.v1.ProgrammedEndpoint;
import io.fairlead.v1.ProgrammedPort;
import io.fairlead.v1.Question;
import io.fairlead.v1.Question.QuestionCase;
import io.fairlead.v1.ServiceName;
import io.fairlead.v1.TraceFlowsReply;
import io.fairlead.v1.TraceFlowsRequest;
import io.grpc.Context;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nodes.Rules, through whichever replica. */
@Timeout(90)
class NodeRulesTest {
  private final Replicas replicas = new Replicas();

  @AfterEach
  void close() {
    replicas.close();
    assertThat(replicas.faults).isEmpty();
  }

  private static TestAgent agent(String node, Replica replica) {
    return agent(node, replica, 4);
  }

  private static TestAgent agent(String node, Replica replica, int protocol) {
    var agent =
        TestAgent.connect(
            node, replica.channel(), Acks.AT_ONCE, hello -> hello.setProtocol(protocol));
    await(node + " has everything", () -> agent.position().isPresent());
    return agent;
  }

  private static List<NodeRulesReply> rules(Replica replica, String node) {
    return rules(replica, NodeRulesRequest.newBuilder().setNode(node));
  }

  private static List<NodeRulesReply> rules(Replica replica, NodeRulesRequest.Builder request) {
    var parts = new ArrayList<NodeRulesReply>();
    replica.nodes().rules(request.build()).forEachRemaining(parts::add);
    return parts;
  }

  private static Optional<Reason> refusal(Replica replica, String node) {
    return ErrorReport.of(catchThrowable(() -> rules(replica, node))).reason();
  }

  /** Answers each question with that many parts. */
  private static void answering(TestAgent agent, int parts, NodeRulesReply.Builder first) {
    var told = new AtomicInteger();
    agent.onQuestion =
        question -> {
          switch (question.getQuestionCase()) {
            case RULES -> told.set(0);
            case NEXT -> {}
            case FLOWS, DROPPED, QUESTION_NOT_SET -> {
              return;
            }
          }
          int number = told.incrementAndGet();
          agent.answer(
              Answer.newBuilder()
                  .setQuestion(question.getId())
                  .setRules(
                      number == 1
                          ? first
                          : NodeRulesReply.newBuilder()
                              .addPorts(ProgrammedPort.newBuilder().setPort(number)))
                  .setMore(number < parts));
        };
  }

  private static PodReply apply(Replica replica) {
    return replica
        .pods()
        .apply(
            ApplyPodRequest.newBuilder()
                .setRequestId(UUID.randomUUID().toString())
                .setPod(
                    Pod.newBuilder()
                        .setMetadata(ObjectMeta.newBuilder().setName("one"))
                        .setSpec(
                            PodSpec.newBuilder()
                                .addContainers(
                                    Container.newBuilder().setName("main").setImage("example")))
                        .setStatus(PodStatus.newBuilder().setPodIp("10.244.0.9")))
                .build());
  }

  @Test
  void anyReplicaHasTheNodeAnswerPartByPart() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    try (var agent = agent("n1", a)) {
      answering(
          agent, 3, NodeRulesReply.newBuilder().setHead(NodeRulesHead.newBuilder().setNode("n1")));
      for (var asked : List.of(a, b)) {
        var parts = rules(asked, "n1");
        assertThat(parts).hasSize(3);
        assertThat(parts.getFirst().getHead().getNode()).isEqualTo("n1");
        assertThat(parts.getLast().getPorts(0).getPort()).isEqualTo(3);
      }
      assertThat(agent.questions)
          .extracting(Question::getQuestionCase)
          .containsExactly(
              QuestionCase.RULES,
              QuestionCase.NEXT,
              QuestionCase.NEXT,
              QuestionCase.RULES,
              QuestionCase.NEXT,
              QuestionCase.NEXT);
      assertThat(agent.faults).isEmpty();
    }
  }

  @Test
  void theRecordsBehindWhatTheKernelHasAreAdded() {
    var a = replicas.start("a");
    replicas.store(service("web", "10.96.0.10"));
    var pod = apply(a);
    var web = replicas.image().services().all().iterator().next();
    try (var agent = agent("n1", a)) {
      await(
          "the agent has the Service and the Pod",
          () ->
              agent.position().orElseThrow().of(LogPartition.SERVICES) > web.offset()
                  && PositionCodec.model(pod.getPosition())
                      .filter(agent.position().orElseThrow()::covers)
                      .isPresent());
      var port =
          ProgrammedPort.newBuilder()
              .setService(ServiceName.newBuilder().setNamespace("default").setName("web"))
              .addEndpoints(
                  ProgrammedEndpoint.newBuilder().setUid(pod.getPod().getMetadata().getUid()));
      var head =
          NodeRulesHead.newBuilder().setWanted(PositionCodec.proto(agent.position().orElseThrow()));
      answering(agent, 1, NodeRulesReply.newBuilder().setHead(head).addPorts(port));
      var told = rules(a, "n1").getFirst().getPorts(0);
      assertThat(told.getRecord().getPartition()).isEqualTo("s");
      assertThat(told.getRecord().getOffset()).isEqualTo(web.offset());
      assertThat(told.getRecord().getPending()).isFalse();
      var endpoint = told.getEndpoints(0);
      assertThat(endpoint.getKind() + "/" + endpoint.getName()).isEqualTo("Pod/one");
      assertThat(Long.toString(endpoint.getRecord().getOffset()))
          .isEqualTo(pod.getPod().getMetadata().getResourceVersion());
      assertThat(endpoint.getRecord().getPartition())
          .isEqualTo(Replicas.PARTITIONING.ofNamespace("default").toString());

      // a node that is not so far yet
      var start = io.fairlead.core.model.Position.start(agent.position().orElseThrow().log());
      head.setWanted(PositionCodec.proto(start));
      answering(agent, 1, NodeRulesReply.newBuilder().setHead(head).addPorts(port));
      assertThat(rules(a, "n1").getFirst().getPorts(0).getRecord().getPending()).isTrue();
    }
  }

  @Test
  void connectionsAreToldWithTheNamesOfThePodsBehindThem() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    replicas.store(service("web", "10.96.0.10"));
    var pod = apply(a);
    try (var agent = agent("n1", a)) {
      agent.onQuestion =
          question -> {
            if (question.hasFlows()) {
              agent.answer(
                  Answer.newBuilder()
                      .setQuestion(question.getId())
                      .setFlows(
                          TraceFlowsReply.newBuilder()
                              .addFlows(
                                  Flow.newBuilder()
                                      .setVip(question.getFlows().getVip())
                                      .setService(
                                          ServiceName.newBuilder()
                                              .setNamespace("default")
                                              .setName("web"))
                                      .setUid(pod.getPod().getMetadata().getUid()))));
            }
          };
      var request =
          TraceFlowsRequest.newBuilder()
              .setNode("n1")
              .setClient("10.244.0.9")
              .setVip("10.96.0.10")
              .build();
      var flow = b.nodes().traceFlows(request).next().getFlows(0);
      assertThat(flow.getKind() + " " + flow.getNamespace() + "/" + flow.getName())
          .isEqualTo("Pod default/one");
      assertThat(flow.getVip()).isEqualTo("10.96.0.10");
      var bad =
          request.toBuilder()
              .setClient("fd00::1")
              .setClientPort(-1)
              .setPort(65_536)
              .setProtocol("ICMP")
              .setLimit(501)
              .build();
      assertThat(ErrorReport.of(catchThrowable(() -> a.nodes().traceFlows(bad).next())).faults())
          .extracting(ErrorReport.FieldFault::field)
          .containsExactly("client", "client_port", "port", "protocol", "limit");
    }
  }

  @Test
  void whoCannotBeAskedIsNamedWithTheReason() {
    replicas.losingNodesAfterClose(Duration.ofMillis(100));
    var a = replicas.start("a");
    assertThat(refusal(a, "n9")).contains(Reason.NOT_FOUND);
    assertThat(refusal(a, "")).contains(Reason.INVALID);
    var badVip = NodeRulesRequest.newBuilder().setNode("n1").setVip("10.96").setPort(70_000);
    assertThat(ErrorReport.of(catchThrowable(() -> rules(a, badVip))).faults())
        .extracting(ErrorReport.FieldFault::field)
        .containsExactly("vip", "port");
    try (var old = agent("n2", a, 3)) {
      assertThat(refusal(a, "n2")).contains(Reason.AGENT_TOO_OLD);
      assertThat(old.faults).isEmpty();
    }
    await("n2 is lost", () -> refusal(a, "n2").equals(Optional.of(Reason.NODE_LOST)));
  }

  @Test
  void anAgentThatCannotTellOrGoesMeanwhileIsNamed() {
    var a = replicas.start("a");
    var b = replicas.start("b");
    try (var agent = agent("n1", a)) {
      agent.onQuestion =
          question ->
              agent.answer(
                  Answer.newBuilder()
                      .setQuestion(question.getId())
                      .setFailure("the data plane is closed"));
      for (var asked : List.of(a, b)) {
        var report = ErrorReport.of(catchThrowable(() -> rules(asked, "n1")));
        assertThat(report.reason()).contains(Reason.NODE_AWAY);
        assertThat(report.message()).contains("the data plane is closed");
      }
      assertThat(agent.questions).as("once by each").hasSize(2);
      agent.onQuestion = _ -> agent.leave();
      assertThat(refusal(a, "n1")).contains(Reason.NODE_AWAY);
    }
  }

  @Test
  void aNodeHasFewQuestionsAtOnceAndForgetsThoseThatNobodyWaitsFor() {
    var a = replicas.start("a");
    try (var agent = agent("n1", a)) {
      var waiting = new ArrayList<Thread>();
      var callers = Context.current().withCancellation();
      for (int i = 0; i < 4; i++) {
        waiting.add(
            Thread.ofVirtual()
                .start(
                    callers.wrap(() -> {
                      var request = NodeRulesRequest.newBuilder().setNode("n1").build();
                      var _ = catchThrowable(() -> a.nodes().rules(request).hasNext());
                    })));
      }
      await("four questions", () -> agent.questions.size() >= 4);
      assertThat(refusal(a, "n1")).contains(Reason.LIMIT_REACHED);
      callers.cancel(null);
      answering(agent, 1, NodeRulesReply.newBuilder());
      await("room for another", () -> catchThrowable(() -> rules(a, "n1")) == null);
      waiting.forEach(thread -> {
        try {
          thread.join();
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      });
      await(
          "all four are dropped",
          () ->
              agent.questions.stream()
                      .filter(q -> q.getQuestionCase() == QuestionCase.DROPPED)
                      .count()
                  >= 4);
    }
  }
}
