package io.fairlead.agent.stream;

import io.fairlead.agent.nft.FlowGateway.Count;
import io.fairlead.agent.nft.FlowGateway.Found;
import io.fairlead.agent.nft.FlowGateway.Query;
import io.fairlead.api.Timestamps;
import io.fairlead.core.model.Address;
import io.fairlead.core.model.Protocol;
import io.fairlead.core.view.NodeRules.Target;
import io.fairlead.core.view.NodeView;
import io.fairlead.v1.Flow;
import io.fairlead.v1.FlowCount;
import io.fairlead.v1.ServiceName;
import io.fairlead.v1.TraceFlowsReply;
import io.fairlead.v1.TraceFlowsRequest;
import java.util.Arrays;

/** What the kernel remembers of connections, with whose endpoints they go to. */
final class FlowsAnswer {
  private static final int MOST = 500;
  private static final int DEFAULT = 100;

  private FlowsAnswer() {}

  /**
   * What is looked for.
   *
   * @throws IllegalArgumentException the replica let something through that makes no sense
   */
  static Query query(TraceFlowsRequest request) {
    return new Query(
        Arrays.stream(Protocol.values())
            .filter(protocol -> protocol.name().equals(request.getProtocol()))
            .findFirst(),
        address(request.getClient()),
        request.getClientPort(),
        address(request.getVip()),
        request.getPort(),
        request.getLimit() <= 0 ? DEFAULT : Math.min(request.getLimit(), MOST));
  }

  private static Address address(String text) {
    return Address.parse(text)
        .orElseThrow(() -> new IllegalArgumentException("no address: " + text));
  }

  static TraceFlowsReply of(Found found, NodeView view) {
    var reply = TraceFlowsReply.newBuilder().setMore(found.more()).setRead(found.read());
    found.flows().forEach(flow -> reply.addFlows(proto(flow, view)));
    return reply.build();
  }

  private static Flow proto(io.fairlead.agent.nft.FlowGateway.Flow flow, NodeView view) {
    var frontend = flow.frontend();
    var proto =
        Flow.newBuilder()
            .setProtocol(frontend.protocol().name())
            .setClient(flow.client().address().toString())
            .setClientPort(flow.client().port())
            .setVip(frontend.vip().toString())
            .setPort(frontend.port())
            .setEndpoint(flow.to().address().toString())
            .setEndpointPort(flow.to().port())
            .setTranslated(!flow.to().equals(new Target(frontend.vip(), frontend.port())))
            .setSource(flow.seenAs().address().toString())
            .setSourcePort(flow.seenAs().port())
            .setMasqueraded(!flow.seenAs().address().equals(flow.client().address()))
            .setState(flow.state())
            .setTimeoutSeconds(flow.timeout().toSeconds());
    flow.sent().map(FlowsAnswer::proto).ifPresent(proto::setSent);
    flow.received().map(FlowsAnswer::proto).ifPresent(proto::setReceived);
    flow.since().map(Timestamps::proto).ifPresent(proto::setSince);
    view.port(frontend)
        .map(port -> port.key().service())
        .ifPresent(service ->
            proto.setService(
                ServiceName.newBuilder()
                    .setNamespace(service.namespace())
                    .setName(service.name())));
    view.endpoints(frontend).stream()
        .filter(e -> new Target(e.address(), e.port()).equals(flow.to()))
        .findFirst()
        .ifPresent(e -> proto.setUid(e.key().pod().toString()).setNode(e.node().orElse("")));
    return proto.build();
  }

  private static FlowCount proto(Count count) {
    return FlowCount.newBuilder().setPackets(count.packets()).setBytes(count.bytes()).build();
  }
}
