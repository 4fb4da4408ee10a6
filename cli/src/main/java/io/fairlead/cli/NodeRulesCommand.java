package io.fairlead.cli;

import io.fairlead.api.manifest.ManifestWriter;
import io.fairlead.api.table.TextTable.Heads;
import io.fairlead.cli.ObjectsReader.Then;
import io.fairlead.v1.NodeRulesHead;
import io.fairlead.v1.NodeRulesRequest;
import io.fairlead.v1.NodesGrpc;
import io.fairlead.v1.ProgrammedPort;
import io.fairlead.v1.ServiceName;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code fairlead node rules}. */
@Command(
    name = "rules",
    description =
        "Shows what a node's kernel does with new connections to Services, read from the kernel now, and why: which endpoints it uses, in which slots, and the records of the log behind each (partition@offset; the offset is the resourceVersion).",
    exitCodeList = {
      "0:the kernel is as it should be",
      "1:refused, not found or unreachable",
      "2:wrong usage, nothing was done",
      "3:the kernel differs from what is wanted, or refuses something"
    })
final class NodeRulesCommand implements Callable<Integer> {
  static final int DIFFERS = 3;

  @ParentCommand private NodeCommand node;

  @Option(names = "--node", required = true, paramLabel = "name", description = "Whose kernel.")
  private String name;

  @Option(
      names = "--service",
      paramLabel = "name",
      defaultValue = "",
      description = "Only this Service's, of the namespace of -n.")
  private String service;

  @Option(
      names = "--vip",
      paramLabel = "address[:port]",
      defaultValue = "",
      description = "Only this address's, e.g. 10.96.0.10, 10.96.0.10:53 or [fd00::a]:53.")
  private String vip;

  @Option(
      names = "--differing",
      description = "Only what is not as it should be: what differs, and what the kernel refuses.")
  private boolean differing;

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
    var fairlead = node.fairlead();
    var request = NodeRulesRequest.newBuilder().setNode(name).setOnlyDiffering(differing);
    if (!service.isEmpty()) {
      request.setService(
          ServiceName.newBuilder().setNamespace(fairlead.namespace()).setName(service));
    }
    if (!vip.isEmpty()) {
      var frontend = AddressAndPort.of("--vip", vip);
      request.setVip(frontend.address().toString()).setPort(frontend.port());
    }
    var heads = new ArrayList<NodeRulesHead>();
    var ports = new ArrayList<ProgrammedPort>();
    try (var session = fairlead.session()) {
      session.read(
          Session.Part.ENDPOINTS,
          NodesGrpc::newBlockingStub,
          stub ->
              stub.withDeadlineAfter(session.settings().timeout().toNanos(), TimeUnit.NANOSECONDS)
                  .rules(request.build()),
          () -> {
            heads.clear();
            ports.clear();
          },
          part -> {
            if (part.hasHead()) {
              heads.add(part.getHead());
            }
            ports.addAll(part.getPortsList());
            return Then.MORE;
          });
    }
    if (heads.size() != 1 || heads.getFirst().getFrontends() != ports.size()) {
      throw new CliException("error: the server ended its answer before it was complete");
    }
    return print(fairlead.console(), heads.getFirst(), ports);
  }

  private int print(Console console, NodeRulesHead head, List<ProgrammedPort> ports) {
    switch (output) {
      case JSON -> console.out().print(ManifestWriter.json(NodeRulesView.tree(head, ports)));
      case YAML -> console.out().print(ManifestWriter.yaml(NodeRulesView.tree(head, ports)));
      case TABLE, WIDE, NAME -> {
        console.out().println(NodeRulesView.title(head));
        if (ports.isEmpty()) {
          console.err().println("No frontends found");
        } else {
          var table = NodeRulesView.table(ports, output == OutputFormat.WIDE);
          console.out().print(table.text(noHeaders ? Heads.HIDDEN : Heads.SHOWN));
        }
        NodeRulesView.notes(head, ports).forEach(console.out()::println);
      }
    }
    return head.getDiffering() == 0 && head.getDifferencesCount() == 0 && head.getError().isEmpty()
        ? 0
        : DIFFERS;
  }
}
