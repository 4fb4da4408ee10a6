package io.fairlead.cli;

import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.TextTable.Heads;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.v1.Flow;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.TraceFlowsReply;
import io.fairlead.v1.TraceFlowsRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead node trace}. */
@Command(
    name = "trace",
    description =
        "Shows where a client's connections to a Service's address really went, from what the kernel of the client's node (conntrack) remembers of them: also those that are open since before the last change.",
    exitCodeList = {
      "0:found",
      "1:refused, not found or unreachable",
      "2:wrong usage, nothing was done",
      "3:no such connection is remembered"
    })
final class NodeTraceCommand implements Callable<Integer> {
  static final int NONE = 3;

  @ParentCommand private NodeCommand node;

  @Parameters(
      index = "0",
      paramLabel = "CLIENT[:PORT]",
      description =
          "Address of the client, as the node sees it: the Pod's, or the node's own for its processes; [fd00::a]:4711 with a port of IPv6.")
  private String client;

  @Parameters(
      index = "1",
      paramLabel = "VIP[:PORT]",
      description = "Address of the Service; without a port, to any.")
  private String vip;

  @Option(
      names = "--node",
      required = true,
      paramLabel = "name",
      description = "The node that the client is on.")
  private String name;

  @Option(
      names = "--protocol",
      paramLabel = "tcp|udp|sctp",
      defaultValue = "",
      description = "Only over this; without it, over any.")
  private String protocol;

  @Option(
      names = "--limit",
      paramLabel = "number",
      defaultValue = "100",
      description = "How many at most, 1 to 500 (default 100).")
  private int limit;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "wide|yaml|json",
      defaultValue = "table",
      description = "How it is shown; without it, a table.")
  private OutputFormat output;

  @Option(names = "--no-headers", description = "A table without its heads.")
  private boolean noHeaders;

  @Override
  public Integer call() {
    if (output == OutputFormat.NAME) {
      throw new UsageException("error: -o name: only wide, yaml and json are possible here");
    }
    if (limit < 1 || limit > 500) {
      throw new UsageException("error: --limit: must be from 1 to 500");
    }
    if (!List.of("", "tcp", "udp", "sctp").contains(protocol.toLowerCase(Locale.ROOT))) {
      throw new UsageException("error: --protocol: must be tcp, udp or sctp");
    }
    var from = AddressAndPort.of("CLIENT", client);
    var to = AddressAndPort.of("VIP", vip);
    if (from.address().family() != to.address().family()) {
      throw new UsageException("error: CLIENT and VIP: one is IPv4, the other IPv6");
    }
    var request =
        TraceFlowsRequest.newBuilder()
            .setNode(name)
            .setClient(from.address().toString())
            .setClientPort(from.port())
            .setVip(to.address().toString())
            .setPort(to.port())
            .setProtocol(protocol.toUpperCase(Locale.ROOT))
            .setLimit(limit)
            .build();
    var parts = new ArrayList<TraceFlowsReply>();
    try (var session = node.fairlead().session()) {
      session.read(
          Session.Part.ENDPOINTS,
          NodesGrpc::newBlockingStub,
          stub ->
              stub.withDeadlineAfter(session.settings().timeout().toNanos(), TimeUnit.NANOSECONDS)
                  .traceFlows(request),
          parts::clear,
          part -> {
            parts.add(part);
            return Then.MORE;
          });
    }
    return print(node.fairlead().console(), parts);
  }

  private int print(Console console, List<TraceFlowsReply> parts) {
    var flows = new ArrayList<Flow>();
    parts.forEach(part -> flows.addAll(part.getFlowsList()));
    boolean more = parts.stream().anyMatch(TraceFlowsReply::getMore);
    switch (output) {
      case JSON -> console.out().print(ManifestWriter.json(FlowsView.tree(name, flows, more)));
      case YAML -> console.out().print(ManifestWriter.yaml(FlowsView.tree(name, flows, more)));
      case TABLE, WIDE, NAME -> {
        if (flows.isEmpty()) {
          long read = parts.stream().mapToLong(TraceFlowsReply::getRead).sum();
          console
              .err()
              .println(
                  "No connection from %s to %s among the %d that %s remembers"
                      .formatted(client, vip, read, name));
        } else {
          var table = FlowsView.table(flows, output == OutputFormat.WIDE);
          console.out().print(table.text(noHeaders ? Heads.HIDDEN : Heads.SHOWN));
        }
        if (more) {
          console.err().println("There are more than %d; --limit shows more".formatted(limit));
        }
      }
    }
    return flows.isEmpty() ? NONE : 0;
  }
}
