package io.fairlead.standalone;

import io.fairlead.agent.HostReport;
import io.fairlead.agent.nft.HostCheck;
import io.fairlead.cli.NodeCommand;
import io.fairlead.cli.NodeVerb;
import io.fairlead.core.model.Cidr;
import io.fairlead.runtime.OptionType;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.TypeConversionException;

/** {@code fairlead node check}: of the host it runs on, not of a plane. */
@Command(
    name = "check",
    description =
        "Looks whether this host is fit to be a node, before an agent runs here or after: nftables, forwarding, bridges, conntrack, routes. Says what to do where it is not. Changes nothing; as root, in the network namespace that the agent has.",
    exitCodeList = {
      "0:fit, perhaps with warnings",
      "1:an ERROR: Services do not work here",
      "2:wrong usage, nothing was done"
    })
final class NodeCheckCommand implements Callable<Integer>, NodeVerb {
  @ParentCommand private NodeCommand node;

  @Option(
      names = "--service-cidrs",
      paramLabel = "block,...",
      defaultValue = "10.96.0.0/16",
      converter = Blocks.Converter.class,
      description = "Ranges of ClusterIPs (default 10.96.0.0/16).")
  private Blocks services;

  @Option(
      names = "--cluster-cidrs",
      paramLabel = "block,...",
      defaultValue = "10.244.0.0/16",
      converter = Blocks.Converter.class,
      description = "Ranges of all Pods (default 10.244.0.0/16).")
  private Blocks pods;

  @Override
  public Integer call() {
    var findings =
        HostCheck.all(new HostCheck.Ranges(Set.copyOf(services.all()), Set.copyOf(pods.all())));
    node.fairlead().console().out().print(HostReport.text(findings));
    return HostReport.exitCode(findings);
  }

  /** {@code 10.96.0.0/16,fd00:96::/112}. */
  record Blocks(List<Cidr> all) {
    static final class Converter implements ITypeConverter<Blocks> {
      @Override
      public Blocks convert(String text) {
        return switch (OptionType.listOf(OptionType.cidr()).check().apply(text)) {
          case OptionType.Good<List<Cidr>>(var value) -> new Blocks(value);
          case OptionType.Bad<List<Cidr>>(var words) -> throw new TypeConversionException(words);
        };
      }
    }
  }
}
